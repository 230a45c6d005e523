"""Pages of the audit log. Paged by id: flat to any depth, whatever is looked for.

An entry's names are joined to the few rows of a page only. The rows are found by an index that has the wanted thing and
the id in it; which one that is depends on what is wanted, so each combination is a statement of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, get_args
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.rows import every, one

Outcome = Literal["success", "denied", "failed"]
Target = tuple[str, str]
"""Type and id of a resource."""
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""Ids follow the order of time as well as the clocks of the processes that wrote them agree."""
_NEWEST: Final = 2**63 - 1
_ORG: Final = "(select cast(:org as uuid))"
"""The org, unknown while the statement is planned: of one that is known to have much of the log, PostgreSQL would read the
log of all from its end, past what others have written since."""


@dataclass(frozen=True)
class AuditEntry:
    """One audit row as it is shown."""

    id: int
    at: datetime
    action: str
    outcome: str
    actor_type: str
    actor: str | None
    actor_discord_id: int | None
    resource_type: str
    resource_id: str | None
    resource_name: str | None
    command: str | None
    options: dict[str, Any]
    details: dict[str, Any]
    error: str | None
    correlation_id: str | None
    channel_id: int | None
    duration_ms: int | None
    guild: str | None = None
    """Named where the rows of several are listed."""


@dataclass(frozen=True)
class Filter:
    """What `/audit search` narrows to; None means any."""

    by: int | None = None
    """A Discord user id."""
    action: str | None = None
    """An action or its beginning, such as `server.`"""
    target: Target | None = None
    since: datetime | None = None
    outcome: str | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """Somebody who was refused again and again."""

    actor: str
    times: int


# An id is compared as what it is: as text, every player of a guild would be read for one page.
_ENTRY = """
    select a.id, a.created_at as at, a.action, a.outcome, a.actor_type, coalesce(u.display_name, u.username) as actor,
           a.actor_discord_id, a.resource_type, a.resource_id,
           coalesce(s.name, h.name, p.name, m.display_name, m.username,
           case when a.resource_type in ('schedule', 'alert_rule', 'host', 'channel', 'mod_artifact', 'role')
                then a.details ->> 'name'
                when a.resource_type = 'incident' then 'I-' || (a.details ->> 'number')
                when a.resource_type = 'ban' then 'B-' || (a.details ->> 'number') end) as resource_name, a.command,
           a.options, a.details, a.error, a.correlation_id, a.channel_id, a.duration_ms{more}
      from {rows} a
      cross join lateral (select case when a.resource_id ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'
                                      then cast(a.resource_id as uuid) end as id) r
      left join users u on u.id = a.actor_id
      left join server_instances s on a.resource_type = 'server' and s.id = r.id and s.org_id = a.org_id
      left join hosts h on a.resource_type = 'host' and h.id = r.id and h.org_id = a.org_id
      left join players p on a.resource_type = 'player' and p.id = r.id and p.org_id = a.org_id
      left join users m on a.resource_type = 'user' and m.id = r.id"""

_ROWS = "select * from audit_logs a where {wanted} order by a.id {order} limit :limit"

_NAMED = """with recursive named as (
      (select action from audit_logs where org_id = :org order by action limit 1)
      union all
      select (select x.action from audit_logs x where x.org_id = :org and x.action > n.action order by x.action limit 1)
        from named n where n.action is not null)"""

# Every action of the org by its own few rows: no index has the beginning of an action and the id in it.
_BY_ACTION = f"""
    {_NAMED}
    select a.* from named n cross join lateral (
      select * from audit_logs a where a.action = n.action and {{wanted}} order by a.id {{order}} limit :limit) a
     where starts_with(n.action, :action) order by a.id {{order}} limit :limit"""

# Asked once: for what nobody ever did, not all that a person did, or that was done to something, is read.
_IS_NAMED = f"exists ({_NAMED} select 1 from named n where starts_with(n.action, :action))"

