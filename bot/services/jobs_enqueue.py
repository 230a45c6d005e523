"""Gives a job to a host, whoever wants it done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.jobs import JOBS, PRIORITY_OF, JobType, Priority
from bot.errors import Conflict
from bot.services import backups_begun
from db.queries import jobs
from db.uow import Tx


@dataclass(frozen=True)
class Enqueued:
    """A job that waits for its host now."""

    id: UUID
    number: int
    channel_id: int | None

    @property
    def where(self) -> str:
        """What a reply says: `J-340 · #ops`, where the progress can be followed."""
        return f"`J-{self.number}`" + (f" · <#{self.channel_id}>" if self.channel_id else "")


async def enqueue(
    tx: Tx,
    *,
    type: JobType,
    host_id: UUID,
    params: wire.Params,
    server_id: UUID | None = None,
    not_before: datetime | None = None,
    channel_id: int | None = None,
    dedupe_key: str | None = None,
    after: UUID | None = None,
    after_any: bool = False,
    source: str = "command",
    schedule_id: UUID | None = None,
    batch_id: UUID | None = None,
    macro_id: UUID | None = None,
    priority: Priority | None = None,
    max_attempts: int | None = None,
    backoff: timedelta | None = None,
    expires_after: timedelta | None = None,
    created_at: datetime | None = None,
    quiet: bool = False,
) -> Enqueued:
    """Writes a job, its progress message and its wake-up in the transaction of the caller, who has checked the
    permission and names it in the audit row. The message goes to `channel_id`, else to the ops channel, else to
    where the command was typed; nowhere when `quiet`, because something else shows how it goes.

    `after` holds it until that job has ended; `after_any`: however it ended. A held job does not expire; when its turn
    comes it begins at once, or at `not_before` where that is later. `expires_after`: how long it waits for its host
    from then on, else as long as jobs of its type do. `priority`: else what its source has. `max_attempts` and
    `backoff` (the wait before the second attempt), else what its type has: above 1 only where doing it twice does no
    harm. `created_at`: else now; jobs that belong together have one.

    Raises:
        Conflict: another live job has the dedupe key, the host is gone, or the job before it did not succeed.
    """
    spec, begin = JOBS[type], not_before or clock.now()
    params = await backups_begun.wanted(tx, tx.actor.org, server_id, params)
    waits = expires_after or spec.waits
    values: dict[str, Any] = {
        "org": tx.actor.org,
        "server": server_id,
        "host": host_id,
        "type": type.value,
        "payload": params.dump(),
        "exclusive": spec.exclusive,
        "source": source,
        "schedule": schedule_id,
        "batch": batch_id,
        "macro": macro_id,
        "priority": PRIORITY_OF[source] if priority is None else priority,
        "quiet": quiet,
        "after": after,
        "after_any": after_any,
        "dedupe": dedupe_key,
        "attempts": max_attempts or spec.max_attempts,
        "backoff": int((backoff or spec.backoff).total_seconds()),
        "timeout": int(spec.timeout.total_seconds()),
        "not_before": begin,
        "expires": None if waits is None else begin + waits,
        "author": tx.actor.user_id,
        "channel": channel_id,
        "typed_in": tx.actor.channel_id,
        "now": created_at or clock.now(),
    }
    written = await jobs.enqueue(tx.session, values)
    if written is None:
        raise await _refusal(tx, dedupe_key, after)
    await backups_begun.begun(tx, tx.actor.org, server_id, params, written.id, written.number)
    return Enqueued(written.id, written.number, written.channel_id)


async def _refusal(tx: Tx, dedupe_key: str | None, after: UUID | None) -> Conflict:
    other = await jobs.deduped(tx.session, tx.actor.org, dedupe_key) if dedupe_key else None
    if other is None and after is None:
        return Conflict("The host was removed meanwhile.", "`/host list` shows what there is.")
    if other is None:
        return Conflict("The job that comes before this one did not succeed.", "`/job list` shows how it ended.")
    remedy = "Wait for it, or cancel it with `/job cancel` first."
    return Conflict(f"J-{other} is waiting or under way already.", remedy)
