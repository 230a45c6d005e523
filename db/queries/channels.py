"""Channels that messages go to: several for a purpose, by a name that people give."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_ALL = text("""/* channels.list */
    select c.id, c.name, c.purpose, c.discord_channel_id as channel_id, c.min_severity, c.enabled, c.disabled_reason,
           (select count(*) from alert_rule_channels a where a.channel_id = c.id) as rules
      from notification_channels c
     where c.org_id = :org and c.type = 'discord_channel' order by c.purpose, c.created_at, c.id""")

_ADD = text("""/* channels.add */
    insert into notification_channels (org_id, name, purpose, type, discord_channel_id, min_severity, created_at)
    values (:org, :name, :purpose, 'discord_channel', :channel, :severity, :now) returning id""")

_ENABLE = text("""/* channels.enable */
    update notification_channels set enabled = true, disabled_reason = null where org_id = :org and id = :id""")

_REMOVE = text("/* channels.remove */ delete from notification_channels where org_id = :org and id = :id")


@dataclass(frozen=True)
class Channel:
    """A Discord channel for one purpose."""

    id: UUID
    name: str
    purpose: str
    channel_id: int
    min_severity: str
    enabled: bool
    disabled_reason: str | None
    rules: int
    """Alert rules that name it."""


async def listed(session: AsyncSession, org_id: UUID) -> list[Channel]:
    """Every channel of an org; of a purpose the first comes first."""
    return every(Channel, await session.execute(_ALL, {"org": org_id}))


async def add(
    session: AsyncSession, org_id: UUID, *, name: str, purpose: str, channel_id: int, severity: str, now: datetime
) -> UUID:
    values = {"org": org_id, "name": name, "purpose": purpose, "channel": channel_id, "severity": severity, "now": now}
    return (await session.execute(_ADD, values)).scalar_one()


async def enable(session: AsyncSession, org_id: UUID, row_id: UUID) -> None:
    """Lets a channel that was switched off be tried again."""
    await session.execute(_ENABLE, {"org": org_id, "id": row_id})


async def remove(session: AsyncSession, org_id: UUID, row_id: UUID) -> None:
    await session.execute(_REMOVE, {"org": org_id, "id": row_id})
