"""The buttons of `/setup check`: each mends one thing, with the permission of what it does, and leaves an audit row."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor
from bot.domain.checks import PERMISSION, Mend
from bot.domain.words import count, safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import outbox
from bot.services.channels import Channels
from bot.services.panels import Panels, Where
from bot.services.setup_check import Discord, Duties
from bot.services.tick_facts import TickFacts
from db.engine import Database
from db.queries import checks

_ELSEWHERE_WITHIN: Final = 8.0
"""Seconds that another process has to do a tick and say so."""
AGAIN: Final = "Press Check again for how it is now."


class SetupMending:
    """Mends what `/setup check` found. What was mended meanwhile is no error."""

    def __init__(
        self,
        db: Database,
        discord: Discord,
        duties: Callable[[], Duties],
        *,
        channels: Channels,
        panels: Panels,
        make_channel: Callable[[Actor, str], Awaitable[None]],
    ) -> None:
        self._db = db
        self._discord = discord
        self._duties = duties
        self._told = TickFacts(db)
        self._channels = channels
        self._panels = panels
        self._make_channel = make_channel
        self._menders: Mapping[Mend, Callable[[Actor, str], Awaitable[str]]] = {
            Mend.TRY_CHANNEL: self._try_channel,
            Mend.TRY_PANEL: self._try_panel,
            Mend.LET_IN: self._let_in,
            Mend.MAKE: self._make,
            Mend.COMMANDS: self._register,
            Mend.SEND: self._send,
            Mend.TICK: self._tick,
        }

    async def mend(self, actor: Actor, mend: str, target: str) -> str:
        """Does what a button says; what came of it, in a sentence.

        Raises:
            NotPermitted, Invalid, NotFound, Conflict, Unavailable.
        """
        try:
            mender = self._menders[Mend(mend)]
        except ValueError:
            raise Invalid("This button is not one of ours.", "Open it again with `/setup check`.") from None
        return await mender(actor, target)

    async def _try_channel(self, actor: Actor, target: str) -> str:
        channel = await self._channels.test(actor, target)
        return f"A test message is on its way to <#{channel.channel_id}>."

    async def _try_panel(self, actor: Actor, target: str) -> str:
        panel = next((one for one in await self._panels.list(actor) if str(one.id) == str(_uuid(target))), None)
        if panel is None:
            raise NotFound("There is no such board here.", "`/panel list` shows them all.")
        kind, _, what = panel.subject.partition(":")
        named = {kind: what} if kind in ("server", "tag") else {}
        await self._panels.create(actor, Where(panel.channel_id), **named)
        return f"The board in <#{panel.channel_id}> goes on."

    async def _let_in(self, actor: Actor, target: str) -> str:
        channel_id = _number(target)
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.LET_IN])
            if channel_id not in {one.channel_id for one in await checks.targets(tx.session, actor.org)}:
                raise NotFound("Nothing is sent to this channel.", "Press Check again.")
        # Asked again, Discord gives the same rights: whoever presses once more leaves the row that is missing then.
        await self._discord.let_in(actor.guild_id or 0, channel_id, f"/setup check, asked for by {actor.name}")
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.LET_IN])
            tx.audit("setup.rights", resource=("channel", str(channel_id)))
        return f"The bot has its rights in <#{channel_id}>."

    async def _make(self, actor: Actor, target: str) -> str:
        await self._make_channel(actor, target)
        return f"There is a channel for {safe(target)}; a test message is on its way to it."

    async def _register(self, actor: Actor, _: str) -> str:
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.COMMANDS])
        await self._discord.register()
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.COMMANDS])
            tx.audit("setup.commands", resource=("org", actor.org))
        return "The commands are registered; it may take Discord a minute to show them."

    async def _send(self, actor: Actor, _: str) -> str:
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.SEND])
            messages = await checks.send_again(tx.session, actor.org, clock.now())
            await tx.notify(outbox.NOTIFY)
            tx.audit("setup.send", resource=("org", actor.org), messages=messages)
        return f"{count(messages, 'message is', 'messages are')} on the way again."

    async def _tick(self, actor: Actor, target: str) -> str:
        """Only what has not been done or has failed: the duties are those of every community."""
        own = {one.name: one for one in self._duties().facts()}
        fact = own.get(target) or {one.name: one for one in await self._told.known()}.get(target)
        if fact is None:
            raise NotFound("There is no such duty.", "Press Check again.")
        async with self._db.uow(actor) as tx:
            await tx.require(PERMISSION[Mend.TICK])
            if not (fact.failed or fact.is_late(clock.now())):
                return f"`{target}` was done meanwhile."
            tx.audit("setup.tick", resource=("tick", target))
        done = await (self._duties().do(target) if target in own else self._told.ask(fact, _ELSEWHERE_WITHIN))
        if not done:
            raise Conflict(f"`{target}` has not ended well, or not yet.", "The bot's log says more.")
        return f"`{target}` was done."


def _number(target: str) -> int:
    try:
        return int(target)
    except ValueError:
        raise NotFound("There is no such channel.", "Press Check again.") from None


def _uuid(target: str) -> UUID:
    try:
        return UUID(target)
    except ValueError:
        raise NotFound("There is no such board here.", "`/panel list` shows them all.") from None
