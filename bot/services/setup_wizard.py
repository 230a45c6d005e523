"""`/setup start`: what each step shows, and what they need of Discord: its roles, and channels made on demand."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain import role_map, zones_likely
from bot.domain.actors import Actor
from bot.domain.role_map import Role
from bot.domain.setup import Step, first_open
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable
from bot.services.guilds import ChannelPlan, Guilds, GuildView
from bot.services.leases import Leases
from bot.services.panels import must_be_postable
from bot.services.servers import must_see
from bot.services.setup import ASKED, Setup, checked_purpose, must_be_trusted_with
from db.engine import Database
from db.queries import access, hosts, setup
from db.queries.setup import ChannelChoice, PairingState

NEEDS: Final = {Step.ROLES: "users.edit", Step.HOST: "nodes.create", Step.SERVER: "servers.create"}
"""What a step needs besides `settings.edit`."""
OFFERS: Final = 5
"""Games on hosts that the step of the first server offers."""
_MAKING_SECONDS: Final = 15.0
"""How long a press that died keeps the next one from making a channel: longer than Discord is given for it."""

#: purpose -> what its channel is for, and the permission of those who see it; none: everyone reads, the bot writes.
_PLANS: Final = {
    "ops": ("What is being done to the servers, step by step", "jobs.view"),
    "alerts": ("What needs somebody's attention", "incidents.view"),
    "bans": ("Who was banned, and why", ""),
    "appeals": ("Who asks to be let back in", "bans.revoke"),
    "deployments": ("What was deployed where", "deployments.view"),
    "audit": ("Who did what", "audit.view"),
    "players": ("What players should know", ""),
}


@dataclass(frozen=True)
class Offer:
    """A game that a host which is there can run."""

    host_id: UUID
    host_name: str
    game: str
    game_name: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the card of one step shows."""

    step: Step
    done: frozenset[Step]
    lacking: str = ""
    """The permission without which the reader can do nothing here."""
    roles_with: Sequence[str] = ()
    """Who could, then."""
    zone: str
    zones: Sequence[str]
    roles: Sequence[Role]
    bound: dict[str, list[int]]
    """Preset -> Discord roles of the whole org that still exist, @everyone not among them."""
    gone: int = 0
    """Roles that are bound and that Discord does not have any more."""
    suggested: dict[str, list[int]]
    everyone: str
    """The role that @everyone has here; empty: none, and nobody sees servers without a role of ours."""
    channels: dict[str, int]
    disabled: dict[str, str]
    """Purpose -> why its channel was switched off."""
    hosts: int
    online: int
    servers: int
    pairing: PairingState | None
    """The last pairing command that the reader asked for."""
    offers: Sequence[Offer]

    @property
    def staff(self) -> bool:
        """Whether a Discord role is staff here."""
        return any(self.bound.get(preset) for preset in role_map.STAFF)


