"""The ticks that this release has, each a plain async function that says what it did, and the duties they belong to.

A duty is held by one process at a time (`bot.workers.leading`), and every change that is made under it checks that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.services.alert_evaluation import AlertEvaluation
from bot.services.audit_retention import AuditRetention
from bot.services.audit_seals import Sealing
from bot.services.bans_sweep import BanSweep
from bot.services.batches_tending import BatchSweep
from bot.services.heartbeats import Heartbeats
from bot.services.holds import Holds
from bot.services.jobs_archive import JobArchive
from bot.services.jobs_sweep import JobSweep
from bot.services.maintenance_due import MaintenanceDue
from bot.services.mods_sweep import ModSweep
from bot.services.panels import PanelWatch
from bot.services.power_due import PowerPlans
from bot.services.power_reconcile import Reconciler
from bot.services.retention import Retention
from bot.services.schedules_due import SchedulesDue

if TYPE_CHECKING:
    from db.engine import Database


PATIENCE: Final = timedelta(seconds=30)
ACCUSES_AFTER: Final = timedelta(seconds=90)
"""Before hosts are accused of silence: after a long absence of ours an agent may wait a minute between its attempts."""
Work = Callable[[], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True)
class Tick:
    """Some work, and how often."""

    name: str
    every: timedelta
    work: Work
    """Says what it did, as counts; all zero: nothing."""
    first: timedelta = timedelta()
    """After the start."""
    duty: str = ""
    """Who does it has this duty; empty: every process does."""


class Patient:
    """Work that concludes something from silence: done only after this process and its database have been there without
    a break for some time. Whoever could not reach us meanwhile reports within it, and must not be taken for silent."""

    def __init__(self, work: Work, reachable: Callable[[], Awaitable[None]], patience: timedelta = PATIENCE) -> None:
        self._work, self._reachable, self._patience = work, reachable, patience.total_seconds()
        self._steady = self._last = -math.inf

    async def watch(self) -> bool:
        """Looks whether the database is there; True once it has been for long enough."""
        await self._reachable()
        now = time.monotonic()
        if now - self._last > self._patience:
            self._steady = now
        self._last = now
        return now - self._steady >= self._patience

    async def __call__(self) -> Mapping[str, int]:
        return await self._work() if await self.watch() else {}


_OFTEN: Final = timedelta(seconds=15)
_SOON: Final = timedelta(seconds=5)


def _jobs(db: Database) -> list[Tick]:
    jobs = JobSweep(db)
    return [
        Tick("leases.sweep", _OFTEN, Patient(jobs.leases, jobs.reachable), first=_SOON),
        Tick("queue.expire", _OFTEN, jobs.expiry, first=_SOON),
        Tick("jobs.archive", timedelta(minutes=10), JobArchive(db).tick, first=timedelta(minutes=2)),
        Tick("batches.tend", _OFTEN, BatchSweep(db).tick, first=_SOON),
        Tick("mods.sweep", timedelta(minutes=5), ModSweep(db).abandoned, first=timedelta(minutes=1)),
    ]


def _schedules(db: Database) -> list[Tick]:
    return [Tick("schedules.due", _OFTEN, SchedulesDue(db).tick, first=_SOON)]


def _power(db: Database) -> list[Tick]:
    return [
        Tick("power.plans", _SOON, PowerPlans(db).tick, first=_SOON),
        Tick("jobs.reconcile", _SOON, Reconciler(db).tick, first=timedelta(minutes=1)),
    ]


def _rest(db: Database) -> list[Tick]:
    return [
        Tick("maintenance", _OFTEN, MaintenanceDue(db).tick, first=_SOON),
        Tick("holds.expire", _OFTEN, Holds(db).expire, first=_SOON),
    ]


def _alerts(db: Database) -> list[Tick]:
    alerts, reachable = AlertEvaluation(db), JobSweep(db).reachable
    return [
        Tick("hosts.sweep", _OFTEN, Patient(Heartbeats(db).sweep, reachable), first=_SOON),
        Tick("alerts.evaluate", _SOON, alerts.states, first=_SOON),
        Tick("alerts.silence", _SOON, Patient(alerts.silence, reachable, ACCUSES_AFTER), first=_SOON),
    ]


def _bans(db: Database) -> list[Tick]:
    bans = BanSweep(db)
    return [
        Tick("bans.reconcile", timedelta(seconds=30), bans.reconcile, first=_SOON),
        Tick("bans.expire", timedelta(minutes=1), bans.expire, first=_SOON),
    ]


def _audit(db: Database) -> list[Tick]:
    return [
        Tick("audit.seal", timedelta(minutes=1), Sealing(db).tick, first=_SOON),
        Tick("audit.retention", timedelta(hours=1), AuditRetention(db).tick, first=timedelta(minutes=5)),
    ]


def _boards(db: Database) -> list[Tick]:
    return [Tick("panels.refresh", timedelta(seconds=10), PanelWatch(db).refresh, first=_SOON)]


def _upkeep(db: Database) -> list[Tick]:
    retention = Retention(db)
    return [
        Tick("partitions", timedelta(days=1), retention.partitions),
        Tick("retention", timedelta(hours=1), retention.old_rows, first=timedelta(minutes=5)),
        Tick("retention.streams", timedelta(days=1), retention.streams, first=timedelta(minutes=15)),
        Tick("orgs.purge", timedelta(days=1), retention.left_orgs, first=timedelta(minutes=10)),
    ]


DUTIES: Final[Mapping[str, Callable[[Database], list[Tick]]]] = {
    "jobs": _jobs,  # two would give the same run up and the same job a new attempt, one of them in vain
    "schedules": _schedules,  # what is due is due once; the order of what is due together is kept
    "power": _power,  # what waits is done once, and its players are told once
    "rest": _rest,  # what begins or ends is told once
    "alerts": _alerts,  # a rule is judged from the state that its last judgement left
    "bans": _bans,  # two would find the same difference and order it twice
    "audit": _audit,  # a seal follows the one before it
    "boards": _boards,  # remembers what every board showed when it last looked
    "upkeep": _upkeep,  # deletes in batches that two would fight over
}
"""Each duty, its ticks, and why one process at a time has it."""


def ticks_of(db: Database, under: Callable[[str], Database] | None = None) -> list[Tick]:
    """What has to be done every now and then. `under` gives the database as whoever has a duty writes to it; without it
    nothing is checked."""
    return [replace(tick, duty=duty) for duty, ticks in DUTIES.items() for tick in ticks(under(duty) if under else db)]
