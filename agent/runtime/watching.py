"""Following a game: its end is judged once, and what crashed is started again."""

import logging
import time
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.crash import Backoff, End, Verdict, judge
from agent.runtime.instance import Instance
from agent.runtime.keeper import boot_id
from agent.runtime.ports import LINGER, is_free
from agent.runtime.process import Exit
from agent.runtime.starting import launch
from agent.wire import Step

LOOK_EVERY: Final = 0.5
ON_ITS_WAY: Final = 300.0
"""Seconds that a game may take to end when its restart was broken off: it may have been told to already."""
log = logging.getLogger(__name__)


async def judge_end(server: Instance, backoff: Backoff) -> str:
    """Decide what follows the end of a game that nobody stopped through us; returns the note about it."""
    facts = server.memory.facts
    record = await server.process.ended()
    await server.forget_run()
    if facts.wanted == "stopped":
        server.settle(facts.note)
        return facts.note
    verdict = judge(server.spec.restart_policy, _end(server, record), facts.streak, backoff)
    _remember(server, verdict)
    return server.memory.facts.note


def _end(server: Instance, record: Exit) -> End:
    uptime = record.at - (server.process.started_at or record.at)
    if record.game is not None and record.game.boot_id != boot_id():
        return End("ended when the host restarted", clean=False, uptime=uptime)
    return End(str(record), clean=record.clean, uptime=uptime)


def _remember(server: Instance, verdict: Verdict) -> None:
    if not verdict.crashed:
        server.settle(verdict.note)
        return
    log.warning("server %s: %s", server.spec.slug, verdict.note)
    server.memory.update(
        judged=True,
        ready=False,
        crashed=True,
        crashes=server.memory.facts.crashes + 1,
        streak=verdict.streak,
        next_start=None if verdict.restart_in is None else time.time() + verdict.restart_in,
        note=verdict.note,
    )


def recover(server: Instance) -> None:
    """Clear up after a power action that was broken off, by the bot or by the end of an earlier agent."""
    facts, game = server.memory.facts, server.process.game
    if not facts.doing or server.lock.holder:
        return
    old = server.process.alive and facts.ready  # the game that a restart starts is not ready yet
    if old and facts.doing == "restarting" and not server.broken_off_for(ON_ITS_WAY):
        return  # if it ends now, that is our doing and nobody's wish
    if not server.process.alive and game != facts.game:
        server.memory.update(game=game, judged=False)  # it was started, and its end is judged next
    elif not server.process.alive and facts.wanted == "running":
        note = f"broken off while {facts.doing}"
        server.memory.update(judged=True, ready=False, crashed=True, next_start=time.time(), note=note)
    server.broken_off = None
    server.memory.update(doing="")


async def look(server: Instance, backoff: Backoff) -> None:
    """One look: keep it kept, notice that it is ready, judge its end, start it again when that is due."""
    if server.lock.holder:
        return  # whoever acts on it sees for himself
    recover(server)
    if server.process.alive:
        await _look_after(server)
    elif not server.memory.facts.judged:
        async with server.lock.hold("looking at how it ended"):  # else a start could come in between
            await judge_end(server, backoff)
    elif _due(server, backoff) and not _port_lingers(server):
        await _start_again(server, backoff)


async def _look_after(server: Instance) -> None:
    if server.process.needs_keeper:
        log.warning("server %s: its keeper is gone, it gets a new one", server.spec.slug)
        await server.process.attach()
    running = server.run()
    if running is None or server.memory.facts.ready:
        return
    if running.readiness.check():
        server.memory.update(ready=True)
    elif time.time() - (server.process.started_at or 0.0) > running.readiness.timeout:
        server.memory.update(ready=True, note=f"not seen to be ready: {running.readiness.missing}")


def _due(server: Instance, backoff: Backoff) -> bool:
    facts, spec = server.memory.facts, server.spec
    allowed = facts.wanted == "running" and spec.desired_state != "stopped" and spec.restart_policy != "never"
    if not allowed or spec.held or facts.next_start is None:
        return False
    left = facts.next_start - time.time()
    return left <= 0 or left > backoff.longest  # later than any start is set: the clock was put back meanwhile


def _port_lingers(server: Instance) -> bool:
    """Left of the crashed run. Waited for here and not in the start, which would hold the lock for a minute."""
    due = server.memory.facts.next_start or 0.0
    try:
        return time.time() - due < LINGER and not is_free(server.resolve())
    except TaskFailed:
        return False  # the start will say so


async def _to_nobody(_step: Step, _message: str) -> None:
    """No card shows what the host does by itself."""


async def _start_again(server: Instance, backoff: Backoff) -> None:
    async with server.lock.hold("starting after a crash"):
        if server.process.alive or not _due(server, backoff):
            return  # somebody was quicker
        try:
            await launch(server, _to_nobody, server.kills)
        except TaskFailed as error:
            end = End(str(error).rstrip("."), clean=False, uptime=0.0)
            _remember(server, judge(server.spec.restart_policy, end, server.memory.facts.streak, backoff))
