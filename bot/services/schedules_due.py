"""What schedules do when their time has come: jobs, or a skip that says why. Any number of processes may look.

A schedule is held, its jobs are written and it is moved on to its next run in one transaction, so a run happens once
wherever somebody dies.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.actors import Actor, system
from bot.domain.cron import checked
from bot.domain.jobs import JobType
from bot.domain.schedules import OF_JOB_TYPE, Action, Due, Skip, Target, last_on_time, left_out, skipped
from bot.domain.zones import zone
from bot.errors import Conflict, Unavailable
from bot.services import outbox
from bot.services.jobs import params_of
from bot.services.jobs_enqueue import Enqueued, enqueue
from db.engine import Database
from db.queries import cards, schedules_due
from db.queries.cards import ServerCard
from db.queries.schedules_due import DueSchedule
from db.uow import Tx

_BATCH: Final = 500
_MOST_SERVERS: Final = 500
_DUTY: Final = "schedules.due"
_QUIET: Final = frozenset({"enqueued", "skipped"})
"""What nobody has to be told: it happened as people wanted it."""


@dataclass
class _Run:
    """What became of a run: the jobs that it made and the servers that it left out."""

    made: list[Enqueued] = field(default_factory=list[Enqueued])
    left: list[tuple[str, Skip]] = field(default_factory=list[tuple[str, Skip]])

    @property
    def outcome(self) -> Skip:
        if self.made:
            return Skip("enqueued", "")
        if not self.left:
            return Skip("skipped_offline", "no server has its tag")
        name, first = self.left[0]
        others = f"; {len(self.left) - 1} more were left out" if len(self.left) > 1 else ""
        return Skip(first.status, f"{name}: {first.reason}{others}")


_NONE: Final = _Run()


class SchedulesDue:
    """The tick `schedules.due`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tick(self) -> dict[str, int]:
        """Does what is due. A schedule that fails stops none of the others."""
        due = await self._ids(_BATCH)
        outcomes: list[str] = []
        errors: list[BaseException] = []
        for schedule_id in due:
            (done,) = await asyncio.gather(self._one(schedule_id), return_exceptions=True)
            if isinstance(done, Unavailable):
                await self._ids(1)  # raises when the database is away; else somebody only held a row for too long
            if isinstance(done, BaseException):
                errors.append(done)
            else:
                outcomes.append(done)
        if errors:
            raise errors[0]
        ran = outcomes.count("enqueued")
        return {"enqueued": ran, "skipped": sum(map(bool, outcomes)) - ran}

    async def _ids(self, limit: int) -> list[UUID]:
        async with self._db.read() as session:
            return await schedules_due.ids(session, clock.now(), limit)

    async def _one(self, schedule_id: UUID) -> str:
        """The status of a run that was due; empty where another process was faster."""
        async with self._db.uow(system(_DUTY)) as tx:
            now = clock.now()
            schedule = await schedules_due.claim(tx.session, schedule_id, now)
            if schedule is None:
                return ""
            tx.actor = Actor(type="system", name=_DUTY, org_id=schedule.org_id, guild_id=schedule.guild_id)
            try:
                cron, place = checked(schedule.expression), zone(schedule.zone)
                action, params = _task(schedule)
            except ValueError as error:  # pydantic's, too: written by another version
                return await self._end(tx, schedule, Skip("scheduler_failed", str(error)), None, now)
            next_run = cron.next_run(now, place)
            due = Due(schedule.next_run_at, schedule.paused_until, schedule.skip_next, schedule.catch_up)
            if skip := skipped(due, last_on_time(due, cron, place, now), now):
                return await self._end(tx, schedule, skip, next_run, now)
            return await self._run(tx, schedule, action, params, next_run, now)

    async def _run(
        self,
        tx: Tx,
        schedule: DueSchedule,
        action: Action,
        params: wire.Params,
        next_run: datetime | None,
        now: datetime,
    ) -> str:
        servers = await _servers(tx, schedule)
        if schedule.server_id and not servers:
            return await self._end(tx, schedule, Skip("skipped", "its server was removed"), None, now)
        exclusive = action.job_type == JobType.SERVER_RESTART
        busy = await schedules_due.busy(
            tx.session, schedule.org_id, schedule.id, [server.id for server in servers], exclusive=exclusive
        )
        run = _Run()
        for server in servers:
            await _on_server(tx, schedule, action, params, server, busy.get(server.id), run)
        return await self._end(tx, schedule, run.outcome, next_run, now, run)

    async def _end(
        self, tx: Tx, schedule: DueSchedule, outcome: Skip, next_run: datetime | None, now: datetime, run: _Run = _NONE
    ) -> str:
        """Moves the schedule on, leaves the audit row, and tells the ops channel when something new is wrong."""
        await schedules_due.move_on(
            tx.session,
            schedule.id,
            status=outcome.status,
            next_run_at=next_run,
            job_id=run.made[0].id if run.made else None,
            skips=int(schedule.skip_next > 0 and outcome.status == "skipped" and next_run is not None),
            now=now,
        )
        tx.audit(
            "schedule.run" if run.made else "schedule.skip",
            resource=("schedule", schedule.id),
            name=schedule.name,
            due=schedule.next_run_at.isoformat(),
            status=outcome.status,
            **({"numbers": [job.number for job in run.made]} if run.made else {"reason": outcome.reason}),
            **({"leftOut": {name: skip.reason for name, skip in run.left}} if run.made and run.left else {}),
        )
        off = next_run is None
        if off or (outcome.status not in _QUIET and outcome.status != schedule.last_run_status):
            await _tell(tx, schedule, outcome, off=off)
        return outcome.status


