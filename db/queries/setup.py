"""What `/setup` writes and shows: zone, channels by purpose, roles by preset, and which steps were decided."""

from dataclasses import dataclass
from datetime import datetime
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

_READERS = text("""/* setup.readers */
    select distinct b.discord_role_id from role_bindings b
      join role_permissions rp on rp.role_id = b.role_id
      join permissions p on p.id = rp.permission_id and p.name = :permission
      join orgs o on o.id = b.org_id
     where b.org_id = :org and b.server_instance_id is null and b.tag is null
       and b.discord_role_id <> o.discord_guild_id""")

_STATE = text("""/* setup.state */
    select o.timezone as zone, o.setup_settled as settled,
           (select count(*) from hosts where org_id = :org and deleted_at is null) as hosts,
           (select count(*) from hosts where org_id = :org and deleted_at is null and status = 'online') as online,
           (select count(*) from server_instances where org_id = :org and deleted_at is null) as servers
      from orgs o where o.id = :org""")

_SETTLE = text("""/* setup.settle */
    update orgs set setup_settled = array_append(setup_settled, :step), updated_at = :now
     where id = :org and not (:step = any(setup_settled)) returning id""")

_PAIRING = text("""/* setup.pairing */
    select t.host_name as name, t.expires_at, t.used_at is not null as used, t.expires_at > now() as good,
           coalesce(h.status = 'online', false) as online
      from pairing_tokens t left join hosts h on h.org_id = t.org_id and h.id = t.used_by_host_id and h.deleted_at is null
     where t.org_id = :org and t.created_by_id = :user order by t.created_at desc, t.id desc limit 1""")


@dataclass(frozen=True)
class ChannelChoice:
    purpose: str
    discord_channel_id: int
    enabled: bool
    disabled_reason: str | None


@dataclass(frozen=True)
class State:
    """How far an org is."""

    zone: str
    settled: list[str]
    hosts: int
    online: int
    servers: int


@dataclass(frozen=True)
class PairingState:
    """What became of the last pairing command that somebody asked for."""

    name: str
    expires_at: datetime
    used: bool
    good: bool
    online: bool


async def state(session: AsyncSession, org_id: UUID) -> State:
    (found,) = every(State, await session.execute(_STATE, {"org": org_id}))
    return found


async def settle(session: AsyncSession, org_id: UUID, step: str, now: datetime) -> bool:
    """Writes down that a step was decided; False where it was already."""
    found = await session.execute(_SETTLE, {"org": org_id, "step": step, "now": now})
    return found.scalar_one_or_none() is not None


async def pairing(session: AsyncSession, org_id: UUID, user_id: UUID | None) -> PairingState | None:
    """The last pairing command of this person."""
    found = every(PairingState, await session.execute(_PAIRING, {"org": org_id, "user": user_id}))
    return found[0] if found else None


async def channels(session: AsyncSession, org_id: UUID) -> list[ChannelChoice]:
    return every(ChannelChoice, await session.execute(_CHANNELS, {"org": org_id}))


async def set_channel(session: AsyncSession, org_id: UUID, purpose: str, channel_id: int, now: datetime) -> None:
    await session.execute(_CHANNEL, {"org": org_id, "purpose": purpose, "channel": channel_id, "now": now})


async def clear_channel(session: AsyncSession, org_id: UUID, purpose: str) -> None:
    await session.execute(_NO_CHANNEL, {"org": org_id, "purpose": purpose})


async def bindings(session: AsyncSession, org_id: UUID) -> list[tuple[str, int]]:
    """(role, Discord role id) of the whole org."""
    return [(row.preset, row.discord_role_id) for row in await session.execute(_BINDINGS, {"org": org_id})]


async def readers(session: AsyncSession, org_id: UUID, permission: str) -> frozenset[int]:
    """Discord roles other than @everyone that are bound to a role with this permission, in the whole org."""
    return frozenset(await session.scalars(_READERS, {"org": org_id, "permission": permission}))
