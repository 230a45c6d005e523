"""`/mod upload`: takes a file in, judges it, and keeps it for ever under its version.

The file is read outside of any transaction. Its row is `uploading` meanwhile; a bot that dies leaves such a row behind,
which a tick rejects later and which is in nobody's way until then.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from yarl import URL

from bot import clock
from bot.domain.actors import Actor
from bot.domain.words import safe, storable
from bot.errors import AppError, Conflict, Invalid, NotFound
from bot.services.agents import HostIdentity
from bot.services.artifact_store import ArtifactStore, Received, too_large
from bot.services.downloads import Downloads
from bot.services.mods_games import moddable
from bot.services.mods_judging import VERSION, Claims, Judged, judge
from db.engine import Database
from db.failures import constraint_of
from db.queries import mods
from db.queries.mods import Artifact
from db.uow import Tx
from games.archives import PACKED_MAX

DEADLINE: Final = timedelta(minutes=10)
"""For a whole upload; an interaction can be answered for 15 minutes."""
AT_ONCE: Final = 2
"""Files that are read side by side: an attachment is in memory meanwhile."""
_CHUNK: Final = 1024 * 1024
_AT_A_TIME: Final = 500
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
_VERSION_TAKEN: Final = "uq_mod_artifacts_version"


@dataclass(frozen=True)
class Attachment:
    """A file that came with the command."""

    file_name: str
    size: int
    read: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True)
class Upload:
    """What `/mod upload` was given: an attachment, or an address and what its file has to be."""

    file: Attachment | None = None
    url: str = ""
    sha256: str = ""
    game: str = ""
    name: str = ""
    version: str = ""

    @property
    def file_name(self) -> str:
        """As it was attached, or the end of the address, which has to be one."""
        return self.file.file_name if self.file else storable(Path(URL(self.url).name).name)

    @property
    def claims(self) -> Claims:
        """What the uploader says about the file."""
        return Claims(self.file_name, self.game, self.name, self.version)


@dataclass(frozen=True)
class Uploaded:
    """An artifact that can be deployed; `again`: it was there before."""

    artifact: Artifact
    again: bool = False


class Artifacts:
    """Versions of mods: taken in from people, given out to hosts."""

    def __init__(self, db: Database, store: ArtifactStore, downloads: Downloads) -> None:
        self._db = db
        self._store = store
        self._downloads = downloads
        self._room = asyncio.Semaphore(AT_ONCE)

    # ---------------------------------------------------------------------------------------------------- from people

    async def upload(self, actor: Actor, upload: Upload) -> Uploaded:
        """Takes a version of a mod in. The same file under the same version is there already.

        Raises:
            NotPermitted: `workshop.manage` is missing, or `files.upload` for an attachment.
            Invalid: the file is not taken, or what was said about it is not so.
            Conflict: this version of the mod is there with another content.
        """
        _check(upload)
        if upload.url:
            self._downloads.check(upload.url)
        artifact_id = await self._begin(actor, upload)
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()), self._room:
                return await self._take(actor, artifact_id, upload)
        except TimeoutError as error:
            late = Invalid(f"The file was not read within {DEADLINE.seconds // 60} minutes.", "Try again later.")
            await self._reject(actor, artifact_id, late)
            raise late from error
        except AppError as error:
            await self._reject(actor, artifact_id, error)
            raise

    async def _begin(self, actor: Actor, upload: Upload) -> UUID:
        # the audit row belongs to the end of the upload: this is only a note that there is one
        async with self._db.uow(replace(actor, invocation=None)) as tx:
            await _may(tx, upload)
            artifact_id = uuid4()
            values = {
                "id": artifact_id,
                "org": actor.org,
                "name": (upload.name or upload.file_name or "?")[:100],
                "source": "discord_attachment" if upload.file else "url",
                # without the query: there may be a signature in it
                "url": upload.url.partition("?")[0][:500] or None,
                "file_name": upload.file_name[:200],
                "by": actor.user_id,
                "now": clock.now(),
            }
            await mods.begin(tx.session, values)
            return artifact_id

    async def _take(self, actor: Actor, artifact_id: UUID, upload: Upload) -> Uploaded:
        async with self._store.receiving(self._chunks(upload)) as received:
            if upload.sha256 and received.sha256 != upload.sha256.lower():
                raise Invalid(
                    f"The file's sha256 is another one: `{received.sha256}`.",
                    "It was changed or cut off on its way, or the sha256 belongs to another file.",
                )
            judged = await asyncio.to_thread(judge, received.path, upload.claims, moddable())
            ref = await self._store.keep(received)
        return await self._ready(actor, artifact_id, upload, received, judged, ref)

    async def _chunks(self, upload: Upload) -> AsyncIterator[bytes]:
        if upload.file is None:
            async for chunk in self._downloads.fetch(self._downloads.check(upload.url)):
                yield chunk
            return
        content = await upload.file.read()
        for start in range(0, len(content), _CHUNK):
            yield content[start : start + _CHUNK]

    async def _ready(
        self, actor: Actor, artifact_id: UUID, upload: Upload, received: Received, judged: Judged, ref: str
    ) -> Uploaded:
        values: dict[str, Any] = {
            "id": artifact_id,
            "org": actor.org,
            "name": judged.name,
            "version": judged.version,
            "game": judged.mods.game,
            "sha256": bytes.fromhex(received.sha256),
            "size": received.size,
            "manifest": judged.manifest.dump(),
            "ref": ref,
            "now": clock.now(),
        }
        try:
            async with self._db.uow(actor) as tx:
                await _may(tx, upload)
                await _spelled(tx, judged)
                if not await mods.ready(tx.session, values):
                    raise Conflict("This upload was given up meanwhile.", "Upload the file again.")
                return await _taken(tx, judged)
        except IntegrityError as error:
            if constraint_of(error) != _VERSION_TAKEN:
                raise
        async with self._db.uow(actor) as tx:  # the other one was refused, and its transaction with it
            await _may(tx, upload)
            await mods.forget(tx.session, actor.org, artifact_id)
            return await _taken(tx, judged, again=received.sha256)

    async def _reject(self, actor: Actor, artifact_id: UUID, error: AppError) -> None:
        async with self._db.statement() as session:
            await mods.reject(session, actor.org, artifact_id, error.what[:500], clock.now())

    async def tidy(self) -> Mapping[str, int]:
        """Removes the files that nothing names: their guild is gone, or a bot died before it wrote them down."""
        old = await self._store.old()
        dropped = 0
        for start in range(0, len(old), _AT_A_TIME):
            async with self._db.read() as session:
                unused = await mods.unused(session, old[start : start + _AT_A_TIME])
            dropped += await self._store.drop(unused)
        return {"removed": dropped}

    # ------------------------------------------------------------------------------------------------------- to hosts

    async def held(self, host: HostIdentity, artifact_id: UUID) -> Path:
        """The file of an artifact that a run of this host installs now.

        Raises:
            NotFound: no such run; an artifact of another org reads the same.
        """
        async with self._db.read() as session:
            ref = await mods.held(session, host.org_id, host.id, artifact_id)
        if ref is None:
            raise NotFound("This host installs no such artifact now.", "Deploy the mod again.")
        path = self._store.path(ref)
        if not await asyncio.to_thread(path.is_file):
            raise NotFound("The bot's storage has lost this file.", "Upload the mod again.")
        return path


def _check(upload: Upload) -> None:
    """Refuses what can be refused before anything is read."""
    if (upload.file is None) == (not upload.url):
        raise Invalid("Give a `file`, or a `url` with its `sha256`.", "One of the two.")
    if upload.url and not upload.sha256:
        raise Invalid("An address needs the `sha256` of its file.", "The mod's author names it; `sha256sum` prints it.")
    if upload.sha256 and not _SHA256.fullmatch(upload.sha256):
        raise Invalid("A sha256 has 64 hexadecimal digits.", "`sha256sum FILE` prints it.")
    if upload.file and upload.file.size > PACKED_MAX:
        raise too_large()
    if upload.version and not VERSION.fullmatch(upload.version):
        raise Invalid("A version has up to 32 letters, digits, dots and dashes.", "Such as `1.0.3`.")
    if upload.game and upload.game not in moddable():
        games = ", ".join(f"`{game}`" for game in sorted(moddable()))
        raise Invalid(f"Mods of {safe(upload.game, 40)} are not supported.", f"Mods can be uploaded for {games}.")


async def _may(tx: Tx, upload: Upload) -> None:
    await tx.require("workshop.manage")
    if upload.file:
        await tx.require("files.upload")


async def _spelled(tx: Tx, judged: Judged) -> None:
    """Two spellings of one name would be two folders on a server."""
    await mods.lock_name(tx.session, tx.actor.org, judged.name)
    known = await mods.find(tx.session, tx.actor.org, judged.name)
    if known and known.name != judged.name:
        raise Conflict(f"This mod is called {safe(known.name)} here.", "Spell its name the same in all its versions.")
    if known and known.game != judged.mods.game:
        raise Conflict(
            f"There is a mod {safe(known.name)} of {safe(known.game_name)}.", "Give this one another `name`."
        )


async def _taken(tx: Tx, judged: Judged, *, again: str = "") -> Uploaded:
    """The artifact that is there now; `again`: the sha256 of a file that came as the same version."""
    found = await mods.find(tx.session, tx.actor.org, judged.name, judged.version)
    if found is None:
        raise Conflict("This version was removed meanwhile.", "Upload the file again.")
    if again and again != found.sha256:
        what = f"{safe(found.name)} {safe(found.version)} is here with another content."
        raise Conflict(what, "A version never changes: give the new file a new one.")
    facts = {"name": found.name, "version": found.version, "game": found.game, "size": found.size_bytes}
    tx.audit("mod.upload", resource=("mod_artifact", found.id), **facts, sha256=found.sha256, again=bool(again))
    return Uploaded(found, again=bool(again))
