"""What a job of each type does: from its parameters to one call of a `GameServer`, and from that to an ending."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from agent import wire
from agent.runtime.server import Report
from agent.tasks import bans, console, lifecycle, mods, players, power
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
    resumes: bool = False
    """What an agent that died has left of it is undone by the next one, which may then do it from the beginning."""


TASKS: Final[dict[type[wire.Params], Task]] = {
    wire.ServerCreate: Task(lifecycle.create),
    wire.ServerRemove: Task(lifecycle.remove, forgets=True),
    wire.ServerStart: Task(power.start),
    wire.ServerStop: Task(power.stop),
    wire.ServerRestart: Task(power.restart),
    wire.ServerKill: Task(power.kill),
    wire.ConsoleCommand: Task(console.command, fresh=False),
    wire.Announce: Task(console.announce, fresh=False),
    wire.PlayerKick: Task(players.kick, fresh=False),
    wire.BanSync: Task(bans.sync, fresh=False, timed=True),
    wire.ModInstall: Task(mods.install, cancellable=mods.CANCELLABLE, resumes=True),
}
