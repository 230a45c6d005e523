"""The ticks that this release has, each a plain async function that says what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.services.heartbeats import Heartbeats
from bot.services.jobs_sweep import JobSweep
from bot.services.retention import Retention

if TYPE_CHECKING:
    from db.engine import Database


@dataclass(frozen=True)
class Tick:
    """Some work, and how often."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[Mapping[str, int]]]
    """Says what it did, as counts; all zero: nothing."""
    first: timedelta = timedelta()
    """After the start."""


def ticks_of(db: Database) -> list[Tick]:
    """What has to be done every now and then.

    Leases and hosts are looked at only some time after the start: an agent that could not reach us while we were down
    reports within that time, and must not be taken for silent."""
    jobs, heartbeats, retention = JobSweep(db), Heartbeats(db), Retention(db)
    often, patience = timedelta(seconds=15), timedelta(seconds=30)
    return [
        Tick("leases.sweep", often, jobs.leases, first=patience),
        Tick("queue.expire", often, jobs.expiry, first=timedelta(seconds=5)),
        Tick("hosts.sweep", often, heartbeats.sweep, first=patience),
        Tick("partitions", timedelta(days=1), retention.partitions),
        Tick("retention", timedelta(hours=1), retention.old_rows, first=timedelta(minutes=5)),
        Tick("orgs.purge", timedelta(days=1), retention.left_orgs, first=timedelta(minutes=10)),
    ]
