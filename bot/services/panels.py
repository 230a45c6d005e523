"""Live status boards: a message in a channel that shows how servers are, and is kept up to date."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.access import EVERYWHERE
from bot.domain.actors import Actor, system
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import outbox
from bot.services.servers import VIEW, resolve
from db.engine import Database
from db.queries import cards, panels
from db.queries.panels import Panel, PanelServer
from db.uow import Tx

PER_CHANNEL: Final = 5
"""Boards of one channel: they share what Discord lets us edit there."""
PER_ORG: Final = 25
"""Boards of one org: every heartbeat of a busy host may owe an edit to each."""
SHOWN: Final = 20
"""Servers of one board in full; of the others it says how many are in which state."""
COUNTED: Final = 500
_PERMISSION: Final = "servers.edit"


@dataclass(frozen=True)
class Board:
    """What a board shows."""

    title: str
    servers: list[PanelServer]
    others: list[PanelServer]
    """Those that are only counted."""


@dataclass(frozen=True)
class Where:
    """A channel, and what the bot lacks to post in it, by the names that Discord shows."""

    channel_id: int
    lacking: tuple[str, ...] = ()


def must_be_postable(where: Where) -> None:
    """Refuses a channel in which nothing would ever appear.

    Raises:
        Invalid: with what is missing.
    """
    if where.lacking:
        raise Invalid(
            f"I may not post in <#{where.channel_id}>.",
            f"Give me there: {', '.join(where.lacking)} (channel settings, Permissions). Then try again.",
        )


class Panels:
    """`/panel`, and what its messages show."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(self, actor: Actor, where: Where, *, server: str = "", tag: str = "") -> Panel:
        """Posts a board of all servers, of one, or of those with a tag; one that was switched off goes on.

        Raises:
            NotPermitted, NotFound, Invalid, Conflict: there is one in that channel already, or too many others.
        """
        must_be_postable(where)
        if server and tag:
            raise Invalid("A board is of one server or of a tag.", "Give one of the two, or none for all servers.")
        async with self._db.uow(actor) as tx:
            subject = await _subject(tx, server, tag)
            await _must_concern(tx, subject)
            await _must_fit(tx, subject, where.channel_id)
            made = await panels.create(tx.session, actor.org, subject, where.channel_id, clock.now())
            if made is None:
                raise Conflict("The last board of this kind is just being removed there.", "Try again in a minute.")
            if made.message_id is None:
                await self._post(tx, made.id, where.channel_id)
            else:
                await outbox.edit(tx.session, org_id=actor.org, message=made.id, event_type="panel.created", payload={})
            await tx.notify(outbox.NOTIFY)
            tx.audit("panel.create", resource=("panel", made.id), subject=subject, channel=str(where.channel_id))
            panel = await panels.get(tx.session, actor.org, made.id)
        assert panel is not None
        return panel

    async def _post(self, tx: Tx, panel_id: UUID, channel_id: int) -> None:
        reference = tx.actor.invocation.reference if tx.actor.invocation else clock.now().isoformat()
        await outbox.post(
            tx.session,
            org_id=tx.actor.org,
            channel_id=channel_id,
            event_type="panel.created",
            payload={},
            dedupe_key=f"panel.created:{panel_id}:{reference}",
            message=panel_id,
        )

    async def list(self, actor: Actor) -> Sequence[Panel]:
        """Every board, those included that are switched off; not those of a single server that they may not edit."""
        scope = actor.sight(_PERMISSION)
        async with self._db.read() as session:
            found = await panels.listed(session, actor.org)
        return [panel for panel in found if panel.server_id is None or scope.covers(panel.server_id)]

    async def suggest(self, actor: Actor) -> Sequence[Panel]:
        """For autocompletes."""
        return await self.list(actor) if actor.may(_PERMISSION) else []

    async def remove(self, actor: Actor, ref: str) -> Panel:
        """Takes a board away, with its message.

        Raises:
            NotPermitted, NotFound, Conflict: it is just being posted.
        """
        async with self._db.uow(actor) as tx:
            panel = await panels.get(tx.session, actor.org, _id(ref))
            if panel is None:
                raise _none()
            await _must_concern(tx, panel.subject)
            if not await panels.remove(tx.session, actor.org, panel.id, clock.now()):
                raise Conflict("This board is just being posted.", "Try again in a minute.")
            await tx.notify(outbox.NOTIFY)
            tx.audit("panel.remove", resource=("panel", panel.id), subject=panel.subject, channel=str(panel.channel_id))
        return panel

    async def board(self, org_id: UUID, subject: str) -> Board:
        """What a board shows now."""
        async with self._db.read() as session:
            found = await panels.servers(session, org_id, subject, limit=COUNTED, now=clock.now())
        kind, _, what = subject.partition(":")
        titles = {"all": "Servers", "tag": what, "server": found[0].name if found else "Server"}
        return Board(titles[kind], found[:SHOWN], found[SHOWN:])