class Wizard:
    """Leads through the set-up. It keeps nothing in memory: any process can show any step."""

    def __init__(self, db: Database, guilds: Guilds, saving: Setup) -> None:
        self._db = db
        self._guilds = guilds
        self._setup = saving

    async def page(self, actor: Actor, step: Step | None = None) -> Page:
        """A step; None: the first one that is not done.

        Raises:
            NotPermitted: they may change settings only on single servers.
        """
        view = self._view(actor)
        async with self._db.read() as session:
            await must_see(session, actor, "settings.edit", None)
            state = await setup.state(session, actor.org)
            choices = await setup.channels(session, actor.org)
            bindings = await setup.bindings(session, actor.org)
            done = _done(state, choices, bindings)
            step = step or first_open(done)
            lacking = NEEDS.get(step, "")
            lacking = "" if not lacking or actor.may_on(lacking, None) else lacking
            known = {role.id for role in view.roles}
            bound = _staff(bindings, actor.guild_id, known)
            return Page(
                step=step,
                done=done,
                lacking=lacking,
                roles_with=await access.roles_with(session, actor.org, lacking) if lacking else (),
                zone=state.zone,
                zones=zones_likely.likely(view.locale, state.zone),
                roles=view.roles,
                bound=bound,
                gone=sum(role not in known for _, role in bindings),
                suggested={} if Step.ROLES.value in state.settled else role_map.suggested(view.roles, bound),
                everyone=next((name for name, role in bindings if role == actor.guild_id), ""),
                channels={one.purpose: one.discord_channel_id for one in choices if one.enabled},
                disabled={one.purpose: one.disabled_reason or "" for one in choices if not one.enabled},
                hosts=state.hosts,
                online=state.online,
                servers=state.servers,
                pairing=await setup.pairing(session, actor.org, actor.user_id) if step is Step.HOST else None,
                offers=await _offers(session, actor.org) if step is Step.SERVER else (),
            )

    async def use_suggested(self, actor: Actor, digest: str) -> str:
        """Binds the roles that were shown as suggested; a warning, or nothing.

        Raises:
            Conflict: the guild's roles have changed since, so that something else would be bound.
        """
        page = await self.page(actor, Step.ROLES)
        if not page.suggested or role_map.digest(page.suggested) != digest:
            raise _changed()
        return await self._setup.bind_all(actor, page.suggested)

    async def bind(self, actor: Actor, preset: str, roles: Sequence[int], shown: str | None = None) -> str:
        """Binds roles that somebody chose; a client can send any id. `shown`: the digest of those that were bound where
        they were chosen, so that nobody unknowingly undoes what somebody else has just done. A warning, or nothing.

        Raises:
            NotFound: no role of this guild.
            Conflict: others are bound by now.
        """
        known = {role.id for role in self._view(actor).roles}
        if not known.issuperset(roles):
            raise NotFound("There is no such role here.", "Choose one from the menu.")
        if shown is not None:
            async with self._db.read() as session:
                bound = _staff(await setup.bindings(session, actor.org), actor.guild_id, known)
            if role_map.digest({preset: bound.get(preset, [])}) != shown:
                raise _changed()
        return await self._setup.bind(actor, preset, roles)

    async def choose_channel(self, actor: Actor, purpose: str, channel_id: int) -> None:
        """Sends a purpose to a channel that somebody chose; a client can send any id.

        Raises:
            NotFound: no text channel of this guild.
            Invalid: the bot may not write there, or there is no such purpose.
        """
        checked_purpose(purpose)
        where = self._guilds.where(actor.guild_id or 0, channel_id)
        if where is None:
            raise NotFound("There is no such text channel here.", "Choose one from the menu.")
        must_be_postable(where)
        await self._setup.set_channel(actor, purpose, channel_id)

    async def must_be_paired(self, actor: Actor) -> None:
        """Refuses as long as the reader's last pairing command waits for its host: the card that shows it has to stay.

        Raises:
            Conflict: the host has not connected yet.
        """
        async with self._db.read() as session:
            pairing = await setup.pairing(session, actor.org, actor.user_id)
        if pairing and pairing.good and not (pairing.used and pairing.online):
            remedy = "start the agent with `gamekeeper-agent run`" if pairing.used else "run the command on the machine"
            raise Conflict(f"{safe(pairing.name)} has not connected yet.", f"Now {remedy}, then press Refresh again.")

    async def make_channel(self, actor: Actor, purpose: str) -> None:
        """Makes a text channel for a purpose and sends it there. Pressing twice makes one.

        Discord is asked between two transactions, under a lease: of two presses at the same time one waits for
        nothing and is told. A channel whose maker died before it was written down is found by its topic.

        Raises:
            Invalid, Conflict, Unavailable: the bot may not, somebody is at it, or Discord does not answer.
        """
        checked_purpose(purpose)
        lease = Leases(self._db, secrets.token_hex(8), seconds=_MAKING_SECONDS)
        duty = f"setup.channel:{actor.org.hex}:{purpose}"
        plan = await self._plan(actor, purpose)
        if await lease.take(duty) is None:
            raise Conflict("This channel is being made already.", "Press Refresh in a moment.")
        try:
            if await self._is_there(actor, purpose):
                return
            made = await self._guilds.make_channel(actor.guild_id or 0, plan)
            await self._setup.set_channel(actor, purpose, made, made=True)
        finally:
            await lease.release(duty)

    async def _plan(self, actor: Actor, purpose: str) -> ChannelPlan:
        if not self._view(actor).may_make_channels:
            raise Invalid(
                "I may not make channels here.",
                "Give my role Manage Channels (Server Settings, Roles), or choose a channel that is there.",
            )
        topic, permission = _PLANS[purpose]
        async with self._db.uow(actor) as tx:
            await tx.require("settings.edit")
            await must_be_trusted_with(tx, purpose)
            readers = await setup.readers(tx.session, actor.org, permission) if permission else None
        return ChannelPlan(purpose, f"Gamekeeper · {topic}", readers, f"/setup start, asked for by {actor.name}")

    async def _is_there(self, actor: Actor, purpose: str) -> bool:
        """Whether the purpose has a channel by now that exists in Discord."""
        async with self._db.read() as session:
            choices = await setup.channels(session, actor.org)
        live = {one.purpose: one.discord_channel_id for one in choices if one.enabled}
        return live.get(purpose) in self._view(actor).channels

    def _view(self, actor: Actor) -> GuildView:
        view = self._guilds.look(actor.guild_id or 0)
        if view is None:
            raise Unavailable("Discord does not tell me about this server now.", "Try again in a minute.")
        return view


def must_be_able(actor: Actor, step: Step) -> None:
    """Refuses who cannot do what a step does: for forms, which are opened before anything is changed.

    Raises:
        NotPermitted.
    """
    if not actor.may_on(NEEDS[step], None):
        raise NotPermitted(NEEDS[step])


def _changed() -> Conflict:
    return Conflict("The roles have changed meanwhile.", "Press Refresh and look again; nothing was changed.")


def _done(state: setup.State, choices: Sequence[ChannelChoice], bindings: Sequence[tuple[str, int]]) -> frozenset[Step]:
    there = {one.purpose for one in choices if one.enabled}
    facts = {
        Step.ZONE: state.zone != "UTC",
        Step.ROLES: any(preset in role_map.STAFF for preset, _ in bindings),
        Step.CHANNELS: there.issuperset(ASKED),
        Step.HOST: state.hosts > 0,
        Step.SERVER: state.servers > 0,
    }
    return frozenset(step for step in Step if facts.get(step) or step.value in state.settled)


def _staff(bindings: Sequence[tuple[str, int]], everyone: int | None, known: set[int]) -> dict[str, list[int]]:
    bound: dict[str, list[int]] = {}
    for preset, role in bindings:
        if role != everyone and role in known:
            bound.setdefault(preset, []).append(role)
    return bound


async def _offers(session: AsyncSession, org_id: UUID) -> list[Offer]:
    known = await hosts.cards(session, org_id, limit=25)
    found = [
        Offer(host.id, host.name, report["id"], report["name"])
        for host in known
        if host.online and host.key_prefix
        for report in host.games
    ]
    return found[:OFFERS]
