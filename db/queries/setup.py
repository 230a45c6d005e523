"""What `/setup` writes and shows: channels by purpose, roles by preset."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_CHANNELS = text("""/* setup.channels */
    select purpose, discord_channel_id, enabled, disabled_reason from notification_channels
     where org_id = :org and type = 'discord_channel' and name = purpose order by purpose""")

_CHANNEL = text("""/* setup.set_channel */
    insert into notification_channels (org_id, name, purpose, type, discord_channel_id, enabled, created_at)
    values (:org, :purpose, :purpose, 'discord_channel', :channel, true, :now)
    on conflict (org_id, name) do update set discord_channel_id = excluded.discord_channel_id, enabled = true,
        disabled_reason = null""")

_NO_CHANNEL = text("""/* setup.clear_channel */
    delete from notification_channels where org_id = :org and name = :purpose and purpose = :purpose""")

_BINDINGS = text("""/* setup.bindings */
    select r.name as preset, b.discord_role_id from role_bindings b join roles r on r.id = b.role_id
     where b.org_id = :org and b.server_instance_id is null and b.tag is null order by r.priority desc, b.created_at""")

_BIND = text("""/* setup.bind */
    insert into role_bindings (org_id, discord_role_id, role_id, created_by_id, created_at)
    select :org, unnest(cast(:roles as bigint[])), r.id, :user, :now from roles r where r.org_id = :org and r.name = :preset
    on conflict (org_id, discord_role_id, server_instance_id, tag) do update set role_id = excluded.role_id""")

_UNBIND = text("""/* setup.unbind */
    delete from role_bindings b using roles r
     where b.role_id = r.id and b.org_id = :org and r.name = :preset and b.server_instance_id is null and b.tag is null
       and b.discord_role_id <> all(cast(:roles as bigint[]))""")

_PRESET = text("""/* setup.preset_permissions */
    select p.name from roles r join role_permissions rp on rp.role_id = r.id join permissions p on p.id = rp.permission_id
     where r.org_id = :org and r.name = :preset""")

_COUNTS = text("""/* setup.counts */
    select (select count(*) from hosts where org_id = :org and deleted_at is null) as hosts,
           (select count(*) from hosts where org_id = :org and deleted_at is null and status = 'online') as online,
           (select count(*) from server_instances where org_id = :org and deleted_at is null) as servers""")


@dataclass(frozen=True)
class ChannelChoice:
    purpose: str
    discord_channel_id: int
    enabled: bool
    disabled_reason: str | None


async def channels(session: AsyncSession, org_id: UUID) -> list[ChannelChoice]:
    return every(ChannelChoice, await session.execute(_CHANNELS, {"org": org_id}))


async def set_channel(session: AsyncSession, org_id: UUID, purpose: str, channel_id: int, now: datetime) -> None:
    await session.execute(_CHANNEL, {"org": org_id, "purpose": purpose, "channel": channel_id, "now": now})


async def clear_channel(session: AsyncSession, org_id: UUID, purpose: str) -> None:
    await session.execute(_NO_CHANNEL, {"org": org_id, "purpose": purpose})


async def bindings(session: AsyncSession, org_id: UUID) -> list[tuple[str, int]]:
    """(role, Discord role id) of the whole org."""
    return [(row.preset, row.discord_role_id) for row in await session.execute(_BINDINGS, {"org": org_id})]


async def bind(
    session: AsyncSession, org_id: UUID, preset: str, roles: list[int], user_id: UUID | None, now: datetime
) -> None:
    """Makes these, and only these, Discord roles hold the preset."""
    values: dict[str, Any] = {"org": org_id, "preset": preset, "roles": roles}
    await session.execute(_UNBIND, values)
    await session.execute(_BIND, {**values, "user": user_id, "now": now})


async def preset_permissions(session: AsyncSession, org_id: UUID, preset: str) -> frozenset[str]:
    return frozenset(await session.scalars(_PRESET, {"org": org_id, "preset": preset}))


async def counts(session: AsyncSession, org_id: UUID) -> tuple[int, int, int]:
    """Hosts, hosts online, servers."""
    row = (await session.execute(_COUNTS, {"org": org_id})).one()
    return row.hosts, row.online, row.servers