# Every server that is seen by its own few rows, for the same reason.
_BY_SERVER = """
    select a.* from unnest(cast(:servers as text[])) v(id) cross join lateral (
      select * from audit_logs a where a.resource_type = 'server' and a.resource_id = v.id and {wanted}
       order by a.id {order} limit :limit) a
     order by a.id {order} limit :limit"""

_ONE = text(f"""/* audit.entry */ {_ENTRY.format(rows="audit_logs", more="")}
     where a.org_id = :org and (a.id = :id or a.interaction_id = :interaction)""")

_THESE = text(f"""/* audit.entries */ {_ENTRY.format(rows="audit_logs", more="")}
     where a.org_id = :org and a.id = any(cast(:ids as bigint[])) order by a.id""")

# The least id of a time would be looked for among all rows since then. Rows are as good as in the order of time, so their ids can be halved.
_FROM = text(f"""/* audit.first_since */
    with recursive span(low, high) as (
      select coalesce((select id from audit_logs where org_id = {_ORG} order by id limit 1), 0),
             coalesce((select id from audit_logs where org_id = {_ORG} order by id desc limit 1), 0) + 1
      union all
      select case when p.created_at < :at then p.id + 1 else s.low end,
             case when p.created_at < :at then s.high else s.low + (s.high - s.low) / 2 end
        from span s cross join lateral (
          select a.id, a.created_at from audit_logs a
           where a.org_id = {_ORG} and a.id >= s.low + (s.high - s.low) / 2 order by a.id limit 1) p
       where s.low < s.high)
    select low from span order by high - low limit 1""")

_OWN = f"""
    with own as (
      select a.* from (select org_id from user_orgs where user_id = :user) m cross join lateral (
        select * from audit_logs a where a.org_id = m.org_id and {{wanted}} order by a.id {{order}} limit :limit) a
      union all
      (select * from audit_logs a where a.org_id is null and {{wanted}} order by a.id {{order}} limit :limit))
    {_ENTRY.format(rows="(select * from own order by id {order} limit :limit)", more=", o.name as guild")}
      left join orgs o on o.id = a.org_id order by a.id {{order}}"""
_OWN_WANTED = "a.actor_id = :user and a.id {side} :edge"
_OWN_PAGES: Final = {
    older: text("/* audit.own */" + _OWN.replace("{wanted}", _OWN_WANTED.format(side=side)).replace("{order}", order))
    for older, side, order in ((True, "<", "desc nulls last"), (False, ">", "asc nulls first"))
}

# Counted no further than anybody wants to know.
_OFTEN = text("""/* audit.refused_often */
    select coalesce(u.display_name, u.username, 'somebody') as actor, count(*) as times
      from (select a.actor_id from audit_logs a
             where a.org_id = :org and a.outcome = 'denied' and a.id >= :floor and a.created_at >= :since
             order by a.id desc nulls last limit 10000) a
      left join users u on u.id = a.actor_id
     group by a.actor_id, u.display_name, u.username having count(*) >= :least order by times desc, actor limit 5""")


