"""`/setup start`: channels by purpose, Discord roles for the presets, a test message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from bot import clock
from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid, NotPermitted
from bot.services import alert_defaults
from bot.services.outbox import Purpose, post
from db.engine import Database
from db.queries import access, setup
from db.uow import Tx

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
ASKED: Final[tuple[Purpose, ...]] = ("ops", "alerts", "bans", "audit", "players")
"""Purposes that this version sends to."""
BINDABLE: Final = ("moderator", "operator", "admin")


@dataclass(frozen=True)
class Progress:
    """What is set up so far."""

    channels: dict[str, int]
    disabled: dict[str, str]
    """Purpose -> why its channel was switched off."""
    bindings: dict[str, list[int]]
    hosts: int
    hosts_online: int
    servers: int


class Setup:
    """First steps of an org; each is saved at once, so the wizard can be left and resumed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def progress(self, actor: Actor) -> Progress:
        async with self._db.read() as session:
            channels = await setup.channels(session, actor.org)
            bindings: dict[str, list[int]] = {}
            for preset, role in await setup.bindings(session, actor.org):
                bindings.setdefault(preset, []).append(role)
            hosts, online, servers = await setup.counts(session, actor.org)
        return Progress(
            {choice.purpose: choice.discord_channel_id for choice in channels if choice.enabled},
            {choice.purpose: choice.disabled_reason or "" for choice in channels if not choice.enabled},
            bindings,
            hosts,
            online,
            servers,
        )

    async def set_channel(self, actor: Actor, purpose: str, channel_id: int | None) -> None:
        """Sends a purpose to a channel, with a test message there; None: nowhere."""
        if purpose not in PURPOSES:
            raise Invalid("There is no such purpose.", f"Purposes: {', '.join(PURPOSES)}.")
        async with self._db.uow(actor) as tx:
            await tx.require("settings.edit")
            if channel_id is None:
                await setup.clear_channel(tx.session, actor.org, purpose)
            else:
                await setup.set_channel(tx.session, actor.org, purpose, channel_id, clock.now())
                await self._test(tx, purpose, channel_id)
                if purpose == "alerts":
                    await alert_defaults.channel_set(tx)
            tx.audit("setup.channel", resource=("org", actor.org), purpose=purpose, channel=str(channel_id or ""))

    async def _test(self, tx: Tx, purpose: str, channel_id: int) -> None:
        reference = tx.actor.invocation.reference if tx.actor.invocation else clock.now().isoformat()
        await post(
            tx.session,
            org_id=tx.actor.org,
            channel_id=channel_id,
            event_type="setup.test",
            payload={"purpose": purpose},
            dedupe_key=f"setup.test:{purpose}:{reference}",
        )
        await tx.notify("gk_outbox")

    async def bind(self, actor: Actor, preset: str, roles: Sequence[int]) -> None:
        """Lets members with these Discord roles hold a preset.

        Raises:
            NotPermitted: nobody gives or takes away what they lack themselves.
            Conflict: it was the last role of administrators; only the guild's owner may do that.
        """
        if preset not in BINDABLE:
            raise Invalid("There is no such preset.", f"Presets: {', '.join(BINDABLE)}.")
        if actor.guild_id in roles:
            raise Invalid("@everyone cannot have this role.", "Choose a role that only staff has.")
        async with self._db.uow(actor) as tx:
            await tx.require("users.edit")
            before = await setup.bindings(tx.session, actor.org)
            for changed in {preset, *(held for held, role in before if role in roles)}:
                await self._must_hold(tx, changed)
            await setup.bind(tx.session, actor.org, preset, sorted(roles), actor.user_id, clock.now())
            await self._must_leave_an_administrator(tx, before)
            await tx.notify("gk_access", str(actor.org))
            tx.audit("setup.bind", resource=("org", actor.org), preset=preset, roles=[str(role) for role in roles])

    async def _must_hold(self, tx: Tx, preset: str) -> None:
        if tx.actor.break_glass:
            return
        wanted = await setup.preset_permissions(tx.session, tx.actor.org, preset)
        now = clock.now()
        own = await access.load(tx.session, tx.actor.org, tx.actor.user_id, tx.actor.role_ids, servers=(), now=now)
        if lacking := sorted(name for name in wanted if not own.decide(name, None, now).allowed):
            raise NotPermitted(lacking[0], await access.roles_with(tx.session, tx.actor.org, lacking[0]))

    async def _must_leave_an_administrator(self, tx: Tx, before: Sequence[tuple[str, int]]) -> None:
        if tx.actor.break_glass or "admin" not in {preset for preset, _ in before}:
            return
        if "admin" not in {preset for preset, _ in await setup.bindings(tx.session, tx.actor.org)}:
            raise Conflict(
                "This would leave nobody as administrator.", "Choose another role for it first; nothing was changed."
            )