def _task(schedule: DueSchedule) -> tuple[Action, wire.Params]:
    action = OF_JOB_TYPE.get(schedule.job_type or "")
    if action is None:
        raise ValueError(f"this version cannot do {schedule.job_type or 'nothing'} by itself")
    return action, params_of(action.job_type, schedule.params or {})


async def _servers(tx: Tx, schedule: DueSchedule) -> list[ServerCard]:
    if schedule.server_id:
        found = await cards.server(tx.session, schedule.org_id, server_id=schedule.server_id)
        return [found] if found else []
    return await cards.servers(tx.session, schedule.org_id, tag=schedule.tag, limit=_MOST_SERVERS)


async def _on_server(
    tx: Tx,
    schedule: DueSchedule,
    action: Action,
    params: wire.Params,
    server: ServerCard,
    busy_with: int | None,
    run: _Run,
) -> None:
    target = Target(server.status, server.desired_state, server.host_online, server.capabilities, busy_with)
    if skip := left_out(action, target):
        run.left.append((server.name, skip))
        return
    try:
        job = await enqueue(
            tx,
            type=action.job_type,
            server_id=server.id,
            host_id=server.host_id,
            params=params,
            dedupe_key=f"power:{server.id}" if action.job_type == JobType.SERVER_RESTART else None,
            source="schedule",
            schedule_id=schedule.id,
        )
    except Conflict as error:  # somebody's power action came in between
        run.left.append((server.name, Skip("skipped_busy", error.what)))
    else:
        run.made.append(job)


async def _tell(tx: Tx, schedule: DueSchedule, outcome: Skip, *, off: bool) -> None:
    channel = await outbox.channel_for(tx, tx.actor, "ops")
    if channel:
        await outbox.post(
            tx.session,
            org_id=schedule.org_id,
            channel_id=channel,
            event_type="schedule.skipped",
            payload={"name": schedule.name, "reason": outcome.reason, "off": off},
            dedupe_key=f"schedule.skipped:{schedule.id}:{schedule.next_run_at.timestamp():.0f}",
        )
        await tx.notify(outbox.NOTIFY)
