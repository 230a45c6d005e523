"""What a server is doing, for the heartbeat."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agent import wire
from agent.runtime.caution import CautionReader
from agent.runtime.crash import duration
from agent.runtime.instance import Instance
from games.consoles import Console, ConsoleError, PlayerRow

PATIENCE: Final = 2.0
"""Seconds that a heartbeat waits for the console. A slower answer is used by the next one."""
_DOING: Final[dict[str, wire.Status]] = {"starting": "starting", "stopping": "stopping", "restarting": "starting"}


@dataclass(frozen=True)
class Probe:
    """What the console said."""

    reachable: bool
    latency_ms: float | None = None
    players: Sequence[PlayerRow] | None = None
    complete: bool = True


class StatusReader:
    """Reports on one server. Asks the console in the background, so that no console can hold up a heartbeat."""

    def __init__(self, server: Instance) -> None:
        self._server = server
        self._probe: asyncio.Task[Probe] | None = None
        self._asked: Console | None = None
        self._since: dict[tuple[str | None, str], float] = {}
        self._caution = CautionReader()

    async def read(self) -> wire.ServerReport:
        """The report; takes a little more than `PATIENCE` at most."""
        server, facts = self._server, self._server.memory.facts
        state = state_of(server)
        report = wire.ServerReport(
            id=server.spec.id,
            state=state,
            crashes=facts.crashes,
            note=note_of(server)[:300],
            mods_revision=server.mods.facts.revision,
        )
        if not server.process.alive:
            self._since.clear()
            return report
        started, usage = server.process.started_at, server.process.usage()
        running = {
            "cpu_percent": usage.cpu_percent,
            "memory_mb": usage.memory_mb,
            "started_at": datetime.fromtimestamp(started, UTC) if started else None,
        }
        asked = await self._of_console(state)
        return report.model_copy(update={**running, **self._of_template(), **asked, "caution": self._of_clock(state)})

    def close(self) -> None:
        """Ask no more."""
        self._caution.close()
        self._ask_no_more()

    def _ask_no_more(self) -> None:
        if self._probe is not None:
            self._probe.cancel()

    def _of_template(self) -> dict[str, object]:
        running = self._server.run()
        if running is None:
            return {}
        public = [one for one in running.resolved.ports if one.public]
        ports = [wire.Ports(name=one.name, proto=one.proto, port=one.port) for one in public]
        values = running.resolved.values
        most = next((values[name] for name in ("max_players", "max_clients") if name in values), None)
        where = next((values[name] for name in ("map", "world") if name in values), None)
        return {"ports": ports, "map": where, "max_players": int(most) if most and most.isdigit() else None}

    def _of_clock(self, state: wire.Status) -> wire.Caution | None:
        running = self._server.run()
        return self._caution.read(running) if running and state == "running" else None

    async def _of_console(self, state: wire.Status) -> dict[str, object]:
        running = self._server.run()
        if running is None or running.console is None or state not in ("running", "stopping"):
            return {}
        if self._probe is None or self._asked is not running.console:
            self._ask_no_more()  # asked of an earlier run
            self._asked = running.console
            self._probe = asyncio.create_task(_ask(running.console, players=running.resolved.players is not None))
        await asyncio.wait({self._probe}, timeout=PATIENCE)
        if not self._probe.done():
            return {"reachable": False}
        probe, self._probe = self._probe.result(), None
        players = None if probe.players is None else self._online(probe.players)
        return {"reachable": probe.reachable, "latency_ms": probe.latency_ms, "players": players}

    def _online(self, rows: Sequence[PlayerRow]) -> list[wire.OnlinePlayer]:
        now = time.monotonic()
        self._since = {key: self._since.get(key, now) for key in ((row.slot, row.name) for row in rows)}
        return [
            wire.OnlinePlayer(
                identities={kind: value for kind, value in row.identities.items() if value},
                name=row.name,
                slot=row.slot,
                since_sec=int(now - self._since[row.slot, row.name]),
            )
            for row in rows
        ]


async def _ask(console: Console, *, players: bool) -> Probe:
    began = time.monotonic()
    try:
        await console.connect()
    except ConsoleError:
        return Probe(reachable=False)
    if not players:
        return Probe(reachable=True)
    began = time.monotonic()
    rows, complete = await console.players()
    if not complete and not rows:
        return Probe(reachable=console.connected)
    return Probe(True, round(1000 * (time.monotonic() - began), 1), rows, complete)


def state_of(server: Instance) -> wire.Status:
    """The word for what it is doing."""
    facts, holder = server.memory.facts, server.lock.holder
    if facts.installed != "yes":
        words: dict[str, wire.Status] = {"under way": "installing", "failed": "install_failed", "no": "unknown"}
        return words[facts.installed]
    if holder in _DOING:
        stopping = holder == "restarting" and facts.ready
        return "stopping" if stopping else _DOING[holder]
    if server.process.alive or not facts.judged:  # what just ended is a crash or not: the watch says in a moment
        return "running" if facts.ready else "starting"
    if facts.crashed and server.spec.desired_state != "stopped":
        return "crashed"
    return "stopped"


def note_of(server: Instance) -> str:
    """Why it is in this state."""
    facts, spec = server.memory.facts, server.spec
    if facts.installed == "no":
        return "not created on this host"
    if facts.next_start is None or server.process.alive:
        return facts.note
    if spec.held:
        return f"{facts.note}; it is held, so it is not started again"
    if spec.desired_state == "stopped" or spec.restart_policy == "never":
        return f"{facts.note}; it is not started again"
    return f"{facts.note}; next start in {duration(max(0.0, facts.next_start - time.time()))}"
