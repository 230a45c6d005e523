"""How agents prove who they are: pairing tokens and keys. Their expiry is compared with PostgreSQL's now()."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

_TOKEN = text("""/* agents.token */
    insert into pairing_tokens (org_id, token_hash, host_name, host_id, expires_at, created_by_id, created_at)
    values (:org, :hash, :name, cast(:host as uuid), now() + make_interval(secs => :seconds), cast(:by as uuid), :now)
    returning expires_at""")

# The one statement that decides: of any number of uses at once, one gets the row.
_USE_TOKEN = text("""/* agents.use_token */
    update pairing_tokens t set used_at = now() from orgs o
     where t.token_hash = any(:hashes) and t.used_at is null and t.expires_at > now() and o.id = t.org_id
       and (t.host_id is null or exists (select 1 from hosts h where h.id = t.host_id and h.deleted_at is null))
    returning t.id, t.org_id, o.discord_guild_id as guild_id, t.host_name, t.host_id, t.created_by_id""")

_TOKEN_USED_BY = text("/* agents.token_used_by */ update pairing_tokens set used_by_host_id = :host where id = :id")

_HOST = text("""/* agents.new_host */
    insert into hosts (org_id, name, hostname, ip_address, agent_version, games, resources, created_at, updated_at)
    values (:org, :name, :hostname, cast(cast(:ip as text) as inet), :version, :games, :resources, :now, :now)
    returning id""").bindparams(bindparam("games", type_=JSONB), bindparam("resources", type_=JSONB))

_HOST_AGAIN = text("""/* agents.host_again */
    update hosts set hostname = :hostname, ip_address = cast(cast(:ip as text) as inet), agent_version = :version,
           games = :games, resources = :resources, key_rotation_requested_at = null, updated_at = :now
     where id = :host returning name""").bindparams(
    bindparam("games", type_=JSONB), bindparam("resources", type_=JSONB)
)

_GAMES = text("""/* agents.new_games */
    insert into game_types (slug, name, capabilities, created_at)
    select g.id, left(g.name, 64), g.capabilities, :now
      from jsonb_to_recordset(:games) g(id text, name text, capabilities jsonb) order by g.id
    on conflict (slug) do nothing""").bindparams(bindparam("games", type_=JSONB))

_REVOKE = text("""/* agents.revoke_keys */
    update api_keys set revoked_at = :now, revoked_by_id = cast(:by as uuid)
     where org_id = :org and host_id = :host and kind = 'agent' and revoked_at is null returning key_prefix""")

_KEY = text("""/* agents.new_key */
    insert into api_keys (org_id, kind, name, key_prefix, key_hash, host_id, created_by_id, created_at, confirmed_at)
    values (:org, 'agent', :name, :prefix, :hash, :host, cast(:by as uuid), cast(:now as timestamptz),
            case when :confirmed then cast(:now as timestamptz) end)""")

_AUTHENTICATE = text("""/* agents.authenticate */
    select k.id as key_id, k.key_hash, k.key_prefix, k.confirmed_at is null as is_next, k.org_id,
           o.discord_guild_id as guild_id, h.id as host_id, h.name,
           k.last_used_at is null or k.last_used_at < cast(:now as timestamptz) - interval '1 minute' as stale,
           cardinality(k.allowed_cidrs) = 0
             or coalesce(cast(cast(:ip as text) as inet) <<= any(cast(k.allowed_cidrs as inet[])), false) as allowed
      from api_keys k join hosts h on h.id = k.host_id join orgs o on o.id = k.org_id
     where k.key_hash = any(:hashes) and k.kind = 'agent' and k.revoked_at is null
       and (k.expires_at is null or k.expires_at > now()) and h.deleted_at is null""")

_USED = text("/* agents.key_used */ update api_keys set last_used_at = :now where id = :key")

_DROP_NEXT = text("""/* agents.drop_next_key */
    delete from api_keys where host_id = :host and kind = 'agent' and confirmed_at is null and revoked_at is null""")

_RETIRE = text("""/* agents.retire_keys */
    update api_keys set expires_at = now() + make_interval(secs => :grace)
     where host_id = :host and kind = 'agent' and revoked_at is null and expires_at is null and confirmed_at is not null
       and exists (select 1 from api_keys n where n.id = :key and n.confirmed_at is null and n.revoked_at is null)""")

_CONFIRM = text("""/* agents.confirm_key */
    update api_keys set confirmed_at = :now, last_used_at = :now where id = :key and confirmed_at is null and revoked_at is null
    returning id""")

_ROTATED = text("/* agents.rotated */ update hosts set key_rotation_requested_at = null where id = :host")
_LOCK = text("/* agents.lock_host */ select id from hosts where id = :host for no key update")
_PENDING = text("""/* agents.rotation_pending */
    select 1 from hosts where id = :host and key_rotation_requested_at is not null and deleted_at is null
       for no key update""")


@dataclass(frozen=True)
class Token:
    """A pairing token that was just used up."""

    id: UUID
    org_id: UUID
    guild_id: int
    host_name: str
    host_id: UUID | None
    created_by_id: UUID | None


@dataclass(frozen=True)
class Key:
    """A live key and its host."""

    key_id: UUID
    key_hash: bytes
    key_prefix: str
    is_next: bool
    """The successor in a rotation, used for the first time."""
    org_id: UUID
    guild_id: int
    host_id: UUID
    name: str
    stale: bool
    """Its `last_used_at` is older than a minute."""
    allowed: bool
    """The address is one of those that the key is good for."""


async def new_token(
    session: AsyncSession,
    *,
    org_id: UUID,
    digest: bytes,
    name: str,
    host_id: UUID | None,
    seconds: float,
    by: UUID | None,
    now: datetime,
) -> datetime:
    """Writes a pairing token and returns when it expires."""
    values = {"org": org_id, "hash": digest, "name": name, "host": host_id, "seconds": seconds, "by": by, "now": now}
    return (await session.execute(_TOKEN, values)).scalar_one()


async def use_token(session: AsyncSession, digests: Sequence[bytes]) -> Token | None:
    """Uses a token up. None: wrong, used or expired; nobody is told which."""
    return one(Token, await session.execute(_USE_TOKEN, {"hashes": list(digests)}))


async def token_used_by(session: AsyncSession, token_id: UUID, host_id: UUID) -> None:
    await session.execute(_TOKEN_USED_BY, {"id": token_id, "host": host_id})


async def new_host(session: AsyncSession, values: dict[str, Any]) -> UUID:
    return (await session.execute(_HOST, values)).scalar_one()


async def host_again(session: AsyncSession, values: dict[str, Any]) -> str:
    """Updates a host that is paired again and returns its name."""
    return (await session.execute(_HOST_AGAIN, values)).scalar_one()


async def new_games(session: AsyncSession, games: Sequence[dict[str, Any]], now: datetime) -> None:
    """A row for every game that only a host knows."""
    if games:
        await session.execute(_GAMES, {"games": list(games), "now": now})


async def revoke_keys(session: AsyncSession, org_id: UUID, host_id: UUID, by: UUID | None, now: datetime) -> list[str]:
    """Ends every key of a host at once and returns their visible parts."""
    values = {"org": org_id, "host": host_id, "by": by, "now": now}
    return list((await session.execute(_REVOKE, values)).scalars())


async def new_key(
    session: AsyncSession,
    *,
    org_id: UUID,
    host_id: UUID,
    name: str,
    prefix: str,
    digest: bytes,
    confirmed: bool,
    by: UUID | None,
    now: datetime,
) -> None:
    values = {"org": org_id, "host": host_id, "name": name, "prefix": prefix, "hash": digest, "by": by, "now": now}
    await session.execute(_KEY, {**values, "confirmed": confirmed})


async def authenticate(session: AsyncSession, digests: Sequence[bytes], ip: str | None, now: datetime) -> Key | None:
    return one(Key, await session.execute(_AUTHENTICATE, {"hashes": list(digests), "ip": ip, "now": now}))


async def key_used(session: AsyncSession, key_id: UUID, now: datetime) -> None:
    await session.execute(_USED, {"key": key_id, "now": now})


async def rotation_pending(session: AsyncSession, host_id: UUID) -> bool:
    """Is a new key asked for? Holds the host, so that two heartbeats do not make one each."""
    return await session.scalar(_PENDING, {"host": host_id}) is not None


async def drop_next_key(session: AsyncSession, host_id: UUID) -> None:
    """Forgets a successor that its agent has never used."""
    await session.execute(_DROP_NEXT, {"host": host_id})


async def confirm_key(session: AsyncSession, host_id: UUID, key_id: UUID, grace_seconds: float, now: datetime) -> bool:
    """The successor was used: from now on it is the key, and the old one has its grace. False: it is so already."""
    await session.execute(_LOCK, {"host": host_id})
    # many requests bring the new key at once: only the first may retire what came before it
    await session.execute(_RETIRE, {"host": host_id, "key": key_id, "grace": grace_seconds})
    confirmed = (await session.execute(_CONFIRM, {"key": key_id, "now": now})).scalar_one_or_none()
    await session.execute(_ROTATED, {"host": host_id})
    return confirmed is not None
