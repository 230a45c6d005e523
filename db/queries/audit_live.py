"""Entries of the audit log on their way to a channel that shows them as they come: several go into one message."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

EVENT: Final = "audit.entry"
MOST: Final = 10
"""Entries of one message."""

# Those that wait right behind it in their channel: what lies between them stays between them. Theirs are one row then, which
# is sent, and sent again after a mishap, like any other.
_GATHER = text("""/* audit_live.gather */
    with heads as (
      select id, org_id, discord_channel_id, payload_json -> 'ids' as ids from notification_jobs
       where id = any(cast(:rows as bigint[]))),
    behind as (
      select h.id as head, b.id, b.ids from heads h cross join lateral (
        select n.id, n.payload_json -> 'ids' as ids from notification_jobs n
         where n.discord_channel_id = h.discord_channel_id and n.id > h.id and n.status = 'pending' and n.op = 'post'
           and n.event_type = 'audit.entry' and n.org_id = h.org_id and jsonb_array_length(n.payload_json -> 'ids') = 1
           and not exists (
             select 1 from notification_jobs o
              where o.discord_channel_id = h.discord_channel_id and o.id > h.id and o.id < n.id and o.op = 'post'
                and o.status in ('pending', 'processing') and o.event_type <> 'audit.entry')
         order by n.id limit greatest(0, :most - jsonb_array_length(h.ids)) for update skip locked) b),
    gone as (delete from notification_jobs n using behind b where n.id = b.id)
    update notification_jobs n
       set payload_json = jsonb_build_object('ids', h.ids || (
             select jsonb_agg(b.ids -> 0 order by b.id) from behind b where b.head = h.id))
      from heads h where n.id = h.id and exists (select 1 from behind b where b.head = h.id)
    returning n.id, n.payload_json""")


async def gather(session: AsyncSession, rows: Collection[int]) -> dict[int, dict[str, Any]]:
    """Lets claimed messages tell of the entries that wait behind them, too; their new payloads by row."""
    found: Sequence[Any] = (await session.execute(_GATHER, {"rows": list(rows), "most": MOST})).all()
    return {row.id: row.payload_json for row in found}
