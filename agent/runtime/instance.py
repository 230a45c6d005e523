"""The parts of one server that its actions share."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent import wire
from agent.config import AgentConfig
from agent.errors import TaskFailed
from agent.runtime.home import Home, find_home
from agent.runtime.lock import PowerLock
from agent.runtime.logs import Follower
from agent.runtime.memory import Memory
from agent.runtime.mods_records import Records
from agent.runtime.process import PATH, GameProcess, Launch
from agent.runtime.readiness import Readiness, log_of
from agent.runtime.settings import Settings
from agent.runtime.trail import Position, before_start, end_of, files_of, older_than
from games.catalog import GameTemplate
from games.consoles import Console
from games.consoles.traces import Traces
from games.resolved import ResolvedTemplate
from games.sections.log import Log


@dataclass
class Running:
    """What was started: its template with the values of that moment, its console, and whether it is up."""

    resolved: ResolvedTemplate
    console: Console | None
    readiness: Readiness


@dataclass(frozen=True)
class LogSource:
    """How a game's log is read."""

    log: Log
    files: Callable[[], list[Path]]
    """Those that there are, oldest first."""
    joined: bool
    """Whether a line may begin in one file and end in the next."""
    redact: Callable[[str], str]
    ours: Callable[[str], bool]
    """Is this line what our own asking left? Then it is no news."""
    begin: Callable[[], Position]
    """Where to begin with a log that was never read."""


async def _nothing() -> None:
    """Nobody reads its log."""


class Instance:
    """A server's specification, directory, process, memory and console."""

    def __init__(self, spec: wire.ServerSpec, config: AgentConfig, catalog: Mapping[str, GameTemplate]) -> None:
        self.spec, self.config, self._catalog = spec, config, catalog
        self.directory = config.state_dir / "instances" / str(spec.id)
        self.memory = Memory(self.directory)
        self.process = GameProcess(self.directory / "keeper")
        self.settings = Settings(self.directory)
        self.mods = Records(self.directory)
        self.lock = PowerLock()
        self.banning = asyncio.Lock()
        """A job that the bot has given up may still be at the list of bans when the next one comes."""
        self.running: Running | None = None
        self.kills = 0
        """How often a person has killed it: who was at work meanwhile sees that it grew, and stops."""
        self.broken_off: float | None = None
        """When a power action was found that nobody carries on, on the clock of `time.monotonic`."""
        self.before_start: Callable[[], Awaitable[None]] = _nothing
        """The last chance to read a log that the game is about to begin anew."""

    @property
    def instances(self) -> Path:
        """Where all servers of this host are remembered."""
        return self.directory.parent

    def template(self) -> GameTemplate:
        """The host's own copy. Raises `TaskFailed` where this host may not or cannot run the game."""
        game = self.spec.game
        if not self.config.allows(game):
            raise TaskFailed(f"This host's configuration does not allow the game `{game}` (`templates`).")
        if game not in self._catalog:
            raise TaskFailed(f"This host has no template for the game `{game}`.")
        return self._catalog[game]

    def home(self) -> Home:
        """Where its files are."""
        return find_home(self.spec.slug, self.config)

    def created_home(self) -> Home:
        """Where its files are, for an action that needs them."""
        home = self.home()
        if self.memory.facts.installed != "yes" or not home.path.is_dir():
            raise TaskFailed(f"`{self.spec.slug}` has no directory on this host yet: it was never created here.")
        return home

    @property
    def wanted(self) -> dict[str, str]:
        """What people have chosen: its variables, and those that a deployment has set since."""
        return self.mods.values(self.spec.vars)

    def resolve(self) -> ResolvedTemplate:
        """The template with the values that people want now."""
        return self.settings.resolve(self.template(), self.created_home(), self.wanted)

    def log_source(self) -> LogSource:
        """With the values of its last start. Raises `TaskFailed`."""
        resolved = self.settings.last(self.template(), self.created_home())
        files = files_of(resolved, self.process.log)
        joined = resolved.log_glob is None
        begin = partial(self._log_begin, files, ours=joined)
        return LogSource(resolved.log, files, joined, resolved.redact, Traces(resolved).has, begin)

    def _log_begin(self, find: Callable[[], list[Path]], *, ours: bool) -> Position:
        """At the last start of the game: what was logged before is no news. Of a game taken over, all that is there."""
        files = find()
        if self.home().adopted and not ours:
            return end_of(files)
        return (
            before_start(files, *self.process.log_from) if ours else older_than(files, self.process.started_at or 0.0)
        )

    def launch(self, resolved: ResolvedTemplate) -> Launch:
        """How to start it."""
        zone = {"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}  # its times are read as ours
        env = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": str(resolved.directory), **zone, **resolved.env}
        size = int(self.config.log_mb * 1024**2)
        return Launch(resolved.argv, resolved.cwd, env, log_bytes=size, log_files=self.config.log_files)

    async def forget_run(self) -> None:
        """The game is gone: nothing of its run is of use any more."""
        running, self.running = self.running, None
        if running is not None:
            running.readiness.close()
            if running.console is not None:
                await running.console.close()

    def begin_run(self, resolved: ResolvedTemplate) -> Running:
        """Before a start: from here on the log is read."""
        log = Follower.from_end(log_of(resolved, self.process.log))
        return self._run(resolved, log)

    def run(self) -> Running | None:
        """What runs now. After the agent's own start it is found again, with the values of its start."""
        if self.running is None and self.process.alive:
            with contextlib.suppress(TaskFailed):  # a template that is not allowed any more
                self._find_run()
        return self.running

    def _find_run(self) -> None:
        template = self.template()
        resolved = self.settings.last(template, self.home())
        find = log_of(resolved, self.process.log)
        inode, offset = self.process.log_from if resolved.log_glob is None else (0, 0)
        running = self._run(resolved, Follower(find, inode=inode, offset=offset))
        if self.memory.facts.ready:
            running.readiness.close()

    def _run(self, resolved: ResolvedTemplate, log: Follower) -> Running:
        console = Console(resolved) if resolved.console is not None else None
        self.running = Running(resolved, console, Readiness(resolved, console, log))
        return self.running

    def broken_off_for(self, seconds: float) -> bool:
        """Was a broken off action found so long ago? The first call finds it."""
        self.broken_off = time.monotonic() if self.broken_off is None else self.broken_off
        return time.monotonic() - self.broken_off >= seconds

    def settle(self, note: str) -> None:
        """It is down and stays down until somebody asks for it."""
        self.memory.update(
            wanted="stopped", judged=True, ready=False, crashed=False, streak=0, next_start=None, note=note
        )

    def last_words(self) -> str:
        """The last line that the game wrote, as a sentence, without its secrets."""
        lines = [line for line in self.process.tail() if line.strip()]
        if not lines or self.running is None:
            return ""
        return f" Its last words: {self.running.resolved.redact(lines[-1].strip())[:300]}"

    def console(self) -> Console:
        """The console of the running game. Raises `TaskFailed` when there is nothing to talk to."""
        if not self.process.alive:
            raise TaskFailed(f"`{self.spec.slug}` does not run.")
        template, running = self.template(), self.run()
        if running is None or running.console is None:
            raise TaskFailed(f"{template.name} has no console.")
        return running.console
