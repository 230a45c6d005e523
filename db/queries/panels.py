"""Live status boards: what they show, where they are, and whether what they show has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rest import PLANNED, REST, RESTING, Resting
from db.rows import every, one

Presence = Literal["online", "checking", "offline", "unknown"]

# `checking`: two heartbeats are missing, and the guild's patience is not over yet.
_SERVERS = f"""
    select s.id, s.name, g.name as game_name, s.status, s.players_online, s.status_changed_at,
           (s.observed ->> 'reachable') is distinct from 'false' as reachable, cast(s.observed ->> 'maxPlayers' as int) as most,
           s.observed ->> 'map' as map, cast(s.observed ->> 'startedAt' as timestamptz) as started_at, p.presence,
           case when p.presence <> 'online' then coalesce(h.offline_since, h.last_heartbeat_at) end as silent_since,
           r.at as next_restart, w.due_at as next_stop, i.number as incident, i.created_at as incident_since, {RESTING}, {PLANNED} as maintenance_at
      from server_instances s join game_types g on g.id = s.game_type_id join hosts h on h.id = s.host_id
      join orgs o on o.id = s.org_id
     cross join lateral (select case
             when h.status = 'online' and h.last_heartbeat_at < cast(:now as timestamptz)
                  - make_interval(secs => 2 * o.health_interval_sec) then 'checking'
             else h.status end as presence) p
      left join lateral (select min(due.at) as at from (
             select j.not_before as at from jobs j
              where j.host_id = s.host_id and j.status = 'queued' and j.not_before > :now
                and j.server_instance_id = s.id and j.type = 'SERVER_RESTART'
             union all
             select p.due_at from power_plans p
              where p.server_instance_id = s.id and p.status in ('planned', 'running') and p.action = 'restart'
             union all
             select c.next_run_at + make_interval(secs => t.time_offset_sec) from schedules c
               join schedule_tasks t on t.schedule_id = c.id and t.job_type = 'SERVER_RESTART'
              where c.org_id = s.org_id and c.enabled and c.skip_next = 0 and c.next_run_at > :now
                and (c.paused_until is null or c.paused_until <= c.next_run_at)
                and (c.server_instance_id = s.id
                     or c.tag in (select tag from server_tags where server_instance_id = s.id))
                and not exists (select 1 from schedule_exclusions x
                                 where x.schedule_id = c.id and x.server_instance_id = s.id)) due) r on true
      left join power_plans w on w.server_instance_id = s.id and w.status in ('planned', 'running') and w.action = 'stop'
      left join lateral (select i.number, i.created_at from incidents i
              where i.org_id = s.org_id and i.status <> 'resolved'
                and (i.server_instance_id = s.id or i.server_instance_id is null and i.host_id = s.host_id)
              order by i.created_at limit 1) i on true
      {REST}
     where s.org_id = {{org}} and s.deleted_at is null
       and ({{subject}} = 'all' or {{subject}} = 'server:' || s.id
            or exists (select 1 from server_tags t where t.server_instance_id = s.id and {{subject}} = 'tag:' || t.tag))"""

_SHOWN = text(f"""/* panels.servers */ {_SERVERS.format(org=":org", subject="cast(:subject as text)")}
    order by lower(s.name), s.id limit :limit""")

# Of what heartbeats and jobs do not tell by themselves.
_FINGERPRINTS = text(f"""/* panels.fingerprints */
    select m.id, m.org_id, md5(coalesce(string_agg(
             cast((shown.id, shown.name, shown.presence, shown.next_restart, shown.next_stop, shown.incident, shown.maintenance_at,
                   shown.rest_kind, shown.rest_by, shown.rest_since, shown.rest_until) as text), '|'
             order by shown.id), '')) as fingerprint
      from bot_messages m left join lateral ({_SERVERS.format(org="m.org_id", subject="m.subject_id")}) shown on true
     where m.kind = 'panel' and m.disabled_reason is null and m.message_id is not null group by m.id""")

_LIST = text("""/* panels.list */
    select m.id, m.subject_id as subject, m.channel_id, m.message_id, m.disabled_reason, s.name as server_name, s.id as server_id
      from bot_messages m
      left join server_instances s on s.org_id = m.org_id and s.deleted_at is null and m.subject_id = 'server:' || s.id
     where m.org_id = :org and m.kind = 'panel' and m.disabled_reason is distinct from 'removed'
       and (cast(:id as uuid) is null or m.id = :id)
     order by m.created_at, m.id""")

_CONCERNED = text("""/* panels.concerned */
    select s.id from server_instances s
     where s.org_id = :org and s.deleted_at is null
       and (:subject = 'all' or :subject = 'server:' || s.id
            or exists (select 1 from server_tags t where t.server_instance_id = s.id and :subject = 'tag:' || t.tag))""")

# A board that was switched off goes on, with the message that it may still have; one that is live, or on its way out, stays as it
# is.
_CREATE = text("""/* panels.create */
    insert into bot_messages (org_id, kind, subject_id, channel_id, created_at)
    values (:org, 'panel', :subject, :channel, :now)
    on conflict (org_id, kind, subject_id, channel_id) do update
       set disabled_reason = null, rendered_hash = null, next_edit_at = null, fail_count = 0
     where bot_messages.disabled_reason <> 'removed'
    returning id, message_id""")

_REMOVE = text("""/* panels.remove */
    with gone as (
      update bot_messages set disabled_reason = 'removed'
       where org_id = :org and id = :id and kind = 'panel' and message_id is not null returning id, channel_id),
    edits as (
      update notification_jobs n set status = 'skipped' from gone where n.bot_message_id = gone.id and n.status = 'pending')
    insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type, payload_json,
                                   next_attempt_at, created_at)
    select :org, 'channel', channel_id, id, 'delete', 'panel.removed', '{}', :now, :now from gone returning id""")

_FORGET = text("""/* panels.forget */
    delete from bot_messages m where org_id = :org and id = :id and kind = 'panel' and not exists (
      select 1 from notification_jobs n where n.bot_message_id = m.id and n.status = 'processing') returning id""")


@dataclass(frozen=True)
class PanelServer(Resting):
    """One server on a board: what everybody may know. The reason why it is left alone is not part of that."""

    id: UUID
    name: str
    game_name: str
    status: str
    players_online: int | None
    status_changed_at: datetime | None
    reachable: bool
    most: int | None
    map: str | None
    started_at: datetime | None
    presence: Presence
    """Whether its host speaks to us."""
    silent_since: datetime | None
    next_restart: datetime | None
    next_stop: datetime | None
    """When somebody wants it to be stopped."""
    incident: int | None
    incident_since: datetime | None
    maintenance_at: datetime | None
    """When its next maintenance begins, if that is within a day."""


@dataclass(frozen=True)
class Panel:
    """A board and its message."""

    id: UUID
    subject: str
    """`all`, `server:<id>` or `tag:<tag>`."""
    channel_id: int
    message_id: int | None
    disabled_reason: str | None
    server_name: str | None
    server_id: UUID | None
    """Of a board of one server that is still there."""


@dataclass(frozen=True)
class Made:
    """A board that is wanted (again), and the message that it has already."""

    id: UUID
    message_id: int | None


@dataclass(frozen=True)
class Fingerprint:
    """Of what a board would show."""

    id: UUID
    org_id: UUID
    fingerprint: str


async def servers(session: AsyncSession, org_id: UUID, subject: str, *, limit: int, now: datetime) -> list[PanelServer]:
    """The servers of a board, by name."""
    values = {"org": org_id, "subject": subject, "limit": limit, "now": now}
    return every(PanelServer, await session.execute(_SHOWN, values))


async def concerned(session: AsyncSession, org_id: UUID, subject: str) -> list[UUID]:
    """The servers that a board shows or counts."""
    return list(await session.scalars(_CONCERNED, {"org": org_id, "subject": subject}))


async def fingerprints(session: AsyncSession, now: datetime) -> Sequence[Fingerprint]:
    """Of every live board of every org."""
    return every(Fingerprint, await session.execute(_FINGERPRINTS, {"now": now}))


async def listed(session: AsyncSession, org_id: UUID) -> list[Panel]:
    return every(Panel, await session.execute(_LIST, {"org": org_id, "id": None}))


async def get(session: AsyncSession, org_id: UUID, panel_id: UUID) -> Panel | None:
    return one(Panel, await session.execute(_LIST, {"org": org_id, "id": panel_id}))


async def create(session: AsyncSession, org_id: UUID, subject: str, channel_id: int, now: datetime) -> Made | None:
    """The row of a board; None while its predecessor's message is being deleted."""
    values = {"org": org_id, "subject": subject, "channel": channel_id, "now": now}
    return one(Made, await session.execute(_CREATE, values))


async def remove(session: AsyncSession, org_id: UUID, panel_id: UUID, now: datetime) -> bool:
    """Owes the end of its message, where there is one; the row goes with it. False: it is just being posted."""
    if (await session.execute(_REMOVE, {"org": org_id, "id": panel_id, "now": now})).all():
        return True
    return bool((await session.execute(_FORGET, {"org": org_id, "id": panel_id})).all())
