"""SERVER_START, SERVER_STOP, SERVER_RESTART, SERVER_KILL."""

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def start(server: GameServer, _: wire.ServerStart, report: Report) -> Ending:
    """Start it and wait until it is ready."""
    return Ending.success(await server.start(report))


async def stop(server: GameServer, _: wire.ServerStop, report: Report) -> Ending:
    """Save and stop."""
    return Ending.success(await server.stop(report))


async def restart(server: GameServer, _: wire.ServerRestart, report: Report) -> Ending:
    """Save, stop, start, wait until it is ready."""
    return Ending.success(await server.restart(report))


async def kill(server: GameServer, _: wire.ServerKill, report: Report) -> Ending:
    """End it now, whatever else is being done with it."""
    await report(wire.Step.STOPPING, "")
    return Ending.success(await server.kill())
