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
from bot.domain.access import Scope
from bot.domain.actions import OF_JOB_TYPE, Action
from bot.domain.actors import Actor, system
from bot.domain.cron import checked
from bot.domain.jobs import JOBS
from bot.domain.schedules import Due, Skip, Target, last_on_time, left_out, skipped
from bot.domain.zones import zone
from bot.errors import Conflict, Unavailable
from bot.services import outbox
from bot.services.actions import dedupe_key
from bot.services.jobs import params_of
from bot.services.jobs_enqueue import Enqueued, enqueue
from db.engine import Database
from db.queries import cards, schedules_due
from db.queries.cards import ServerCard
from db.queries.schedules_due import DueSchedule
from db.uow import Tx

_BATCH: Final = 500
_DUTY: Final = "schedules.due"
_QUIET: Final = frozenset({"enqueued", "skipped"})
"""What nobody has to be told: it happened as people wanted it."""


@dataclass
class _Run:
    """A schedule whose time has come and whose row is held; what becomes of it."""

    tx: Tx
    schedule: DueSchedule
    now: datetime
    next_run: datetime | None = None
    """None: never again, so the schedule is switched off."""
    made: list[Enqueued] = field(default_factory=list[Enqueued])
    left: list[tuple[str, Skip]] = field(default_factory=list[tuple[str, Skip]])
    """Servers that are left out, by name."""

    async def outcome(self) -> Skip:
        """Writes its jobs; or why there are none."""
        schedule = self.schedule
        try:
            cron, place = checked(schedule.expression), zone(schedule.zone)
            self.next_run = cron.next_run(self.now, place)
            action, params = _task(schedule)
        except ValueError as error:  # a task of another version is left to that one: it may run beside this
            return Skip("scheduler_failed", str(error))
        if schedule.left_alone:
            return Skip("skipped", "the bot was removed from the Discord server")
        due = Due(schedule.next_run_at, schedule.paused_until, schedule.skip_next, schedule.catch_up)
        if skip := skipped(due, last_on_time(due, cron, place, self.now), self.now):
            return skip
        return await self._on_servers(action, params)

    async def _on_servers(self, action: Action, params: wire.Params) -> Skip:
        schedule = self.schedule
        servers = await self._servers()
        if schedule.server_id and not servers:
            self.next_run = None
            return Skip("skipped", "its server was removed")
        exclusive = JOBS[action.job_type].exclusive
        ids = [server.id for server in servers]
        busy = await schedules_due.busy(self.tx.session, schedule.org_id, schedule.id, ids, exclusive=exclusive)
        for server in servers:
            target = Target(
                server.status, server.desired_state, server.host_online, server.capabilities, busy.get(server.id)
            )
            skip = left_out(action, target) or await self._enqueue(server, action, params)
            if skip:
                self.left.append((server.name, skip))
        return self._summary()

    async def _servers(self) -> list[ServerCard]:
        session, schedule = self.tx.session, self.schedule
        if schedule.server_id is None:
            those = Scope(True, frozenset(schedule.left_out))
            return await cards.servers(session, schedule.org_id, scope=those, tag=schedule.tag, limit=None)
        found = await cards.server(session, schedule.org_id, server_id=schedule.server_id)
        return [found] if found else []

    async def _enqueue(self, server: ServerCard, action: Action, params: wire.Params) -> Skip | None:
        try:
            job = await enqueue(
                self.tx,
                type=action.job_type,
                server_id=server.id,
                host_id=server.host_id,
                params=params,
                dedupe_key=dedupe_key(action, server.id),
                source="schedule",
                schedule_id=self.schedule.id,
            )
        except Conflict as error:  # somebody's power action came in between
            return Skip("skipped_busy", error.what)
        self.made.append(job)
        return None

    def _summary(self) -> Skip:
        if self.made:
            return Skip("enqueued", "")
        if not self.left:
            return Skip("skipped_offline", "no server has its tag")
        name, first = self.left[0]
        others = f"; {len(self.left) - 1} more were left out" if len(self.left) > 1 else ""
        return Skip(first.status, f"{name}: {first.reason}{others}")

    async def close(self, outcome: Skip) -> str:
        """Moves the schedule on, leaves the audit row, and tells the ops channel when something new is wrong."""
        await schedules_due.move_on(
            self.tx.session,
            self.schedule.id,
            status=outcome.status,
            next_run_at=self.next_run,
            job_id=self.made[0].id if self.made else None,
            skips=int(outcome.asked_for),
            now=self.now,
        )
        self.tx.audit(
            "schedule.run" if self.made else "schedule.left_out",
            resource=("schedule", self.schedule.id),
            name=self.schedule.name,
            due=self.schedule.next_run_at.isoformat(),
            status=outcome.status,
            **({"numbers": [job.number for job in self.made]} if self.made else {"reason": outcome.reason}),
            **({"leftOut": {name: skip.reason for name, skip in self.left}} if self.made and self.left else {}),
        )
        new = outcome.status not in _QUIET and outcome.status != self.schedule.last_run_status
        if new or self.next_run is None:
            await self._tell(outcome)
        return outcome.status

    async def _tell(self, outcome: Skip) -> None:
        schedule, channel = self.schedule, await outbox.channel_for(self.tx, self.tx.actor, "ops")
        if channel:
            await outbox.post(
                self.tx.session,
                org_id=schedule.org_id,
                channel_id=channel,
                event_type="schedule.skipped",
                payload={"name": schedule.name, "reason": outcome.reason, "off": self.next_run is None},
                dedupe_key=f"schedule.skipped:{schedule.id}:{schedule.next_run_at.timestamp():.0f}",
            )
            await self.tx.notify(outbox.NOTIFY)


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
            run = _Run(tx, schedule, now)
            return await run.close(await run.outcome())


def _task(schedule: DueSchedule) -> tuple[Action, wire.Params]:
    action = OF_JOB_TYPE.get(schedule.job_type or "")
    if action is None:
        raise ValueError(f"this version cannot do {schedule.job_type or 'nothing'} by itself")
    try:
        return action, params_of(action.job_type, schedule.params or {})
    except ValueError as error:  # pydantic's is several lines about the program
        raise ValueError(f"this version cannot read what {action.name} needs") from error
