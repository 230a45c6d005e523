"""How many lines of a log a rule has matched, in buckets of ten seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_RULES = text("""/* alert_counts.rules */
    select r.id, r.condition from alert_rules r join server_instances s on s.id = :server and s.org_id = r.org_id
     where r.org_id = :org and r.type = 'log_keyword' and r.enabled
       and (r.server_instance_id is null or r.server_instance_id = s.id) and (r.host_id is null or r.host_id = s.host_id)""")

# a rule that is deleted at this moment takes its counts with it, and must not take the lines
_ADD = text("""/* alert_counts.add */
    with given as (select * from jsonb_to_recordset(:rows) as g(rule_id uuid, bucket timestamptz, n int)),
    live as (select id from alert_rules where org_id = :org and id in (select rule_id from given) order by id for key share)
    insert into alert_counts as c (rule_id, entity_id, bucket, n)
    select g.rule_id, cast(:server as text), g.bucket, g.n from given g join live on live.id = g.rule_id
     order by g.rule_id, g.bucket
    on conflict (rule_id, entity_id, bucket) do update set n = c.n + excluded.n""").bindparams(
    bindparam("rows", type_=JSONB)
)


@dataclass(frozen=True)
class KeywordRule:
    """A rule that looks for text in a server's log."""

    id: UUID
    condition: dict[str, Any]


async def rules(session: AsyncSession, org_id: UUID, server_id: UUID) -> list[KeywordRule]:
    """The rules that want to see a server's lines."""
    return every(KeywordRule, await session.execute(_RULES, {"org": org_id, "server": server_id}))


async def add(
    session: AsyncSession, org_id: UUID, server_id: UUID, counts: Mapping[tuple[UUID, datetime], int]
) -> None:
    """Adds matches: (rule, begin of the bucket) -> lines."""
    rows = [{"rule_id": str(rule), "bucket": at.isoformat(), "n": n} for (rule, at), n in counts.items()]
    await session.execute(_ADD, {"org": org_id, "server": str(server_id), "rows": rows})
