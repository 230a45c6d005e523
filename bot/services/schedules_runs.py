"""Runs of schedules: on each server one chain of jobs, or a reason why there is none. In the transaction of whoever
holds the schedules' rows, which are all of one org.

The jobs of one run are created at one moment: by that they are known as one run.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError

from bot.domain.access import Scope
from bot.domain.jobs import JOBS, PRIORITY_OF
from bot.domain.schedules import SOON, Conditions, Skip, Target, chain
from bot.domain.schedules_steps import Step, main
from bot.errors import Conflict
from bot.services import backups_begun
from bot.services.actions import dedupe_key, params
from db.failures import constraint_of
from db.queries import cards, schedules_due, schedules_jobs, servers
from db.queries.cards import ServerCard
from db.queries.rest import left_alone
from db.queries.schedules_due import DueSchedule, LiveJob
from db.queries.schedules_jobs import NewJob
from db.uow import Tx

_BEHIND: Final = "behind:"
"""Begins the dedupe key of a job with which a run begins that waits for another."""
_PUNCTUAL: Final = timedelta(minutes=1)
"""A run that begins later than this keeps the distances between its steps instead of their times."""


@dataclass
class Ran:
    """What a run did."""

    numbers: list[int] = field(default_factory=list[int])
    """Of the jobs that it made."""
    job: UUID | None = None
    """The job of what the schedule is for, on the first server."""
    left: list[tuple[str, Skip]] = field(default_factory=list[tuple[str, Skip]])
    """Servers that are left out, by name."""

    def outcome(self) -> Skip:
        """The run as a whole."""
        if self.numbers:
            return Skip("enqueued", "")
        if not self.left:
            return Skip("skipped_offline", "no server has its tag")
        name, first = self.left[0]
        others = f"; {len(self.left) - 1} more were left out" if len(self.left) > 1 else ""
        return Skip(first.status, f"{name}: {first.reason}{others}")


class Runs:
    """Begins runs: `look` with every schedule that may run, `begin` each, `write` them all."""

    def __init__(self, tx: Tx, org_id: UUID, now: datetime) -> None:
        self._tx, self._org, self._now = tx, org_id, now
        self._alone: dict[UUID, ServerCard] = {}
        self._tagged: dict[UUID, list[ServerCard]] = {}
        self._live: dict[UUID, list[LiveJob]] = {}
        self._rests: dict[UUID, str] = {}
        self._new: list[tuple[NewJob, Ran]] = []

    async def look(self, schedules: Iterable[DueSchedule]) -> None:
        """Reads how the servers of these schedules are."""
        session = self._tx.session
        known = list(schedules)
        if alone := frozenset(one.server_id for one in known if one.server_id):
            found = await cards.servers(session, self._org, scope=Scope(False, alone), limit=None)
            self._alone = {server.id: server for server in found}
        for one in known:
            if one.tag:
                those = Scope(True, frozenset(one.left_out))
                self._tagged[one.id] = await cards.servers(session, self._org, scope=those, tag=one.tag, limit=None)
        ids = {server.id for one in known for server in self.servers(one)}
        for job in await schedules_due.live(session, self._org, ids):
            self._live.setdefault(job.server_id, []).append(job)
        rests = await left_alone(session, self._org, ids, self._now)
        self._rests = {server_id: rest.words(self._now) for server_id, rest in rests.items()}

    def servers(self, schedule: DueSchedule) -> Sequence[ServerCard]:
        """The servers that a schedule is for now."""
        if schedule.server_id is None:
            return self._tagged.get(schedule.id, ())
        found = self._alone.get(schedule.server_id)
        return [found] if found else []

    async def begin(
        self, schedule: DueSchedule, steps: Sequence[Step], at: datetime, only: Collection[UUID] | None = None
    ) -> Ran:
        """Decides on a run that begins at a moment, which may just have passed. `only`: on these servers. `write` has
        to follow."""
        ran = Ran()
        begin = self._now if self._now - at > _PUNCTUAL else at
        for server in self.servers(schedule):
            meant = only is None or server.id in only
            if meant and (skip := await self._on(schedule, steps, server, begin, ran)):
                ran.left.append((server.name, skip))
        return ran

    async def write(self) -> None:
        """Writes the jobs of all runs that were decided on.

        Raises:
            Conflict: somebody's power action came in between; everything has to be rolled back and looked at again.
        """
        if not self._new:
            return
        await servers.lock_for_jobs(self._tx.session, self._org, {job.server_id for job, _ in self._new})
        jobs = await backups_begun.wanted_of_many(self._tx, self._org, [job for job, _ in self._new])
        try:
            numbers = await schedules_jobs.make(
                self._tx.session,
                self._org,
                jobs,
                priority=PRIORITY_OF["schedule"],
                author=self._tx.actor.user_id,
                typed_in=self._tx.actor.channel_id,
                now=self._now,
            )
        except IntegrityError as error:
            if constraint_of(error) != "fk_jobs_after":
                raise
            raise _overtaken() from error  # the job that was not written is one that others were to follow
        if len(numbers) < len(self._new):
            raise _overtaken()
        await backups_begun.begun_of_many(self._tx, self._org, jobs, numbers)
        for number, (_, ran) in zip(numbers, self._new, strict=True):
            ran.numbers.append(number)

    async def _on(
        self, schedule: DueSchedule, steps: Sequence[Step], server: ServerCard, begin: datetime, ran: Ran
    ) -> Skip | None:
        """Decides on the chain of one server, or says why there is none."""
        before = self._before(schedule, steps, server.id)
        waits = [job for job in before if job.status == "held" and _is_behind(job, schedule.id)]
        busy = before[0] if before and schedule.overlap != "queue" else waits[0] if waits else None
        target = Target(
            server.status,
            server.desired_state,
            server.host_online,
            server.capabilities,
            (busy.number or SOON) if busy else None,
            server.players_online,
            self._rests.get(server.id, ""),
        )
        done, skip = chain(steps, target, Conditions(schedule.only_when_online, schedule.only_when_empty))
        if not skip:
            await self._chain(schedule, done, server, begin, before, ran)
        return skip

    def _before(self, schedule: DueSchedule, steps: Sequence[Step], server_id: UUID) -> list[LiveJob]:
        """What is live on a server and does not go together with a run, oldest first."""
        exclusive = any(JOBS[step.does.job_type].exclusive for step in steps)
        return [
            job
            for job in self._live.get(server_id, ())
            if job.schedule_id == schedule.id or (job.is_exclusive and (exclusive or job.status == "running"))
        ]

    async def _chain(
        self,
        schedule: DueSchedule,
        steps: Sequence[Step],
        server: ServerCard,
        begin: datetime,
        before: Sequence[LiveJob],
        ran: Ran,
    ) -> None:
        after = await self._last(before)
        key = f"{_BEHIND}{schedule.id}:{server.id}:{self._now.timestamp():.6f}" if after else None
        guarded, after_any, aim = bool(before), after is not None, main(steps)
        for step in steps:
            if not guarded and (key := dedupe_key(step.does, server.id)):
                guarded = True  # one key a chain: the power actions of one do not refuse each other
            job = _job(schedule, step, server, begin, after=after, after_any=after_any, key=key)
            after, after_any, key = job.id, step.goes_on, None
            if step is aim and ran.job is None:
                ran.job = job.id
            self._new.append((job, ran))
            live = LiveJob(job.id, server.id, schedule.id, None, "queued", job.exclusive, None)
            self._live.setdefault(server.id, []).append(live)

    async def _last(self, before: Sequence[LiveJob]) -> UUID | None:
        """The job after which a run comes that waits; None where it ends in this moment."""
        if not before:
            return None
        last = before[-1]
        known = last.number is None or await schedules_due.still_live(self._tx.session, self._org, last.id)
        return last.id if known else None


def _overtaken() -> Conflict:
    return Conflict("Another action came in between.", "Try again; nothing was done.")


def _job(
    schedule: DueSchedule,
    step: Step,
    server: ServerCard,
    begin: datetime,
    *,
    after: UUID | None,
    after_any: bool,
    key: str | None,
) -> NewJob:
    spec, retries = JOBS[step.does.job_type], schedule.max_retries
    backoff = timedelta(seconds=schedule.backoff_sec) if retries else spec.backoff
    return NewJob(
        id=uuid4(),
        server_id=server.id,
        host_id=server.host_id,
        type=step.does.job_type.value,
        payload=params(step.does, step.text).dump(),
        exclusive=spec.exclusive,
        schedule_id=schedule.id,
        after=after,
        after_any=after_any,
        key=key,
        attempts=max(spec.max_attempts, retries + 1),
        backoff_sec=int(backoff.total_seconds()),
        timeout_sec=int(spec.timeout.total_seconds()),
        not_before=begin + timedelta(seconds=step.offset + schedule.lead_sec),
        waits_sec=None if spec.waits is None else spec.waits.total_seconds(),
    )


def _is_behind(job: LiveJob, schedule_id: UUID) -> bool:
    """Whether a job is the first one of a run that waits behind something else."""
    return (job.dedupe_key or "").startswith(f"{_BEHIND}{schedule_id}:")
