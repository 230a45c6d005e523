"""What schedules do when their time has come: jobs, or a skip that says why. Any number of processes may look.

Schedules are held, their jobs are written and they are moved on to their next runs in one transaction, so a run happens
once wherever somebody dies.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor, system
from bot.domain.schedules import Due, Skip, around, skipped
from bot.domain.schedules_steps import Step
from bot.domain.schedules_times import timetable
from bot.errors import Unavailable
from bot.services import outbox
from bot.services.schedules_runs import Ran, Runs
from bot.services.schedules_steps import steps_of
from db.engine import Database
from db.queries import audit_write, schedules_due
from db.queries.audit_write import Row
from db.queries.schedules_due import DueSchedule, Found, Moved
from db.uow import Tx

_BATCH: Final = 2000
"""Schedules that are read at once."""
_TOGETHER: Final = 100
"""Schedules of one org in one transaction; those of tags, which may make many jobs, have one each."""
_DUTY: Final = "schedules.due"
_QUIET: Final = frozenset({"enqueued", "skipped", "skipped_window", "skipped_players"})
"""What nobody has to be told: it happened as people wanted it."""


@dataclass
class _Plan:
    """A schedule that is held, and what becomes of its run."""

    schedule: DueSchedule
    due: datetime
    steps: Sequence[Step] = ()
    next_run: datetime | None = None
    """None: never again, so the schedule is switched off."""
    skip: Skip | None = None
    begin: datetime | None = None
    ran: Ran = field(default_factory=Ran)

    @property
    def outcome(self) -> Skip:
        return self.skip or self.ran.outcome()

    def moved(self) -> Moved:
        outcome = self.outcome
        run_for = self.begin + timedelta(seconds=self.schedule.lead_sec) if self.begin else None
        return Moved(
            self.schedule.id,
            outcome.status,
            outcome.reason or None,
            self.next_run,
            self.ran.job,
            run_for,
            int(outcome.asked_for),
        )

    def row(self, actor: Actor) -> Row:
        """What the audit log says of it."""
        outcome, ran = self.outcome, self.ran
        details: dict[str, Any] = {"numbers": ran.numbers} if ran.numbers else {"reason": outcome.reason}
        if ran.numbers and ran.left:
            details["leftOut"] = {name: skip.reason for name, skip in ran.left}
        return audit_write.row_of(
            actor,
            "schedule.run" if ran.numbers else "schedule.left_out",
            "success",
            resource=("schedule", self.schedule.id),
            details={
                "name": self.schedule.name,
                "due": self.due.isoformat(),
                "status": outcome.status,
                **details,
            },
        )


def _planned(schedule: DueSchedule, now: datetime) -> _Plan:
    """What a schedule does now, as far as it can be said without its servers."""
    plan = _Plan(schedule, schedule.next_run_at or now)
    try:
        times = timetable(schedule)
        due = Due(plan.due, schedule.paused_until, schedule.skip_next, schedule.catch_up)
        plan.begin, plan.next_run = around(due, times, now)
        plan.steps = steps_of(schedule.steps, schedule.lead_sec)
    except ValueError as error:  # a task of another version is left to that one: it may run beside this
        plan.skip = Skip("scheduler_failed", str(error))
        return plan
    if schedule.left_alone:
        plan.skip = Skip("skipped", "the bot was removed from the Discord server")
        return plan
    plan.skip = skipped(due, plan.begin, times, now)
    return plan


class SchedulesDue:
    """The tick `schedules.due`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tick(self) -> dict[str, int]:
        """Does what is due. A schedule that fails stops none of the others."""
        outcomes: list[str] = []
        errors: list[BaseException] = []
        for group in _together(await self._due(_BATCH)):
            done = await self._tried(group)
            if isinstance(done, BaseException) and len(group) > 1:
                for one in group:  # one of them is to blame: the others are done, each by itself
                    await self._note(await self._tried([one]), outcomes, errors)
            else:
                await self._note(done, outcomes, errors)
        if errors:
            raise errors[0]
        ran = outcomes.count("enqueued")
        return {"enqueued": ran, "skipped": len(outcomes) - ran}

    async def _note(self, done: "list[str] | BaseException", outcomes: list[str], errors: list[BaseException]) -> None:
        if isinstance(done, list):
            outcomes += done
            return
        if isinstance(done, Unavailable):
            await self._due(1)  # raises when the database is away; else somebody only held a row for too long
        errors.append(done)

    async def _due(self, limit: int) -> list[Found]:
        async with self._db.read() as session:
            return await schedules_due.due(session, clock.now(), limit)

    async def _tried(self, group: Sequence[Found]) -> "list[str] | BaseException":
        (done,) = await asyncio.gather(self._do([one.id for one in group]), return_exceptions=True)
        return done

    async def _do(self, ids: Sequence[UUID]) -> list[str]:
        """The statuses of the runs that were due; without those where another process was faster."""
        async with self._db.uow(system(_DUTY)) as tx:
            now = clock.now()
            held = await schedules_due.claim(tx.session, ids, now)
            if not held:
                return []
            tx.actor = system(_DUTY, held[0].org_id, held[0].guild_id)
            plans: list[_Plan] = []
            for schedule in held:
                plans.append(_planned(schedule, now))
                await asyncio.sleep(0)  # reading a hundred rules takes a while, and others want their turn
            await _begun(tx, [plan for plan in plans if not plan.skip], now)
            await schedules_due.move_on(tx.session, [plan.moved() for plan in plans], now)
            await audit_write.write_many(tx.session, [plan.row(tx.actor) for plan in plans])
            for plan in plans:
                await _told(tx, plan)
        return [plan.outcome.status for plan in plans]


def _together(due: Sequence[Found]) -> Iterator[list[Found]]:
    """Those that are done in one transaction: of one org, so that no two processes wait for each other in a circle."""
    for _, of_org in groupby(sorted(due, key=lambda one: one.org_id), key=lambda one: one.org_id):
        found = list(of_org)
        yield from ([one] for one in found if not one.alone)
        alone = [one for one in found if one.alone]
        yield from (alone[n : n + _TOGETHER] for n in range(0, len(alone), _TOGETHER))


async def _begun(tx: Tx, plans: Sequence[_Plan], now: datetime) -> None:
    runs = Runs(tx, tx.actor.org, now)
    await runs.look(plan.schedule for plan in plans)
    for plan in plans:
        if plan.schedule.server_id and not runs.servers(plan.schedule):
            plan.next_run, plan.skip = None, Skip("skipped", "its server was removed")
        else:
            plan.ran = await runs.begin(plan.schedule, plan.steps, plan.begin or now)
    await runs.write()


async def _told(tx: Tx, plan: _Plan) -> None:
    """Tells the ops channel when something new is wrong."""
    schedule, outcome = plan.schedule, plan.outcome
    new = outcome.status not in _QUIET and outcome.status != schedule.last_run_status
    if not new and plan.next_run is not None:
        return
    if channel := await outbox.channel_for(tx, tx.actor, "ops"):
        await outbox.post(
            tx.session,
            org_id=schedule.org_id,
            channel_id=channel,
            event_type="schedule.skipped",
            payload={"name": schedule.name, "reason": outcome.reason, "off": plan.next_run is None},
            dedupe_key=f"schedule.skipped:{schedule.id}:{plan.due.timestamp():.0f}",
        )
        await tx.notify(outbox.NOTIFY)
