"""A database as it is after set-up: communities with hosts, running servers and a moderator each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from agent import wire
from benchmarks import access
from benchmarks.guilds import Guild
from bot.domain.actors import system
from bot.services.agents import Agents, HostIdentity
from bot.services.hosts import Hosts
from bot.services.identity import Identity
from bot.services.secrets import SecretKeys
from bot.startup import prepare
from db.engine import Database

SERVER: Final = "EU1"

_FILL: Final = """
    with host as (
      insert into hosts (org_id, name, status, last_heartbeat_at, created_at, updated_at)
      values (:org, 'gs-1', 'online', now(), now(), now()) returning id)
    insert into server_instances (org_id, host_id, game_type_id, name, slug, status, created_at, updated_at)
    select :org, host.id, g.id, s.name, lower(s.name), 'running', now(), now()
      from host, game_types g, unnest(array['EU1', 'EU2', 'US1', 'US2', 'Test']) s(name) where g.slug = 'teeworlds'
    returning id"""

_SERVER: Final = """
    insert into server_instances (org_id, host_id, game_type_id, name, slug, status, created_at, updated_at)
    select :org, :host, g.id, 'Agent', 'agent', 'running', now(), now() from game_types g where g.slug = 'teeworlds'
    returning id"""

_JOBS: Final = """
    insert into jobs (org_id, number, server_instance_id, host_id, type, payload, not_before, created_at)
    select :org, n + coalesce((select max(number) from jobs where org_id = :org), 0), :server, :host, 'CONSOLE_COMMAND',
           '{"type"\\: "CONSOLE_COMMAND", "command"\\: "status"}', now(), now()
      from generate_series(1, :count) n"""


_ENDED: Final = """
    with done as (
      insert into jobs (org_id, number, server_instance_id, host_id, type, payload, status, not_before, created_at,
                        finished_at)
      select :org, 100000000 + n, :server, :host, 'CONSOLE_COMMAND',
             '{"type"\\: "CONSOLE_COMMAND", "command"\\: "status"}', 'success', at, at, at
        from generate_series(1, :count) n cross join lateral (select now() - n * interval '1 second' as at) t
      returning id, org_id, host_id, server_instance_id, created_at)
    insert into job_runs (org_id, job_id, host_id, server_instance_id, status, is_exclusive, lease_expires_at,
                          started_at, finished_at, created_at, output)
    select org_id, id, host_id, server_instance_id, 'success', false, created_at, created_at, created_at, created_at,
           'said'
      from done"""


@dataclass(frozen=True)
class Host:
    """A paired host with one server."""

    identity: HostIdentity
    key: str
    server_id: UUID
    channel_id: int

    @property
    def id(self) -> UUID:
        return self.identity.id

    @property
    def org_id(self) -> UUID:
        return self.identity.org_id


async def fill(url: str, guilds: Sequence[Guild]) -> None:
    """Migrates, seeds and writes the communities."""
    await prepare(url, may_migrate=True)
    db = _database(url)
    try:
        for guild in guilds:
            org_id = await Identity(db).guild_joined(guild.id, guild.name, guild.owner)
            async with db.uow(system("benchmark")) as tx:
                await tx.session.execute(text(_FILL), {"org": org_id})
                await access.settle(tx.session, org_id, guild)
        await _analyze(db)
    finally:
        await db.close()


async def paired(url: str, keys: SecretKeys, guilds: Sequence[Guild]) -> list[Host]:
    """A host for each community, paired as an agent does it."""
    db = _database(url)
    agents, hosts = Agents(db, keys), Hosts(db, keys)
    made: list[Host] = []
    try:
        for guild in guilds:
            org_id = await Identity(db).guild_joined(guild.id, guild.name, guild.owner)
            pairing = await hosts.add(system("benchmark", org_id), "agent")
            request = wire.PairRequest(token=pairing.token, hostname="bench", agent_version="1", games=[])
            key = (await agents.pair(request, None)).agent_key
            identity = await agents.authenticate(key, None)
            server_id = await _execute(db, _SERVER, org=org_id, host=identity.id)
            made.append(Host(identity, key, server_id, guild.channel))
    finally:
        await db.close()
    return made


async def queue_jobs(url: str, host: Host, count: int) -> None:
    """Puts console commands into a host's queue."""
    db = _database(url)
    try:
        values = {"org": host.org_id, "host": host.id, "server": host.server_id, "count": count}
        await _copy(db, _JOBS, **values)
        await _analyze(db)
    finally:
        await db.close()


async def ended_jobs(url: str, host: Host, count: int) -> None:
    """Puts jobs of the last days, each with its run, into a host's past."""
    db = _database(url)
    try:
        await _copy(db, _ENDED, org=host.org_id, host=host.id, server=host.server_id, count=count)
        await _analyze(db)
    finally:
        await db.close()


def _database(url: str) -> Database:
    return Database(url, role="migrations", pool_size=2)


async def _execute(db: Database, statement: str, **values: Any) -> Any:
    async with db.uow(system("benchmark")) as tx:
        return await tx.session.scalar(text(statement), values)


async def _copy(db: Database, statement: str, **values: Any) -> None:
    """Writes many rows whose keys are known to be right: looking each of them up would take minutes."""
    async with db.uow(system("benchmark")) as tx:
        await tx.session.execute(text("set local session_replication_role = replica"))
        await tx.session.execute(text("set local statement_timeout = 0"))
        await tx.session.execute(text(statement), values)


async def _analyze(db: Database) -> None:
    async with db.uow(system("benchmark")) as tx:
        await tx.session.execute(text("analyze"))
