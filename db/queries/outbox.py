"""The outbox: what the bot owes Discord, in the transaction of the effect it tells about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

_POST = text("""/* outbox.post */
    insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type, payload_json,
                                   dedupe_key, next_attempt_at, created_at)
    values (:org, 'channel', :channel, :message, 'post', :event, :payload, :dedupe, :now, :now)
    on conflict (org_id, dedupe_key) do nothing""").bindparams(bindparam("payload", type_=JSONB))

# A pending edit stands for every later change too: the text is rendered when it is sent. The update changes nothing, but locks
# the row until this transaction has committed: a worker that took it before would render it without the change.
_EDIT = text("""/* outbox.edit */
    insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type, payload_json,
                                   next_attempt_at, created_at)
    select m.org_id, 'channel', m.channel_id, m.id, 'edit', :event, :payload,
           greatest(cast(:now as timestamptz), m.next_edit_at), :now
      from bot_messages m where m.id = :message and m.org_id = :org and m.disabled_reason is null
    on conflict (bot_message_id) where op = 'edit' and status = 'pending' do update set event_type = excluded.event_type
""").bindparams(bindparam("payload", type_=JSONB))

_TRACK = text("""/* outbox.track */
    insert into bot_messages (org_id, kind, subject_id, channel_id, created_at)
    values (:org, :kind, :subject, :channel, :now)
    on conflict (org_id, kind, subject_id, channel_id) do update set disabled_reason = null returning id""")

_MESSAGES = text("""/* outbox.messages */
    select id, channel_id from bot_messages where org_id = :org and kind = :kind and subject_id = :subject
     order by created_at, id""")

# Posts leave in the order of their ids within a channel; an edit only has to come after what was sent before of its own message.
_CLAIM = text("""/* outbox.claim */
    with ready as (
      select n.id from notification_jobs n left join bot_messages m on m.id = n.bot_message_id
       where n.target_kind = 'channel' and n.status in ('pending', 'processing')
         and (n.status = 'pending' and n.next_attempt_at <= :now or n.status = 'processing' and n.locked_until < now())
         and (n.op = 'post' and not exists (
                select 1 from notification_jobs e where e.discord_channel_id = n.discord_channel_id and e.id < n.id
                   and e.op = 'post' and e.status in ('pending', 'processing'))
              or n.op <> 'post' and m.message_id is not null and not exists (
                select 1 from notification_jobs e where e.bot_message_id = n.bot_message_id and e.id < n.id
                   and e.status = 'processing'))
       order by n.id limit :limit for update of n skip locked)
    update notification_jobs n set status = 'processing', locked_until = now() + interval '60 seconds'
      from ready left join notification_jobs p on p.id = ready.id left join bot_messages m on m.id = p.bot_message_id
     where n.id = ready.id
    returning n.id, n.org_id, n.discord_channel_id, n.op, n.event_type, n.payload_json, n.attempts, n.created_at,
              n.bot_message_id, m.kind, m.subject_id, m.message_id, m.rendered_hash, p.status = 'processing' as again""")

_SENT = text("""/* outbox.sent */
    update notification_jobs set status = :status, sent_at = :now, locked_until = null, last_error = null where id = :id""")

_PLACED = text("""/* outbox.placed */
    update bot_messages set message_id = coalesce(:message, message_id), rendered_hash = :hash, fail_count = 0,
           next_edit_at = cast(:next_edit as timestamptz) where id = :id""")

_RETRY = text("""/* outbox.retry */
    update notification_jobs set status = 'pending', locked_until = null, attempts = :attempts, next_attempt_at = :at,
           last_error = :error where id = :id""")

# Like a row whose sender died: whoever claims it next looks for it in Discord first.
_SUSPEND = text("""/* outbox.suspend */
    update notification_jobs set locked_until = now() + make_interval(secs => :seconds), last_error = :error where id = :id""")

_FAILED = text("""/* outbox.failed */
    update notification_jobs set status = 'failed', locked_until = null, attempts = attempts + 1, last_error = :error
     where id = :id""")

# A pending edit of the same message may exist beside the one that is put back: then the other stands for both.
_DROP_TWIN = text("""/* outbox.drop_twin */
    delete from notification_jobs n where n.id = :id and n.op = 'edit' and exists (
      select 1 from notification_jobs o where o.bot_message_id = n.bot_message_id and o.op = 'edit' and o.status = 'pending')""")

_DISABLE = text("""/* outbox.disable_message */
    update bot_messages set disabled_reason = :reason, fail_count = fail_count + 1 where id = :id""")

# What was never posted there will not be, and an incident has to be shown elsewhere. Others may be edited again one day.
_DISABLE_THERE = text("""/* outbox.disable_there */
    update bot_messages set disabled_reason = :reason
     where id in (select id from bot_messages where org_id = :org and channel_id = :channel and disabled_reason is null
                     and (message_id is null or kind = 'incident') order by id for no key update)""")

# Nothing will ever claim an edit of a message that is not there.
_FAIL_EDITS = text("""/* outbox.fail_edits */
    update notification_jobs set status = 'failed', locked_until = null, last_error = :reason
     where bot_message_id = :id and op = 'edit' and status = 'pending'""")

_DISABLE_CHANNEL = text("""/* outbox.disable_channel */
    update notification_channels set enabled = false, disabled_reason = :reason
     where org_id = :org and discord_channel_id = :channel and enabled returning id, purpose""")

_FAIL_CHANNEL = text("""/* outbox.fail_channel */
    update notification_jobs set status = 'failed', locked_until = null, last_error = :reason
     where org_id = :org and discord_channel_id = :channel and status = 'pending'""")

_CHANNEL_FOR = text("""/* outbox.channel_for */
    select discord_channel_id from notification_channels
     where org_id = :org and purpose = :purpose and type = 'discord_channel' and enabled order by created_at, id limit 1""")

# The key is used once a day: whoever deletes the message again does not want it.
_AGAIN = text("""/* outbox.post_again */
    with again as (
      insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type, payload_json,
                                     dedupe_key, next_attempt_at, created_at)
      values (:org, 'channel', :channel, :message, 'post', 'message.deleted', '{}', :dedupe, :now, :now)
      on conflict (org_id, dedupe_key) do nothing returning bot_message_id)
    update bot_messages m set message_id = null, rendered_hash = null, next_edit_at = null
      from again where m.id = again.bot_message_id returning m.id""")

_LOSE = text("""/* outbox.lose_message */ update bot_messages set message_id = null where org_id = :org and id = :id""")

_FORGET = text("""/* outbox.forget_message */ delete from bot_messages where org_id = :org and id = :id""")

_KEPT = text("""/* outbox.kept_in_channel */
    select count(*) from bot_messages
     where org_id = :org and channel_id = :channel and kind = :kind and disabled_reason is null""")


@dataclass(frozen=True)
class OutboxRow:
    """One claimed message or edit."""

    id: int
    org_id: UUID
    channel_id: int
    op: Literal["post", "edit", "delete"]
    event_type: str
    payload: dict[str, Any]
    attempts: int
    created_at: datetime
    bot_message_id: UUID | None
    kind: str | None
    subject_id: str | None
    message_id: int | None
    rendered_hash: bytes | None
    again: bool
    """Its sender died while it was under way: it may be in Discord already."""


async def post(
    session: AsyncSession,
    *,
    org_id: UUID,
    channel_id: int,
    event_type: str,
    payload: dict[str, Any],
    dedupe_key: str,
    message: UUID | None,
    now: datetime,
) -> None:
    values = {"org": org_id, "channel": channel_id, "message": message, "event": event_type, "payload": payload}
    await session.execute(_POST, {**values, "dedupe": dedupe_key, "now": now})


async def edit(
    session: AsyncSession, *, org_id: UUID, message: UUID, event_type: str, payload: dict[str, Any], now: datetime
) -> None:
    values = {"org": org_id, "message": message, "event": event_type, "payload": payload, "now": now}
    await session.execute(_EDIT, values)


async def track(
    session: AsyncSession, *, org_id: UUID, kind: str, subject_id: str, channel_id: int, now: datetime
) -> UUID:
    """The `bot_messages` row of something that is kept up to date in a channel."""
    values = {"org": org_id, "kind": kind, "subject": subject_id, "channel": channel_id, "now": now}
    return (await session.execute(_TRACK, values)).scalar_one()


async def channel_for(session: AsyncSession, org_id: UUID, purpose: str) -> int | None:
    return await session.scalar(_CHANNEL_FOR, {"org": org_id, "purpose": purpose})


async def claim(session: AsyncSession, *, limit: int, now: datetime) -> Sequence[OutboxRow]:
    rows = await session.execute(_CLAIM, {"limit": limit, "now": now})
    return [
        OutboxRow(
            id=row.id,
            org_id=row.org_id,
            channel_id=row.discord_channel_id,
            op=row.op,
            event_type=row.event_type,
            payload=row.payload_json,
            attempts=row.attempts,
            created_at=row.created_at,
            bot_message_id=row.bot_message_id,
            kind=row.kind,
            subject_id=row.subject_id,
            message_id=row.message_id,
            rendered_hash=row.rendered_hash,
            again=row.again,
        )
        for row in rows
    ]


async def done(
    session: AsyncSession,
    row: OutboxRow,
    *,
    status: Literal["sent", "skipped"],
    message_id: int | None,
    rendered_hash: bytes | None,
    next_edit_at: datetime,
    now: datetime,
) -> None:
    await session.execute(_SENT, {"id": row.id, "status": status, "now": now})
    if row.bot_message_id:
        values = {"id": row.bot_message_id, "message": message_id, "hash": rendered_hash, "next_edit": next_edit_at}
        await session.execute(_PLACED, values)


async def retry(session: AsyncSession, row: OutboxRow, *, at: datetime, error: str, counts: bool) -> None:
    await session.execute(_DROP_TWIN, {"id": row.id})
    values = {"id": row.id, "at": at, "error": error[:500], "attempts": row.attempts + counts}
    await session.execute(_RETRY, values)


async def suspend(session: AsyncSession, row: OutboxRow, *, seconds: float, error: str) -> None:
    await session.execute(_SUSPEND, {"id": row.id, "seconds": seconds, "error": error[:500]})


async def fail(session: AsyncSession, row: OutboxRow, *, error: str) -> None:
    await session.execute(_FAILED, {"id": row.id, "error": error[:500]})


async def disable(session: AsyncSession, row: OutboxRow, *, reason: str, channel: bool) -> list[str]:
    """Stops keeping this message up to date, and with `channel` stops posting there; the purposes that lost their channel."""
    if row.bot_message_id:
        message = {"id": row.bot_message_id, "reason": reason[:200]}
        await session.execute(_DISABLE, message)
        await session.execute(_FAIL_EDITS, message)
    if not channel:
        return []
    where = {"org": row.org_id, "channel": row.channel_id, "reason": reason[:200]}
    await session.execute(_FAIL_CHANNEL, where)
    await session.execute(_DISABLE_THERE, where)
    return [hit.purpose for hit in await session.execute(_DISABLE_CHANNEL, where)]


async def post_again(session: AsyncSession, row: OutboxRow, now: datetime) -> bool:
    """Owes a message anew that somebody has deleted; False: that was done today already."""
    values = {"org": row.org_id, "channel": row.channel_id, "message": row.bot_message_id, "now": now}
    dedupe = f"message.deleted:{row.bot_message_id}:{now:%Y%m%d}"
    return bool((await session.execute(_AGAIN, {**values, "dedupe": dedupe})).all())


async def lose_message(session: AsyncSession, row: OutboxRow) -> None:
    """There is no such message any more, and it is not posted again by itself."""
    await session.execute(_LOSE, {"org": row.org_id, "id": row.bot_message_id})


async def forget_message(session: AsyncSession, row: OutboxRow) -> None:
    """A message that was taken away is no longer kept up to date; what was owed for it goes, too."""
    await session.execute(_FORGET, {"org": row.org_id, "id": row.bot_message_id})


async def messages(session: AsyncSession, org_id: UUID, kind: str, subject: str) -> list[tuple[UUID, int]]:
    """The messages that show something and their channels, the first one first."""
    values = {"org": org_id, "kind": kind, "subject": subject}
    return [(row.id, row.channel_id) for row in await session.execute(_MESSAGES, values)]


async def kept_in_channel(session: AsyncSession, row: OutboxRow) -> int:
    """How many messages like this one share its channel."""
    values = {"org": row.org_id, "channel": row.channel_id, "kind": row.kind}
    return max(1, await session.scalar(_KEPT, values) or 0)