@lru_cache
def _page(wanted: frozenset[str], *, everywhere: bool, servers: bool, newest_first: bool) -> TextClause:
    """The statement for one combination of what is wanted."""
    conditions = [f"a.org_id = :org and a.id {'<' if newest_first else '>'} :edge"]
    if "since" in wanted:
        conditions.append("a.id >= :floor and a.created_at >= :since")
    if "until" in wanted:
        conditions.append("a.id < :ceiling and a.created_at < :until")
    if "target" in wanted:
        conditions.append("a.resource_type = :type and a.resource_id = :target")
    if "by" in wanted:
        conditions.append("a.actor_id = (select id from users where discord_user_id = :by)")
    # as a word of the statement, so that the index of what did not succeed can be used
    conditions += [f"a.outcome = '{outcome}'" for outcome in get_args(Outcome) if outcome in wanted]
    if everywhere and servers:
        conditions.append("not (a.resource_type = 'server' and a.resource_id = any(cast(:servers as text[])))")
    specific = wanted & {"by", "target", "denied", "failed"}
    rows = _ROWS
    if not everywhere:
        rows = _BY_SERVER
    elif "action" in wanted and not specific:
        rows = _BY_ACTION
    if "action" in wanted and rows is not _BY_ACTION:
        conditions.append(f"starts_with(a.action, :action) and {_IS_NAMED}")
    # the indexes of a person, a thing, an action and an outcome have an order that the one of all rows has not
    narrow = specific or rows is not _ROWS
    if not narrow:
        conditions[0] = conditions[0].replace(":org", _ORG)
    order = ("desc nulls last" if newest_first else "asc nulls first") if narrow else "desc" if newest_first else "asc"
    rows = rows.format(wanted=" and ".join(conditions), order=order)
    shown = "desc" if newest_first else "asc"
    return text(f"/* audit.page */ {_ENTRY.format(rows=f'({rows})', more='')} order by a.id {shown}")


async def page(
    session: AsyncSession,
    org_id: UUID,
    wanted: Filter,
    sight: Scope,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """Entries older than `before`, newest first; or, with `after`, newer ones, oldest first. Of servers that `sight`
    leaves out there are none; whoever sees single servers only gets what was done to these."""
    given = {"since": wanted.since, "until": wanted.until, "target": wanted.target, "by": wanted.by}
    words = {name for name, value in given.items() if value is not None}
    words |= {word for word in (wanted.outcome, "action" if wanted.action else None) if word}
    servers = [str(server) for server in sight.others]
    statement = _page(frozenset(words), everywhere=sight.everywhere, servers=bool(servers), newest_first=after is None)
    values: dict[str, Any] = {"org": org_id, "limit": limit, "servers": servers, "action": wanted.action}
    values |= {"edge": (before or _NEWEST) if after is None else after, "by": wanted.by}
    values |= dict(zip(("type", "target"), wanted.target or ("", ""), strict=True))
    if wanted.since:
        values |= {"since": wanted.since, "floor": await first_since(session, org_id, wanted.since - CLOCKS_DIFFER)}
    if wanted.until:
        ceiling = await first_since(session, org_id, wanted.until + CLOCKS_DIFFER)
        values |= {"until": wanted.until, "ceiling": ceiling}
    return every(AuditEntry, await session.execute(statement, values))


async def first_since(session: AsyncSession, org_id: UUID, at: datetime) -> int:
    """The id from which on an org's rows are not older than that, as well as clocks agree."""
    return (await session.execute(_FROM, {"org": org_id, "at": at})).scalar_one()


async def entry(session: AsyncSession, org_id: UUID, *, number: int, interaction: int) -> AuditEntry | None:
    """By its number or by the interaction that it tells of."""
    return one(AuditEntry, await session.execute(_ONE, {"org": org_id, "id": number, "interaction": interaction}))


async def entries(session: AsyncSession, org_id: UUID, ids: list[int]) -> list[AuditEntry]:
    """These, oldest first."""
    return every(AuditEntry, await session.execute(_THESE, {"org": org_id, "ids": ids}))


async def own(
    session: AsyncSession,
    user_id: UUID,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> list[AuditEntry]:
    """What a person did in every org, and in direct messages; the order is that of `page`."""
    older = after is None
    values = {"user": user_id, "edge": (before or _NEWEST) if older else after, "limit": limit}
    return every(AuditEntry, await session.execute(_OWN_PAGES[older], values))


async def refused_often(session: AsyncSession, org_id: UUID, since: datetime, least: int) -> list[Refused]:
    """Who was refused at least that often since then."""
    floor = await first_since(session, org_id, since - CLOCKS_DIFFER)
    values = {"org": org_id, "since": since, "floor": floor, "least": least}
    return every(Refused, await session.execute(_OFTEN, values))
