"""What is kept about a person, to be handed out and to be forgotten; in one org, or in every one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every, one

_HERE: Final = "(cast(:org as uuid) is null or {table}.org_id = :org)"

_COUNTS: Final = "(x.expires_at is null or x.expires_at > :now)"

_PROFILE = text("""/* privacy.profile */
    select discord_user_id as discord_id, username, display_name, notify, created_at from users where id = :user""")

_ORGS = text(f"""/* privacy.orgs */
    select m.org_id as id, o.name, o.discord_guild_id as guild_id, r.name as role, m.created_at as since, m.last_seen_at
      from user_orgs m join orgs o on o.id = m.org_id left join roles r on r.id = m.role_id
     where m.user_id = :user and {_HERE.format(table="m")} order by m.created_at, m.org_id""")

_SERVER_ROLES = text(f"""/* privacy.server_roles */
    select x.org_id, s.name as server, r.name as role, x.granted_at, x.expires_at
      from user_server_roles x join roles r on r.id = x.role_id join server_instances s on s.id = x.server_instance_id
     where x.user_id = :user and {_HERE.format(table="x")} order by x.granted_at, s.id""")

_EXCEPTIONS = text(f"""/* privacy.exceptions */
    select x.org_id, p.name as permission, s.name as server, x.granted as allowed, x.reason, x.granted_at, x.expires_at
      from user_permissions x join permissions p on p.id = x.permission_id
      left join server_instances s on s.id = x.server_instance_id
     where x.user_id = :user and {_HERE.format(table="x")} order by x.granted_at, x.id""")

_PLAYERS = text(f"""/* privacy.players */
    select p.id, p.org_id, p.name, p.first_seen_at, p.last_seen_at,
           coalesce((select jsonb_agg(jsonb_build_object('name', n.name, 'lastSeenAt', n.last_seen_at) order by n.name)
                       from player_names n where n.player_id = p.id), '[]') as names,
           coalesce((select jsonb_agg(jsonb_build_object('kind', i.kind, 'value', i.value) order by i.kind, i.value)
                       from player_identities i where i.player_id = p.id and i.kind <> 'ip'), '[]') as identities
      from players p where p.user_id = :user and {_HERE.format(table="p")} order by p.first_seen_at, p.id""")

_SESSIONS = text(f"""/* privacy.sessions */
    select se.id, se.org_id, p.name as player, s.name as server, se.started_at, se.ended_at
      from players p join player_sessions se on se.player_id = p.id join server_instances s on s.id = se.server_instance_id
     where p.user_id = :user and {_HERE.format(table="p")} and se.id > :after order by se.id limit :limit""")

_QUESTIONS = text(f"""/* privacy.questions */
    select c.org_id, c.action, c.created_at, c.expires_at, c.consumed_at from pending_confirmations c
     where c.user_id = :user and {_HERE.format(table="c")} order by c.created_at, c.id""")

# Whoever uses the bot in this moment waits for the end, and is somebody new then.
_LOCK = text("/* privacy.lock */ select id from users where id = :user and discord_user_id = :discord for update")

# Before the person, and in one order, like everybody who changes rights.
_LOCK_ORGS = text("""/* privacy.lock_orgs */
    select id from orgs where id = any(cast(:orgs as uuid[])) order by id for no key update""")

_FOOTPRINT = text(f"""/* privacy.footprint */
    select o.id, o.name, o.owner_discord_id is not distinct from cast(:discord as bigint) as owned, r.name as role,
           (select count(*) from user_permissions x where x.user_id = :user and x.org_id = o.id and x.granted) as exceptions,
           (select count(*) from user_permissions x
             where x.user_id = :user and x.org_id = o.id and not x.granted and {_COUNTS}) as denials,
           (select count(*) from user_server_roles x where x.user_id = :user and x.org_id = o.id and {_COUNTS}) as server_roles,
           (select count(*) from pending_confirmations c where c.user_id = :user and c.org_id = o.id) as questions,
           array(select p.name from players p where p.user_id = :user and p.org_id = o.id order by p.name limit 20) as players,
           o.audit_retention_days as audit_days
      from orgs o left join user_orgs m on m.org_id = o.id and m.user_id = :user left join roles r on r.id = m.role_id
     where o.id in (select org_id from user_orgs where user_id = :user
                    union select org_id from user_permissions where user_id = :user
                    union select org_id from user_server_roles where user_id = :user
                    union select org_id from players where user_id = :user)
     order by lower(o.name), o.id""")

_FORGET: Final = tuple(
    text(f"/* privacy.forget_{table} */ {statement}")
    for table, statement in {
        "questions": "delete from pending_confirmations where user_id = :user",
        "exceptions": f"delete from user_permissions x where x.user_id = :user and (x.granted or not {_COUNTS})",
        "server_roles": f"delete from user_server_roles x where x.user_id = :user and not {_COUNTS}",
        "orgs": "delete from user_orgs where user_id = :user",
        # who typed a code in the game proved that they are this player; without the link that says nothing any more
        "proofs": """update player_identities i set verified_at = null
                       from players p where p.user_id = :user and p.id = i.player_id and i.verified_at is not null""",
        "players": "update players set user_id = null where user_id = :user",
        "user": """update users set discord_user_id = null, username = 'deleted', display_name = null, notify = '{}',
                          forgotten_at = :now, updated_at = :now where id = :user""",
    }.items()
)

# What was not given but taken from somebody: whoever has their Discord account next is held back by it as before.
_HEIR: Final = text("""/* privacy.heir */
    insert into users (discord_user_id, username, created_at, updated_at)
    select :discord, 'deleted', :now, :now
     where exists (select 1 from user_permissions where user_id = :user)
        or exists (select 1 from user_server_roles where user_id = :user) returning id""")
_PASS_ON: Final = tuple(
    text(f"/* privacy.pass_on_{name} */ update {table} set user_id = :heir where user_id = :user")
    for name, table in {"denials": "user_permissions", "server_roles": "user_server_roles"}.items()
)


@dataclass(frozen=True)
class Footprint:
    """What an org keeps of a person."""

    id: UUID
    name: str
    owned: bool
    """They own its Discord server."""
    role: str | None
    exceptions: int
    """By which they were given something; they go."""
    denials: int
    """Exceptions by which something was taken from them; they stay."""
    server_roles: int
    """Roles that take the place of others on a server, for better or worse; they stay."""
    questions: int
    players: list[str]
    audit_days: int
    """How long its audit log keeps rows."""


@dataclass(frozen=True)
class Stay:
    """Once on a server."""

    id: int
    org_id: UUID
    player: str
    server: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Profile:
    """What the bot knows of a Discord account."""

    discord_id: int | None
    username: str
    display_name: str | None
    notify: dict[str, Any]
    created_at: datetime


async def profile(session: AsyncSession, user_id: UUID) -> Profile | None:
    return one(Profile, await session.execute(_PROFILE, {"user": user_id}))


#: Part of an export -> the statement that lists it.
_PARTS: Final = {
    "communities": _ORGS,
    "serverRoles": _SERVER_ROLES,
    "exceptions": _EXCEPTIONS,
    "players": _PLAYERS,
    "confirmations": _QUESTIONS,
}
PARTS: Final = tuple(_PARTS)


async def part(session: AsyncSession, name: str, user_id: UUID, org_id: UUID | None) -> list[dict[str, Any]]:
    """One of the short lists (`PARTS`), of one org or of all."""
    found = await session.execute(_PARTS[name], {"user": user_id, "org": org_id})
    return [dict(row) for row in found.mappings()]


async def stays(session: AsyncSession, user_id: UUID, org_id: UUID | None, *, after: int, limit: int) -> list[Stay]:
    """Sessions of the linked players, oldest first, from an id on."""
    values = {"user": user_id, "org": org_id, "after": after, "limit": limit}
    return every(Stay, await session.execute(_SESSIONS, values))


async def footprint(session: AsyncSession, user_id: UUID, discord_id: int, now: datetime) -> list[Footprint]:
    """What each org keeps of a person."""
    values = {"user": user_id, "discord": discord_id, "now": now}
    return every(Footprint, await session.execute(_FOOTPRINT, values))


async def lock(session: AsyncSession, user_id: UUID, discord_id: int) -> bool:
    """Takes the person for good, or False: they were forgotten meanwhile."""
    found = await session.execute(_LOCK, {"user": user_id, "discord": discord_id})
    return found.scalar_one_or_none() is not None


async def lock_orgs(session: AsyncSession, orgs: list[UUID]) -> None:
    """Of several who change rights in an org, one sees what the other did."""
    await session.execute(_LOCK_ORGS, {"orgs": orgs})


async def forget(session: AsyncSession, user_id: UUID, discord_id: int, now: datetime) -> None:
    """Takes away what leads to a person. What they did stays, as somebody's who was deleted; what holds them back stays
    with their Discord account, or else whoever is held back would ask to be forgotten."""
    values = {"user": user_id, "now": now}
    for statement in _FORGET:
        await session.execute(statement, values)
    heir = await session.scalar(_HEIR, {**values, "discord": discord_id})
    if heir is not None:
        for statement in _PASS_ON:
            await session.execute(statement, {"user": user_id, "heir": heir})
