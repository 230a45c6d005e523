"""Artifacts: versions of mods. A row is `uploading` while its file is read, then `ready` for ever, or `rejected`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every, one

# What the file says about itself is not known yet: the version is one that no file has, so that no two uploads meet here.
_BEGIN = text("""/* mods.begin */
    insert into mod_artifacts (id, org_id, name, version, source, source_url, file_name, status, uploaded_by_id,
                               created_at, updated_at)
    values (:id, :org, :name, 'uploading ' || cast(:id as uuid)::text, :source, :url, :file_name, 'uploading', cast(:by as uuid), :now, :now)""")

# Two spellings of one name, uploaded at once, would not see each other.
_LOCK_NAME = text("""/* mods.lock_name */
    select pg_advisory_xact_lock(hashtextextended('mods:' || cast(:org as uuid)::text || lower(cast(:name as text)), 0))""")

_READY = text("""/* mods.ready */
    update mod_artifacts a set status = 'ready', name = :name, version = :version, game_type_id = g.id, sha256 = :sha256,
           size_bytes = :size, manifest = :manifest, file_ref = :ref, updated_at = :now
      from game_types g
     where a.id = :id and a.org_id = :org and a.status = 'uploading' and g.slug = :game
    returning a.id""").bindparams(bindparam("manifest", type_=JSONB))

_REJECT = text("""/* mods.reject */
    update mod_artifacts set status = 'rejected', reject_reason = :reason, updated_at = :now
     where id = :id and org_id = :org and status = 'uploading'""")

_FORGET = text("/* mods.forget */ delete from mod_artifacts where id = :id and org_id = :org and status = 'uploading'")

_ABANDONED = text("""/* mods.abandoned */
    update mod_artifacts set status = 'rejected', reject_reason = :reason, updated_at = :now
     where status = 'uploading' and created_at < :before returning id, org_id, name""")

_UNUSED = text("""/* mods.unused */
    select r.ref from unnest(cast(:refs as text[])) r(ref)
     where not exists (select 1 from mod_artifacts a where a.file_ref = r.ref and a.status = 'ready')""")

_COLUMNS = """a.id, a.name, a.version, g.slug as game, g.name as game_name, a.size_bytes, encode(a.sha256, 'hex') as sha256,
    coalesce(jsonb_array_length(a.manifest -> 'files'), 0) as files, a.created_at"""
_FROM = "from mod_artifacts a join game_types g on g.id = a.game_type_id where a.org_id = :org and a.status = 'ready'"

# A manifest of thousands of files takes milliseconds to count: only that of the one that is found is.
_FIND = text(f"""/* mods.find */ select {_COLUMNS} {_FROM}
    and a.id = (select n.id from mod_artifacts n join game_types k on k.id = n.game_type_id
                 where n.org_id = :org and n.status = 'ready' and lower(n.name) = lower(:name)
                   and (cast(:version as text) is null or n.version = :version)
                 order by n.created_at desc, n.id limit 1)""")

_GET = text(f"/* mods.get */ select {_COLUMNS} {_FROM} and a.id = :id")

_SUGGEST = text(f"""/* mods.suggest */ select a.name, a.version {_FROM}
    and (cast(:mod as text) = '' or lower(a.name) = lower(:mod))
    and (cast(:words as text) is null or a.name ilike '%' || :words || '%' or a.version ilike '%' || :words || '%')
    order by a.created_at desc, a.id limit :limit""")

_NAMES = text("""/* mods.names */
    select a.name, max(g.name) as game_name, count(*) as versions, (array_agg(a.version order by a.created_at desc))[1] as newest
      from mod_artifacts a join game_types g on g.id = a.game_type_id
     where a.org_id = :org and a.status = 'ready'
       and (cast(:words as text) is null or a.name ilike '%' || :words || '%')
     group by a.name order by max(a.created_at) desc limit :limit""")

# The lease counts as well: what a host may fetch ends with its right to work on it.
_HELD = text("""/* mods.held */
    select a.file_ref
      from mod_artifacts a
     where a.id = :id and a.org_id = :org and a.status = 'ready'
       and exists (select 1 from job_runs r join jobs j on j.id = r.job_id
                    where r.host_id = :host and r.status in ('claimed', 'running') and r.lease_expires_at > now()
                      and j.org_id = :org and j.type = 'MOD_INSTALL' and j.payload ->> 'artifactId' = cast(:id as uuid)::text)""")


@dataclass(frozen=True)
class Artifact:
    """A version of a mod that can be deployed."""

    id: UUID
    name: str
    version: str
    game: str
    game_name: str
    size_bytes: int
    sha256: str
    files: int
    created_at: datetime


@dataclass(frozen=True)
class Version:
    """A version of a mod, by what people call it."""

    name: str
    version: str


@dataclass(frozen=True)
class ModName:
    """A mod of an org, whatever its version."""

    name: str
    game_name: str
    versions: int
    newest: str


async def begin(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Writes down that a file is being read. `values`: the names in `_BEGIN`."""
    await session.execute(_BEGIN, values)


