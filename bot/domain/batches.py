"""One action on many servers: which of them are left out, how many more may begin, and when all of it is over."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from bot.domain.actions import ACTIONS, Action
from bot.domain.jobs import JobType

MOST_PARALLEL: Final = 50
MOST_SERVERS: Final = 500
"""Written in one transaction, which nobody should have to wait for."""
DEPLOY: Final = Action("deploy", JobType.MOD_INSTALL, "mods")
BATCHED: Final[Mapping[str, Action]] = {
    **{name: ACTIONS[name] for name in ("restart", "stop", "start", "announce")},
    DEPLOY.name: DEPLOY,
}
DISTURBING: Final = frozenset(BATCHED) - {"announce"}
"""Servers that are held or in maintenance are spared these."""
Kind = Literal["denied", "unseen", "held", "maintenance", "busy", "unable", "removed"]
"""Why a server is left out. `unseen`: denied, and its author may not even know of it."""


@dataclass(frozen=True)
class LeftOut:
    """A server on which nothing is done, and why."""

    server: str
    """Its id."""
    name: str
    kind: Kind
    reason: str
    """As it was typed: whoever shows it makes it safe."""

    def dump(self) -> dict[str, str]:
        return {"server": self.server, "name": self.name, "kind": self.kind, "reason": self.reason}

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "LeftOut":
        return cls(stored["server"], stored["name"], stored["kind"], stored["reason"])


@dataclass(frozen=True)
class Target:
    """A server as its turn finds it."""

    status: str
    host_online: bool
    capabilities: Collection[str]


def unable(action: Action, target: Target) -> str:
    """Why an action makes no sense on a server now; empty: it does. A host that is away may be back in time."""
    if action.capability not in target.capabilities:
        return f"its game cannot {action.capability} here"
    status = target.status
    if status in ("installing", "install_failed"):
        return "it is not set up yet"
    match action.name:
        case "restart":
            return f"it is {status}, and a restart would start it" if status in ("stopped", "stopping") else ""
        case "stop":
            return "it is stopped already" if status == "stopped" else ""
        case "start":
            return f"it is {status} already" if target.host_online and status in ("running", "starting") else ""
        case "announce" if not target.host_online:
            return "its host is offline"
        case "announce":
            return "" if status in ("running", "starting") else f"it is {status}"
        case _:
            return ""


@dataclass(frozen=True)
class Counts:
    """How the jobs of a batch stand."""

    held: int = 0
    queued: int = 0
    running: int = 0
    success: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0

    @property
    def under_way(self) -> int:
        """Their host has them or may take them."""
        return self.queued + self.running

    @property
    def not_done(self) -> int:
        """They failed, or their host did not come in time."""
        return self.failed + self.expired


def room(counts: Counts, parallel: int) -> int:
    """How many more may begin."""
    return min(counts.held, max(0, parallel - counts.under_way))


def stops(counts: Counts, *, stop_on_failure: bool) -> bool:
    """Whether a batch that goes on begins nothing more. Where nothing waits there is nothing to stop."""
    return stop_on_failure and counts.not_done > 0 and counts.held > 0


def end_of(counts: Counts, *, stopped: bool) -> Literal["done", "cancelled"] | None:
    """How a batch has ended; None: it goes on."""
    if counts.held or counts.under_way:
        return None
    return "cancelled" if stopped else "done"
