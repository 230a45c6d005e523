"""SERVER_CREATE and SERVER_REMOVE."""

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def create(server: GameServer, _: wire.ServerCreate, report: Report) -> Ending:
    """Make its directory and files, or take over what is there."""
    return Ending.success(await server.create(report))


async def remove(server: GameServer, _: wire.ServerRemove, report: Report) -> Ending:
    """Stop it and put its directory aside."""
    return Ending.success(await server.remove(report))
