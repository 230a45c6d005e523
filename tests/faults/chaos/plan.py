"""How large a run is, and how long."""

import os
import time
from dataclasses import dataclass
from typing import Final

from bot.domain.jobs import LEASE


@dataclass(frozen=True)
class Plan:
    """One run of the chaos. Seconds where nothing else is said."""

    seed: str
    seconds: float
    """How long processes are struck."""
    jobs: int
    run_lease: float = LEASE.total_seconds()
    """How long a claim and each report hold a run."""
    long_stop: float = 0.0
    """One agent stands still for so long that its runs are given up while it stands."""
    drain: float = 300.0
    """After the last stroke: until every job and every message has ended."""
    kill_postgres: bool = False
    hosts: int = 4
    servers: int = 200
    up: int = 48
    """Servers that are started first, so that there are consoles to talk to."""

    @property
    def patient(self) -> bool:
        """Nothing is hurried: lapsed leases are left to the replicas' own sweep, messages to their own minute."""
        return self.run_lease == LEASE.total_seconds()


SOAK: Final = "SOAK"
SEED: Final = "CHAOS_SEED"
KILL_POSTGRES: Final = "CHAOS_KILL_POSTGRES"


def plan() -> Plan:
    """A minute, or (SOAK=1) five. CHAOS_SEED=… strikes and asks as an earlier run did."""
    seed = os.environ.get(SEED) or f"{time.time_ns() % 10**9}"
    if os.environ.get(SOAK):
        kill = bool(os.environ.get(KILL_POSTGRES))
        return Plan(seed, seconds=300, jobs=2000, long_stop=110.0, kill_postgres=kill)
    return Plan(seed, seconds=60, jobs=300, run_lease=20.0, long_stop=26.0, drain=120.0)
