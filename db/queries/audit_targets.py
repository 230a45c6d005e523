"""What an entry of the audit log can be about and somebody can look for: servers, hosts, players, members."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# Removed servers and hosts, too: what was done to them is still in the log.
_THINGS = """
    (select 'server' as kind, s.id, s.name, s.deleted_at is not null as gone from server_instances s
      where s.org_id = :org and {server} order by s.deleted_at is not null, lower(s.name) limit :limit)
    union all
    (select 'host', h.id, h.name, h.deleted_at is not null from hosts h
      where h.org_id = :org and {host} order by h.deleted_at is not null, lower(h.name) limit :limit)
    union all
    (select 'player', p.id, p.name, false from players p
      where p.org_id = :org and {player} order by p.last_seen_at desc limit :limit)
    union all
    (select 'user', u.id, coalesce(u.display_name, u.username), false from user_orgs m join users u on u.id = m.user_id
      where m.org_id = :org and {user} order by m.last_seen_at desc nulls last limit :limit)"""

_LIKE = {
    "server": "s.name ilike '%' || :words || '%'",
    "host": "h.name ilike '%' || :words || '%'",
    "player": "p.name ilike '%' || :words || '%'",
    "user": "(u.display_name ilike '%' || :words || '%' or u.username ilike '%' || :words || '%')",
}
_SUGGEST = text(f"/* audit_targets.suggest */ {_THINGS.format(**_LIKE)}")
_BY_ID = text(
    "/* audit_targets.by_id */ "
    + _THINGS.format(**{kind: f"{kind[0]}.id = cast(:id as uuid)" for kind in ("server", "host", "player", "user")})
)
_BY_NAME = text(
    "/* audit_targets.by_name */ "
    + _THINGS.format(
        server="lower(s.name) = lower(:name)",
        host="lower(h.name) = lower(:name)",
        player="p.name ilike :pattern",
        user="lower(:name) in (lower(u.display_name), lower(u.username))",
    )
)


@dataclass(frozen=True)
class Target:
    """A thing by its name."""

    kind: str
    id: UUID
    name: str
    gone: bool


async def suggest(session: AsyncSession, org_id: UUID, words: str, limit: int = 25) -> list[Target]:
    """By a part of the name: servers, then hosts, players and members, as many of each."""
    return every(Target, await session.execute(_SUGGEST, {"org": org_id, "words": _like(words), "limit": limit}))


async def by_id(session: AsyncSession, org_id: UUID, target_id: UUID) -> list[Target]:
    return every(Target, await session.execute(_BY_ID, {"org": org_id, "id": target_id, "limit": 1}))


async def by_name(session: AsyncSession, org_id: UUID, name: str) -> list[Target]:
    """Those who are called exactly that, whatever the case."""
    values = {"org": org_id, "name": name, "pattern": _like(name), "limit": 2}
    return every(Target, await session.execute(_BY_NAME, values))


def _like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
