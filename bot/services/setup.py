"""What `/setup` changes: the zone, channels by purpose, Discord roles for the presets; and a test message.

Each is saved at once. `setup_wizard` leads through them; what it needs of Discord is looked at there."""

from collections.abc import Collection, Mapping
from typing import Final, get_args

from bot import clock
from bot.domain.actors import Actor
from bot.domain.role_map import STAFF
from bot.domain.setup import Step
from bot.errors import Conflict, Invalid
from bot.services import alert_defaults, config
from bot.services.access_bindings import rebind, role_of
from bot.services.access_guards import Guard
from bot.services.access_places import EVERYWHERE
from bot.services.outbox import NOTIFY, Purpose, post
from db.engine import Database
from db.queries import setup
from db.uow import Tx

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
ASKED: Final[tuple[Purpose, ...]] = ("ops", "alerts", "bans", "audit", "players")
"""Purposes that this version sends to."""
EVERYONE: Final = "player"
"""The preset that @everyone may have."""


class Setup:
    """First steps of an org; each is saved at once, so the wizard can be left and resumed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def settle(self, actor: Actor, step: Step) -> None:
        """Writes down that a step is decided, also where it was left out; it is not asked for again."""
        async with self._db.uow(actor) as tx:
            await tx.require("settings.edit")
            if await setup.settle(tx.session, actor.org, step.value, clock.now()):
                tx.audit("setup.step", resource=("org", actor.org), step=step.value)

    async def set_zone(self, actor: Actor, name: str) -> str:
        """Chooses the clock of the org; the zone's full name.

        Raises:
            Invalid: there is no such zone, or several.
        """
        async with self._db.uow(actor) as tx:
            change = await config.change_in(tx, "timezone", name)
            await setup.settle(tx.session, actor.org, Step.ZONE.value, clock.now())
            tx.audit("setup.zone", resource=("org", actor.org), before=change.before, after=change.after)
        return str(change.after)

    async def set_channel(self, actor: Actor, purpose: str, channel_id: int | None, *, made: bool = False) -> None:
        """Sends a purpose to a channel, with a test message there; None: nowhere. `made`: it was made for this."""
        checked_purpose(purpose)
        async with self._db.uow(actor) as tx:
            await tx.require("settings.edit")
            await must_be_trusted_with(tx, purpose)
            if channel_id is None:
                await setup.clear_channel(tx.session, actor.org, purpose)
            else:
                await setup.set_channel(tx.session, actor.org, purpose, channel_id, clock.now())
                await _say(tx, purpose, channel_id, "setup.test", {"purpose": purpose})
                if purpose == "alerts":
                    await alert_defaults.channel_set(tx)
            tx.audit(
                "setup.channel",
                resource=("org", actor.org),
                purpose=purpose,
                channel=str(channel_id or ""),
                made=made,
            )

    async def send_tests(self, actor: Actor) -> list[str]:
        """Owes a message that says that it is a test to every channel that was chosen here; their purposes.

        Raises:
            Conflict: no channel is chosen.
        """
        async with self._db.uow(actor) as tx:
            await tx.require("settings.edit")
            chosen = {one.purpose: one.discord_channel_id for one in await setup.channels(tx.session, actor.org)}
            if not chosen:
                raise Conflict("No channel is chosen yet.", "Choose one in step 3, or make one with a button there.")
            for purpose, channel_id in chosen.items():
                said = {"name": purpose, "purpose": purpose, "severity": "low", "by": actor.name}
                await _say(tx, purpose, channel_id, "notify.test", said)
            await setup.settle(tx.session, actor.org, Step.FINISH.value, clock.now())
            tx.audit("setup.test", resource=("org", actor.org), purposes=sorted(chosen))
        return sorted(chosen)

    async def bind(self, actor: Actor, preset: str, roles: Collection[int]) -> str:
        """Lets members with these Discord roles, and only these, hold a preset; a warning, or nothing.

        Raises:
            NotPermitted, Invalid, Conflict: a guard of `access_guards`, or there is no such preset.
        """
        if preset not in STAFF:
            raise Invalid("There is no such preset.", f"Presets: {', '.join(STAFF)}.")
        if actor.guild_id in roles:
            raise Invalid("@everyone cannot have this role.", "Choose a role that only staff has.")
        return await self._bind(actor, {preset: roles})

    async def bind_all(self, actor: Actor, proposal: Mapping[str, Collection[int]]) -> str:
        """`bind` for several presets at once, and the step is decided with it."""
        return await self._bind(actor, proposal, settle=True)

    async def _bind(self, actor: Actor, wanted: Mapping[str, Collection[int]], *, settle: bool = False) -> str:
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            await tx.require("users.edit")
            before = await setup.bindings(tx.session, actor.org)
            for preset, roles in wanted.items():
                card = await role_of(tx.session, actor.org, preset)
                # @everyone stands in no menu, so it is not what was left out there
                held = {role for name, role in before if name == card.name and role != actor.guild_id}
                for role in sorted(held.difference(roles)):
                    await rebind(tx, guard, role, None, EVERYWHERE)
                for role in sorted(set(roles) - held):
                    await rebind(tx, guard, role, card, EVERYWHERE)
            left = await guard.finish()
            if settle:
                await setup.settle(tx.session, actor.org, Step.ROLES.value, clock.now())
            await tx.notify("gk_access", str(actor.org))
            named = {preset: [str(role) for role in roles] for preset, roles in wanted.items()}
            tx.audit("setup.bind", resource=("org", actor.org), roles=named)
        return left

    async def show_everyone(self, actor: Actor, *, sees: bool) -> str:
        """Whether @everyone may see servers and who is online; a warning, or nothing.

        Raises:
            NotPermitted, Invalid: a guard of `access_guards`.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            await tx.require("users.edit")
            role = await role_of(tx.session, actor.org, EVERYONE) if sees else None
            before = await rebind(tx, guard, actor.guild_id or 0, role, EVERYWHERE)
            left = await guard.finish()
            await tx.notify("gk_access", str(actor.org))
            tx.audit(
                "setup.everyone",
                resource=("org", actor.org),
                before=before.name if before else None,
                after=role.name if role else None,
            )
        return left


async def must_be_trusted_with(tx: Tx, purpose: str) -> None:
    """Where the audit log and its seals go is said by those only who may change what guards the org: they are there to
    be read by others than those whom they are about."""
    if purpose == "audit":
        await tx.require("security.config")


def checked_purpose(purpose: str) -> None:
    """Refuses a purpose that there is none of.

    Raises:
        Invalid: with those that there are.
    """
    if purpose not in PURPOSES:
        raise Invalid("There is no such purpose.", f"Purposes: {', '.join(PURPOSES)}.")


async def _say(tx: Tx, purpose: str, channel_id: int, event: str, payload: dict[str, str]) -> None:
    reference = tx.actor.invocation.reference if tx.actor.invocation else clock.now().isoformat()
    await post(
        tx.session,
        org_id=tx.actor.org,
        channel_id=channel_id,
        event_type=event,
        payload=payload,
        dedupe_key=f"{event}:{purpose}:{reference}",
    )
    await tx.notify(NOTIFY)
