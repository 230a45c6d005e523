"""The ticks that this release has, each a plain async function that says what it did."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.services.alert_evaluation import AlertEvaluation
from bot.services.audit_retention import AuditRetention
from bot.services.audit_seals import Sealing
from bot.services.bans_sweep import BanSweep
from bot.services.heartbeats import Heartbeats
from bot.services.jobs_sweep import JobSweep
from bot.services.mods_sweep import ModSweep
from bot.services.panels import PanelWatch
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


class Patient:
    """Work that concludes something from silence: done only after this process and its database have been there without
    a break for some time. Whoever could not reach us meanwhile reports within it, and must not be taken for silent."""

    def __init__(self, work: Work, reachable: Callable[[], Awaitable[None]], patience: timedelta = PATIENCE) -> None:
        self._work, self._reachable, self._patience = work, reachable, patience.total_seconds()
        self._steady = self._last = -math.inf

    async def __call__(self) -> Mapping[str, int]:
        await self._reachable()
        now = time.monotonic()
        if now - self._last > self._patience:
            self._steady = now
        self._last = now
        return await self._work() if now - self._steady >= self._patience else {}


def ticks_of(db: Database) -> list[Tick]:
    """What has to be done every now and then."""
    jobs, heartbeats, retention = JobSweep(db), Heartbeats(db), Retention(db)
    alerts, bans = AlertEvaluation(db), BanSweep(db)
    often, soon = timedelta(seconds=15), timedelta(seconds=5)
    return [
        Tick("leases.sweep", often, Patient(jobs.leases, jobs.reachable), first=soon),
        Tick("queue.expire", often, jobs.expiry, first=soon),
        Tick("schedules.due", often, SchedulesDue(db).tick, first=soon),
        Tick("hosts.sweep", often, Patient(heartbeats.sweep, jobs.reachable), first=soon),
        Tick("alerts.evaluate", soon, alerts.states, first=soon),
        Tick("alerts.silence", soon, Patient(alerts.silence, jobs.reachable, ACCUSES_AFTER), first=soon),
        Tick("bans.reconcile", timedelta(seconds=30), bans.reconcile, first=soon),
        Tick("bans.expire", timedelta(minutes=1), bans.expire, first=soon),
        Tick("audit.seal", timedelta(minutes=1), Sealing(db).tick, first=soon),
        Tick("audit.retention", timedelta(hours=1), AuditRetention(db).tick, first=timedelta(minutes=5)),
        Tick("mods.sweep", timedelta(minutes=5), ModSweep(db).abandoned, first=timedelta(minutes=1)),
        Tick("panels.refresh", timedelta(seconds=10), PanelWatch(db).refresh, first=soon),
        Tick("partitions", timedelta(days=1), retention.partitions),
        Tick("retention", timedelta(hours=1), retention.old_rows, first=timedelta(minutes=5)),
        Tick("retention.streams", timedelta(days=1), retention.streams, first=timedelta(minutes=15)),
        Tick("orgs.purge", timedelta(days=1), retention.left_orgs, first=timedelta(minutes=10)),
    ]
