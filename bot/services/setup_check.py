"""`/setup check`: gathers what is known about every prerequisite, here and in Discord, and has it judged."""

import asyncio
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from bot import clock
from bot.domain import checks_access, checks_commands, checks_discord, checks_hosts, checks_inside, checks_replicas
from bot.domain.actors import Actor
from bot.domain.checks import Finding, Topic
from bot.domain.checks_access import AuditFacts
from bot.domain.checks_discord import Binding, GuildFacts, Target
from bot.domain.checks_hosts import HostFact
from bot.domain.checks_inside import DatabaseFacts, FailedTick, OutboxFacts, Slow, StuckJob, TickFact
from bot.domain.checks_replicas import ReplicaFact
from bot.services.replicas import replicas_of
from bot.services.servers import must_see
from bot.services.tick_facts import TickFacts
from db import migrate, timing
from db.engine import Database
from db.queries import checks, operations
from db.session import Session

_FAILURES: Final = timedelta(hours=1)
_SLOWEST: Final = 5
_PINGS: Final = 3
"""Round trips to the database, of which the fastest counts: the others had to wait for somebody else's turn."""


class Discord(Protocol):
    """What Discord says of a guild, and what it does there for us."""

    async def facts(self, guild_id: int, channels: Collection[int]) -> GuildFacts | None:
        """The guild, of its channels these. None: this process is not connected to it."""
        ...

    async def let_in(self, guild_id: int, channel_id: int, reason: str) -> None:
        """Gives the bot the rights in a channel that it needs there; `reason` is for Discord's own audit log.

        Raises:
            NotFound, Invalid, Unavailable: the channel is gone, or Discord refuses, or does not answer.
        """
        ...

    async def register(self) -> None:
        """Registers the commands of this version.

        Raises:
            Invalid, Unavailable: Discord refuses, or does not answer.
        """
        ...


class Duties(Protocol):
    """What this process does from time to time."""

    def facts(self) -> Sequence[TickFact]: ...

    async def do(self, name: str) -> bool:
        """Does one now; False where it failed, or has not ended within some seconds.

        Raises:
            KeyError: there is none of this name.
        """
        ...


@dataclass(frozen=True)
class Process:
    """What a process knows of itself."""

    version: str
    embedded: bool
    """It brings its own database."""
    data_dir: Path
    shards: int
    roles: Sequence[str] = ()
    """All that a process may have."""
    duties: Sequence[str] = ()
    """All that a process may lead."""


@dataclass(frozen=True)
class _Known:
    """What the database says."""

    targets: Sequence[Target]
    bindings: Sequence[Binding]
    leads: int
    audit: AuditFacts
    hosts: Sequence[HostFact]
    outbox: OutboxFacts
    stuck: Sequence[StuckJob]
    failed: Sequence[FailedTick]
    elsewhere: Sequence[TickFact]
    replicas: Sequence[ReplicaFact]
    database: DatabaseFacts


class SetupCheck:
    """Looks at everything that has to be right. Changes nothing."""

    def __init__(self, db: Database, discord: Discord, duties: Callable[[], Duties], process: Process) -> None:
        self._db = db
        self._discord = discord
        self._duties = duties
        self._process = process
        self._told = TickFacts(db)
        self._revisions = migrate.revisions()  # of what runs here: a new version may be on the disk already

    async def look(self, actor: Actor) -> list[Finding]:
        """Every prerequisite, as it is now.

        Raises:
            NotPermitted: they may look after single servers only.
        """
        known = await self._known(actor)
        guild = None
        if actor.guild_id is not None:
            guild = await self._discord.facts(actor.guild_id, {target.channel_id for target in known.targets})
        free = await asyncio.to_thread(_free, self._process.data_dir)
        return [*_of_guild(guild, known), *_of_bot(known, self._process, self._duties().facts(), free)]

    async def _known(self, actor: Actor) -> _Known:
        now, org = clock.now(), actor.org
        async with self._db.read() as session:
            await must_see(session, actor, "monitoring.view", None)
            return _Known(
                await checks.targets(session, org),
                await checks.bindings(session, org),
                await checks.explicit_leads(session, org),
                await checks.audit(session, org),
                await checks.hosts(session, org),
                await checks.outbox(session, org, now),
                await checks.stuck_jobs(session, org, now - checks_inside.JOB_WAITS_LONG),
                await checks.failed_ticks(session, now - _FAILURES),
                await self._told.known(),
                replicas_of(await operations.leases(session)),
                await self._database(session),
            )

    async def _database(self, session: Session) -> DatabaseFacts:
        round_trip = min([await _round_trip(session) for _ in range(_PINGS)])
        server, asked = await checks.server(session), clock.now()
        return DatabaseFacts(
            version=server.version.split()[0],
            embedded=self._process.embedded,
            bytes=server.bytes,
            connections=server.connections,
            most_connections=server.most_connections,
            round_trip_ms=round_trip * 1000,
            skew_sec=(asked - server.now).total_seconds() - round_trip / 2,
            revision=server.revision,
            revisions=self._revisions,
            slow=[Slow(one.name, one.times, one.worst_ms) for one in timing.slowest(_SLOWEST)],
            orphaned=await checks.orphaned(
                session, [*self._process.duties, *(f"shard:{shard}" for shard in range(self._process.shards))]
            ),
        )


def _of_guild(guild: GuildFacts | None, known: _Known) -> list[Finding]:
    found = list(checks_access.roles(guild, known.bindings, known.leads))
    if guild is None:
        return [checks_discord.unknown(Topic.BOT, "anything about this server"), *found]
    return [
        *checks_discord.the_bot(guild),
        *checks_discord.places(guild, known.targets),
        *checks_commands.commands(guild, known.bindings),
        *found,
    ]


def _of_bot(known: _Known, process: Process, ticks: Sequence[TickFact], free: int | None) -> list[Finding]:
    now = clock.now()
    return [
        *checks_access.audit(known.audit, now),
        *checks_hosts.hosts(known.hosts, process.version, now),
        *checks_inside.messages(known.outbox, known.stuck, now),
        *checks_inside.work(_all_ticks(known.elsewhere, ticks), known.failed, now),
        *checks_replicas.replicas(known.replicas, process.roles, process.duties),
        *checks_inside.database(known.database, free),
    ]


def _all_ticks(told: Sequence[TickFact], own: Sequence[TickFact]) -> list[TickFact]:
    """What this process leads it knows best."""
    known = {one.name for one in own}
    return [*own, *(one for one in told if one.name not in known)]


async def _round_trip(session: Session) -> float:
    began = time.perf_counter()
    await checks.ping(session)
    return time.perf_counter() - began


def _free(place: Path) -> int | None:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None
