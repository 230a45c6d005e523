"""Turns what an interaction carries into an `Actor`, keeps orgs and users, writes the rows of look-ups."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bot import clock
from bot.domain.access import Grants
from bot.domain.actors import Actor, Caller, Invocation, system
from bot.errors import AlreadyHandled, NotPermitted
from db.engine import Database
from db.groups import GroupWriter
from db.queries import access, audit_write, identity
from db.queries.audit_write import Row
from db.seed import ensure_rules, instantiate_presets

CACHE_SECONDS = 30.0


@dataclass(frozen=True)
class _Known:
    until: float
    org_id: UUID
    user_id: UUID
    grants: Grants

    def holds(self, now: datetime) -> bool:
        """Not too old, and nothing of it has ended since."""
        ends = self.grants.ends()
        return time.monotonic() < self.until and (ends is None or now < ends)


class Identity:
    """Actors for the gate. What they are granted is kept for 30 s, or until the first of it ends; NOTIFY `gk_access`
    empties it earlier. Break-glass comes with each interaction and is not kept."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows = GroupWriter(self._write)
        self._known: dict[tuple[int, int, frozenset[int], str], _Known] = {}
        self._changes = 0
        """How often something was forgotten: what was read before the last time is out of date."""

    def forget(self, org_id: str = "") -> None:
        """Drops cached grants, of one org or of all; called on NOTIFY and after a reconnect."""
        self._changes += 1
        if not org_id:
            self._known.clear()
        self._known = {key: known for key, known in self._known.items() if str(known.org_id) != org_id}

    async def actor(self, caller: Caller, invocation: Invocation | None) -> Actor:
        """The actor of an interaction. Makes the org and the user at their first interaction."""
        if caller.guild_id is None:
            return await self._alone(caller, invocation)
        now = clock.now()
        known = await self._grants(caller, caller.guild_id, now)
        return Actor(
            type="user",
            name=caller.display_name,
            org_id=known.org_id,
            guild_id=caller.guild_id,
            channel_id=caller.channel_id,
            user_id=known.user_id,
            discord_id=caller.user_id,
            role_ids=caller.role_ids,
            discord_permissions=caller.discord_permissions,
            grants=Grants(break_glass=True) if caller.administrator else known.grants,
            at=now,
            invocation=invocation,
        )

    async def _grants(self, caller: Caller, guild_id: int, now: datetime) -> _Known:
        key = (guild_id, caller.user_id, caller.role_ids, caller.username)
        known = self._known.get(key)
        if known is None or not known.holds(now):
            changes = self._changes
            known = await self._look_up(caller, guild_id, now)
            if len(self._known) > 10_000:
                self._known.clear()
            if changes == self._changes:
                self._known[key] = known
        return known

    async def _alone(self, caller: Caller, invocation: Invocation | None) -> Actor:
        async with self._db.uow(system("identity")) as tx:
            user_id = await identity.upsert_user(tx.session, caller, clock.now())
        return Actor(
            type="user",
            name=caller.display_name,
            channel_id=caller.channel_id,
            user_id=user_id,
            discord_id=caller.user_id,
            invocation=invocation,
        )

    async def _look_up(self, caller: Caller, guild_id: int, now: datetime) -> _Known:
        until = time.monotonic() + CACHE_SECONDS
        async with self._db.read() as session:
            found = await identity.find(session, caller)
            if found and found.fresh and found.user_id:
                grants = await access.load(session, found.org_id, found.user_id, caller.role_ids, now=now)
                return _Known(until, found.org_id, found.user_id, grants)
        org_id = await self.guild_joined(guild_id, caller.guild_name, caller.guild_owner_id)
        async with self._db.uow(system("identity")) as tx:
            user_id = await identity.upsert_user(tx.session, caller, now)
            await identity.upsert_member(tx.session, org_id, user_id, now)
            grants = await access.load(tx.session, org_id, user_id, caller.role_ids, now=now)
        return _Known(until, org_id, user_id, grants)

    async def guild_joined(self, guild_id: int, name: str, owner_id: int | None) -> UUID:
        """The guild's org; a new one gets the presets, and @everyone is bound to `player`. Idempotent."""
        async with self._db.uow(system("guild.join")) as tx:
            org_id, created = await identity.upsert_org(tx.session, guild_id, name, owner_id, clock.now())
            if created:
                await instantiate_presets(tx.session, org_id)
                await identity.bind_everyone(tx.session, org_id, guild_id, clock.now())
                await ensure_rules(tx.session, org_id)
                tx.actor = system("guild.join", org_id)
                tx.audit("org.join", resource=("org", org_id), guild=name)
        return org_id

    async def guild_left(self, guild_id: int) -> None:
        """The bot was removed: the org's data is kept for 30 days, in case it comes back."""
        async with self._db.uow(system("guild.leave")) as tx:
            org_id = await identity.org_left(tx.session, guild_id, clock.now())
            if org_id:
                tx.actor = system("guild.leave", org_id)
                tx.audit("org.leave", resource=("org", org_id))

    async def guilds_present(
        self, guilds: Collection[tuple[int, str, int | None]], shards: int, held: Collection[int]
    ) -> None:
        """After connecting: orgs for guilds (id, name, owner) that came while the bot was down, and whoever removed it
        then has left. One look for all of them: there may be thousands."""
        async with self._db.read() as session:
            stale = await identity.stale_guilds(session, guilds)
            gone = await identity.guilds_gone(session, [guild[0] for guild in guilds], shards, held)
        for guild_id, name, owner_id in stale:
            await self.guild_joined(guild_id, name, owner_id)
        for guild_id in gone:
            await self.guild_left(guild_id)

    async def refusal(self, actor: Actor, permission: str, server_id: UUID | None = None) -> NotPermitted:
        """Why they may not, and what to ask for."""
        if actor.org_id is None:
            return NotPermitted(permission)
        decision = actor.grants.decide(permission, server_id, actor.at)
        async with self._db.read() as session:
            return await access.refusal(session, actor.org_id, permission, decision)

    async def record(
        self, actor: Actor, action: str, outcome: Literal["success", "denied", "failed"], error: str | None
    ) -> None:
        """The audit row of an interaction that changed nothing: a look-up, a refusal, an error.

        Raises:
            AlreadyHandled: another delivery of the interaction has its row already.
        """
        row = audit_write.row_of(actor, action, outcome, resource=("command", None), details={}, error=error)
        if not await self._rows.add(row):
            raise AlreadyHandled
        if actor.invocation:
            actor.invocation.recorded = True

    async def _write(self, rows: Sequence[Row]) -> list[bool]:
        async with self._db.statement() as session:
            return await audit_write.write_many(session, rows)
