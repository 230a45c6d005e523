"""Incidents: opened, worked on, ended; and where they are shown."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# A number is taken only where there is no live incident; of two that open at once one takes a number in vain.
_OPEN = text("""/* incidents.open */
    with counter as (
      insert into org_counters (org_id, name, value)
      select cast(:org as uuid), 'incident', 1
       where not exists (select 1 from incidents i where i.org_id = :org and i.rule_id = :rule and i.fingerprint = :fingerprint
                            and i.status in ('open', 'investigating'))
      on conflict (org_id, name) do update set value = org_counters.value + 1 returning value)
    insert into incidents (org_id, number, host_id, server_instance_id, title, severity, source, rule_id, fingerprint,
                           created_at, updated_at)
    select :org, value, cast(:host as uuid), cast(:server as uuid), :title, :severity, 'alert', :rule, :fingerprint, :now, :now
      from counter
    on conflict (org_id, rule_id, fingerprint) where status in ('open', 'investigating') and rule_id is not null do nothing
    returning id, number""")

_NOTE = text("""/* incidents.note */
    insert into incident_events (incident_id, actor_id, type, message, created_at)
    select i.id, cast(:by as uuid), :type, :message, :now from incidents i where i.id = :incident and i.org_id = :org""")

_REOPEN = text("""/* incidents.reopen */
    update incidents set status = 'open', resolved_at = null, resolved_by_id = null, acknowledged_at = null,
           assignee_id = null, title = :title, updated_at = :now
     where id = :incident and org_id = :org and status = 'resolved' and not exists (
       select 1 from incidents l where l.org_id = incidents.org_id and l.rule_id = incidents.rule_id
          and l.fingerprint = incidents.fingerprint and l.status <> 'resolved')
    returning number""")

_ACKNOWLEDGE = text("""/* incidents.acknowledge */
    update incidents set status = 'investigating', acknowledged_at = :now, assignee_id = cast(:by as uuid), updated_at = :now
     where id = :incident and org_id = :org and status = 'open' returning number""")

_RESOLVE = text("""/* incidents.resolve */
    update incidents set status = 'resolved', resolved_at = :now, resolved_by_id = cast(:by as uuid), updated_at = :now
     where id = :incident and org_id = :org and status <> 'resolved' returning number""")

_LIVE = """select id from incidents where org_id = :org and status in ('open', 'investigating') and"""
_LIVE_OF_RULE = text(f"/* incidents.live_of_rule */ {_LIVE} rule_id = :rule order by id for update")
_LIVE_OF_SERVER = text(f"/* incidents.live_of_server */ {_LIVE} server_instance_id = :entity order by id for update")
_LIVE_OF_HOST = text(
    f"/* incidents.live_of_host */ {_LIVE} host_id = :entity and server_instance_id is null order by id for update"
)

_LIVE_ONE = text("""/* incidents.live */
    select id from incidents where org_id = :org and rule_id = :rule and fingerprint = :fingerprint
       and status in ('open', 'investigating')""")

_OFFLINE = text("""/* incidents.host_offline */
    select i.id from incidents i join alert_rules r on r.id = i.rule_id
     where i.org_id = :org and i.host_id = :host and r.type = 'host_offline' and i.status in ('open', 'investigating')
     order by i.created_at, i.id limit 1""")

_PLACING = text("""/* incidents.placing */
    select m.message_id is not null as posted, (
      select count(*) from notification_jobs n where n.bot_message_id = m.id and n.op = 'post' and n.status = 'failed') as refused
      from bot_messages m where m.id = :message and m.org_id = :org""")

# the channels of the rule; without any, those of the purpose that want this severity
_CHANNELS = text("""/* incidents.channels */
    with own as (
      select c.discord_channel_id from alert_rule_channels a join notification_channels c on c.id = a.channel_id
       where a.rule_id = cast(:rule as uuid) and a.org_id = :org and c.enabled and c.type = 'discord_channel')
    select discord_channel_id from own
    union
    select c.discord_channel_id from notification_channels c
     where c.org_id = :org and c.purpose = 'alerts' and c.type = 'discord_channel' and c.enabled and c.is_default
       and array_position(array['low', 'med', 'high'], c.min_severity) <= array_position(array['low', 'med', 'high'], cast(:severity as text))
       and not exists (select 1 from own)
    order by 1""")

_UNSHOWN = text("""/* incidents.unshown */
    select i.id, i.rule_id, i.severity from incidents i
     where i.org_id = :org and i.status in ('open', 'investigating') and not exists (
       select 1 from bot_messages m where m.org_id = i.org_id and m.kind = 'incident'
          and m.subject_id = cast(i.id as text) and m.disabled_reason is null)
     order by i.number limit 20""")

_LOCK = text("/* incidents.lock */ select id from incidents where id = :id and org_id = :org for update")


async def open_(
    session: AsyncSession,
    *,
    org_id: UUID,
    rule_id: UUID,
    fingerprint: str,
    host_id: UUID | None,
    server_id: UUID | None,
    title: str,
    severity: str,
    now: datetime,
) -> tuple[UUID, int] | None:
    """Id and number of a new incident; None where one of this rule and fingerprint is live."""
    values = {"org": org_id, "rule": rule_id, "fingerprint": fingerprint, "host": host_id, "server": server_id}
    row = (await session.execute(_OPEN, {**values, "title": title, "severity": severity, "now": now})).one_or_none()
    return None if row is None else (row.id, row.number)


async def note(
    session: AsyncSession, org_id: UUID, incident_id: UUID, kind: str, message: str, by: UUID | None, now: datetime
) -> None:
    """A line in the timeline."""
    values = {"org": org_id, "incident": incident_id, "type": kind, "message": message, "by": by, "now": now}
    await session.execute(_NOTE, values)


async def reopen(session: AsyncSession, org_id: UUID, incident_id: UUID, title: str, now: datetime) -> int | None:
    """Its number; None where it is live, or another one took its place."""
    values = {"org": org_id, "incident": incident_id, "title": title, "now": now}
    return (await session.execute(_REOPEN, values)).scalar_one_or_none()


async def acknowledge(
    session: AsyncSession, org_id: UUID, incident_id: UUID, by: UUID | None, now: datetime
) -> int | None:
    """Its number; None where it is not open."""
    values = {"org": org_id, "incident": incident_id, "by": by, "now": now}
    return (await session.execute(_ACKNOWLEDGE, values)).scalar_one_or_none()


async def resolve(session: AsyncSession, org_id: UUID, incident_id: UUID, by: UUID | None, now: datetime) -> int | None:
    """Its number; None where it is resolved already."""
    values = {"org": org_id, "incident": incident_id, "by": by, "now": now}
    return (await session.execute(_RESOLVE, values)).scalar_one_or_none()


async def live(session: AsyncSession, org_id: UUID, rule_id: UUID, fingerprint: str) -> UUID | None:
    """The live incident of a rule about something."""
    return await session.scalar(_LIVE_ONE, {"org": org_id, "rule": rule_id, "fingerprint": fingerprint})


async def live_of_rule(session: AsyncSession, org_id: UUID, rule_id: UUID) -> list[UUID]:
    return list((await session.execute(_LIVE_OF_RULE, {"org": org_id, "rule": rule_id})).scalars())


async def live_of_entity(
    session: AsyncSession, org_id: UUID, kind: Literal["server", "host"], entity_id: UUID
) -> list[UUID]:
    """The live incidents about a server, or about a host itself."""
    statement = _LIVE_OF_SERVER if kind == "server" else _LIVE_OF_HOST
    return list((await session.execute(statement, {"org": org_id, "entity": entity_id})).scalars())


async def host_offline(session: AsyncSession, org_id: UUID, host_id: UUID) -> UUID | None:
    """The live incident that says that a host is offline."""
    return await session.scalar(_OFFLINE, {"org": org_id, "host": host_id})


async def placing(session: AsyncSession, org_id: UUID, message: UUID) -> tuple[bool, int]:
    """Whether a message was posted, and how often Discord refused it."""
    row = (await session.execute(_PLACING, {"org": org_id, "message": message})).one()
    return row.posted, row.refused


async def channels(session: AsyncSession, org_id: UUID, rule_id: UUID | None, severity: str) -> list[int]:
    """The Discord channels where an incident of this rule and severity belongs."""
    values: dict[str, Any] = {"org": org_id, "rule": rule_id, "severity": severity}
    return list((await session.execute(_CHANNELS, values)).scalars())


async def unshown(session: AsyncSession, org_id: UUID) -> list[tuple[UUID, UUID | None, str]]:
    """Live incidents that no message shows: id, rule and severity."""
    return [(row.id, row.rule_id, row.severity) for row in await session.execute(_UNSHOWN, {"org": org_id})]


async def lock(session: AsyncSession, org_id: UUID, incident_id: UUID) -> bool:
    """Holds an incident; False where there is none of this org."""
    return await session.scalar(_LOCK, {"org": org_id, "id": incident_id}) is not None
