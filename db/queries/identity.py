"""Orgs, users and memberships: found or made when a guild or a person turns up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import Caller

_FIND = text("""/* identity.find */
    select o.id as org_id, u.id as user_id,
           (u.id is not null and u.username = :username and u.display_name is not distinct from :display
            and o.name = :guild_name and o.owner_discord_id is not distinct from :owner and o.status = 'active'
            and exists (select 1 from user_orgs m where m.org_id = o.id and m.user_id = u.id)) as fresh
      from orgs o left join users u on u.discord_user_id = :user where o.discord_guild_id = :guild""")

_ORG = text("""/* identity.upsert_org */
    insert into orgs (discord_guild_id, name, owner_discord_id, status, created_at, updated_at)
    values (:guild, :name, :owner, 'active', :now, :now)
    on conflict (discord_guild_id) do update set name = excluded.name, status = 'active', left_at = null,
        owner_discord_id = coalesce(excluded.owner_discord_id, orgs.owner_discord_id), updated_at = excluded.updated_at
    returning id, (xmax = 0) as created""")

_USER = text("""/* identity.upsert_user */
    insert into users (discord_user_id, username, display_name, created_at, updated_at)
    values (:user, :username, :display, :now, :now)
    on conflict (discord_user_id) do update set username = excluded.username, display_name = excluded.display_name,
        updated_at = excluded.updated_at
    returning id""")

_MEMBER = text("""/* identity.upsert_member */
    insert into user_orgs (user_id, org_id, created_at, last_seen_at) values (:user, :org, :now, :now)
    on conflict (user_id, org_id) do update set last_seen_at = excluded.last_seen_at""")

_EVERYONE = text("""/* identity.bind_everyone */
    insert into role_bindings (org_id, discord_role_id, role_id, created_at)
    select :org, :guild, r.id, :now from roles r where r.org_id = :org and r.name = 'player'
    on conflict do nothing""")

_LEFT = text("""/* identity.org_left */
    update orgs set status = 'left', left_at = :now, updated_at = :now
     where discord_guild_id = :guild and status = 'active' returning id""")

_STALE = text("""/* identity.stale_guilds */
    select g.id, g.name, nullif(g.owner, 0) as owner
      from unnest(cast(:ids as bigint[]), cast(:names as text[]), cast(:owners as bigint[])) as g(id, name, owner)
      left join orgs o on o.discord_guild_id = g.id
     where o.id is null or o.status <> 'active' or o.name <> g.name
        or g.owner <> 0 and o.owner_discord_id is distinct from g.owner""")

_GONE = text("""/* identity.guilds_gone */
    select discord_guild_id from orgs
     where status = 'active' and discord_guild_id <> all(cast(:guilds as bigint[]))
       and (discord_guild_id >> 22) % :shards = any(cast(:held as bigint[])) order by 1""")


@dataclass(frozen=True)
class Found:
    """Ids of a caller's org and user; `fresh` when nothing has to be written."""

    org_id: UUID
    user_id: UUID | None
    fresh: bool


async def find(session: AsyncSession, caller: Caller) -> Found | None:
    """The caller's org and user, in one round trip; None where the guild is not known yet."""
    row = (
        await session.execute(
            _FIND,
            {
                "guild": caller.guild_id,
                "guild_name": caller.guild_name,
                "owner": caller.guild_owner_id,
                "user": caller.user_id,
                "username": caller.username,
                "display": caller.display_name,
            },
        )
    ).one_or_none()
    return None if row is None else Found(row.org_id, row.user_id, row.fresh)


async def upsert_org(
    session: AsyncSession, guild_id: int, name: str, owner_id: int | None, now: datetime
) -> tuple[UUID, bool]:
    """The org of a guild, and whether it is new."""
    row = (await session.execute(_ORG, {"guild": guild_id, "name": name, "owner": owner_id, "now": now})).one()
    return row.id, row.created


async def upsert_user(session: AsyncSession, caller: Caller, now: datetime) -> UUID:
    values = {"user": caller.user_id, "username": caller.username, "display": caller.display_name, "now": now}
    return (await session.execute(_USER, values)).scalar_one()


async def upsert_member(session: AsyncSession, org_id: UUID, user_id: UUID, now: datetime) -> None:
    await session.execute(_MEMBER, {"org": org_id, "user": user_id, "now": now})


async def bind_everyone(session: AsyncSession, org_id: UUID, guild_id: int, now: datetime) -> None:
    """@everyone (whose role id is the guild's id) gets the player preset, until the owner says otherwise."""
    await session.execute(_EVERYONE, {"org": org_id, "guild": guild_id, "now": now})


async def org_left(session: AsyncSession, guild_id: int, now: datetime) -> UUID | None:
    return (await session.execute(_LEFT, {"guild": guild_id, "now": now})).scalar_one_or_none()


async def stale_guilds(
    session: AsyncSession, guilds: Collection[tuple[int, str, int | None]]
) -> list[tuple[int, str, int | None]]:
    """Those of the guilds whose org is missing, left, or has another name or owner."""
    values = {
        "ids": [guild[0] for guild in guilds],
        "names": [guild[1] for guild in guilds],
        "owners": [guild[2] or 0 for guild in guilds],
    }
    return [(row.id, row.name, row.owner) for row in await session.execute(_STALE, values)]


async def guilds_gone(
    session: AsyncSession, guild_ids: Collection[int], shards: int, held: Collection[int]
) -> list[int]:
    """Guilds of the held shards that are not among `guild_ids`: the bot was removed from them while it was down."""
    values = {"guilds": sorted(guild_ids), "shards": shards, "held": sorted(held)}
    return list((await session.execute(_GONE, values)).scalars())