class PanelWatch:
    """Notices what heartbeats do not tell: silence, a restart that was planned, an incident. One per process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[UUID, str] = {}
        self._epoch = 0

    async def refresh(self) -> dict[str, int]:
        """Owes an edit to every board that would show something else than at the last look.

        The first look owes one to each, and so does the first after another process has looked: those that show it
        already cost no call to Discord."""
        if self._epoch != self._db.epoch:
            self._known, self._epoch = {}, self._db.epoch
        async with self._db.read() as session:
            found = await panels.fingerprints(session, clock.now())
        changed = [one for one in found if self._known.get(one.id) != one.fingerprint]
        for one in changed:
            async with self._db.uow(system("panels.refresh", one.org_id)) as tx:
                await outbox.edit(tx.session, org_id=one.org_id, message=one.id, event_type="panel.changed", payload={})
        self._known = {one.id: one.fingerprint for one in found}
        return {"edited": len(changed)}


async def _subject(tx: Tx, server: str, tag: str) -> str:
    if server:
        found = await resolve(tx.session, tx.actor.org, server, tx.actor.scope(VIEW))
        return f"server:{found.id}"
    if not tag:
        return "all"
    tag = tag.strip().lower()
    if not await cards.servers(tx.session, tx.actor.org, scope=EVERYWHERE, tag=tag, limit=1):
        raise NotFound(f"No server has the tag {safe(tag)}.", "Pick one of the suggestions.")
    return f"tag:{tag}"


async def _must_concern(tx: Tx, subject: str) -> None:
    """A board shows its servers to whoever reads the channel: it is for those who may edit every one of them.

    Raises:
        NotPermitted: somewhere they may not.
    """
    concerned = await panels.concerned(tx.session, tx.actor.org, subject)
    if subject == "all":  # those that are still to come, too
        await tx.require(_PERMISSION)
    await tx.require_on(_PERMISSION, concerned)


async def _must_fit(tx: Tx, subject: str, channel_id: int) -> None:
    live = [panel for panel in await panels.listed(tx.session, tx.actor.org) if panel.disabled_reason is None]
    if len(live) >= PER_ORG:
        raise Conflict(f"There are {PER_ORG} boards already.", "Remove one of them: `/panel list` shows them all.")
    here = [panel for panel in live if panel.channel_id == channel_id]
    if any(panel.subject == subject for panel in here):
        raise Conflict(
            f"<#{channel_id}> has this board already.", "It keeps itself up to date; `/panel remove` takes it away."
        )
    if len(here) >= PER_CHANNEL:
        raise Conflict(
            f"<#{channel_id}> has {PER_CHANNEL} boards already.", "Take another channel, or remove one of them."
        )


def _id(ref: str) -> UUID:
    try:
        return UUID(ref.strip())
    except ValueError:
        raise _none() from None


def _none() -> NotFound:
    return NotFound("There is no such board here.", "Pick one of the suggestions; `/panel list` shows them all.")