async def lock_name(session: AsyncSession, org_id: UUID, name: str) -> None:
    """Whoever adds a version of this mod in another transaction waits, however it spells the name."""
    await session.execute(_LOCK_NAME, {"org": org_id, "name": name})


async def ready(session: AsyncSession, values: Mapping[str, Any]) -> bool:
    """Makes an upload an artifact. False: it was given up meanwhile. `values`: the names in `_READY`."""
    return (await session.execute(_READY, values)).first() is not None


async def reject(session: AsyncSession, org_id: UUID, artifact_id: UUID, reason: str, now: datetime) -> None:
    await session.execute(_REJECT, {"id": artifact_id, "org": org_id, "reason": reason, "now": now})


async def forget(session: AsyncSession, org_id: UUID, artifact_id: UUID) -> None:
    """Removes an upload whose file is there already."""
    await session.execute(_FORGET, {"id": artifact_id, "org": org_id})


@dataclass(frozen=True)
class Abandoned:
    """An upload that nobody ended."""

    id: UUID
    org_id: UUID
    name: str


async def abandoned(session: AsyncSession, *, before: datetime, reason: str, now: datetime) -> list[Abandoned]:
    """Rejects uploads that began before a moment and never ended."""
    return every(Abandoned, await session.execute(_ABANDONED, {"before": before, "reason": reason, "now": now}))


async def unused(session: AsyncSession, refs: Sequence[str]) -> list[str]:
    """Those of some files that no artifact of any org needs."""
    return list((await session.execute(_UNUSED, {"refs": list(refs)})).scalars())


async def find(session: AsyncSession, org_id: UUID, name: str, version: str | None = None) -> Artifact | None:
    """A version of a mod (case of the name does not count); without `version` the one that came last."""
    return one(Artifact, await session.execute(_FIND, {"org": org_id, "name": name, "version": version}))


async def get(session: AsyncSession, org_id: UUID, artifact_id: UUID) -> Artifact | None:
    return one(Artifact, await session.execute(_GET, {"org": org_id, "id": artifact_id}))


async def suggest(session: AsyncSession, org_id: UUID, words: str, mod: str = "", limit: int = 25) -> list[Version]:
    """Versions whose mod or number contains the words, the newest first. `mod`: of this one only."""
    values = {"org": org_id, "words": like(words), "mod": mod, "limit": limit}
    return every(Version, await session.execute(_SUGGEST, values))


async def names(session: AsyncSession, org_id: UUID, words: str, limit: int = 25) -> list[ModName]:
    """Mods whose name contains the words; the one that came last first."""
    return every(ModName, await session.execute(_NAMES, {"org": org_id, "words": like(words), "limit": limit}))


async def held(session: AsyncSession, org_id: UUID, host_id: UUID, artifact_id: UUID) -> str | None:
    """The reference of an artifact's file, while the host has a run that installs it."""
    return await session.scalar(_HELD, {"org": org_id, "host": host_id, "id": artifact_id})


def like(words: str) -> str | None:
    """Words to be found anywhere in a text; None: any text."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") or None
