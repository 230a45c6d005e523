"""What a job of each type does: from its parameters to one call of a `GameServer`, and from that to an ending."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agent import wire
from agent.runtime.server import Report
from agent.tasks import bans, console, lifecycle, mods, players, power, saves
from agent.tasks.ending import Ending

__all__ = ["TASKS", "Ending", "Report", "Task"]


@dataclass(frozen=True)
class Task:
    """How the agent does jobs of one type."""

    run: Callable[..., Awaitable[Ending]]
    """Called with the server, the job's own parameter model and a `Report`."""
    timed: bool = False
    """Called with the seconds that it has, too: it ends within them by itself, and says how far it came."""
    fresh: bool = True
    """Look first what people want of the server now: its settings may have been changed by the same command."""
    forgets: bool = False
    """After a success the server is not this host's any more."""
    cancellable: frozenset[wire.Step] | None = None
    """The steps at which it may be cancelled; None: at any. At the others it is brought to its end."""
    left: Mapping[wire.Step, str] = field(default_factory=dict[wire.Step, str])
    """What is to be said of the server when it was cancelled at a step."""
    resumes: bool = False
    """What an agent that died has left of it is undone by the next one, which may then do it from the beginning."""


_SENT: Final = frozenset({wire.Step.STARTED})
"""What was sent to a game is not called back."""
_BEFORE_STOP: Final = frozenset({wire.Step.STARTED, wire.Step.SAVING})
"""A game that was told to end will end: who cancels later gets all of it, so that nothing stays down by mistake."""
_NOT_STOPPED: Final = {wire.Step.STARTED: "It runs on.", wire.Step.SAVING: "It was not stopped."}
_STARTED: Final = {
    wire.Step.STARTING: "It may have been launched already: look at the server.",
    wire.Step.WAITING_READY: "It was launched and runs on; only the wait was broken off.",
}

TASKS: Final[dict[type[wire.Params], Task]] = {
    wire.ServerCreate: Task(lifecycle.create),
    wire.ServerRemove: Task(lifecycle.remove, forgets=True, cancellable=_BEFORE_STOP, left=_NOT_STOPPED),
    wire.ServerStart: Task(power.start, left=_STARTED),
    wire.ServerStop: Task(power.stop, cancellable=_BEFORE_STOP, left=_NOT_STOPPED),
    wire.ServerRestart: Task(
        power.restart,
        cancellable=_BEFORE_STOP | {wire.Step.WAITING_READY},
        left=_NOT_STOPPED | {wire.Step.WAITING_READY: "It was stopped and runs again; only the wait was broken off."},
    ),
    wire.ServerKill: Task(power.kill, cancellable=_SENT),
    wire.ConsoleCommand: Task(console.command, fresh=False, cancellable=_SENT),
    wire.Announce: Task(console.announce, fresh=False, cancellable=_SENT),
    wire.PlayerKick: Task(players.kick, fresh=False, cancellable=_SENT),
    wire.BanSync: Task(bans.sync, fresh=False, timed=True),
    wire.ModInstall: Task(mods.install, cancellable=mods.CANCELLABLE, resumes=True),
    wire.SaveBackup: Task(saves.backup, fresh=False, resumes=True),
}
