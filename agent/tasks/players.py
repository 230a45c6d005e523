"""PLAYER_KICK."""

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def kick(server: GameServer, params: wire.PlayerKick, report: Report) -> Ending:
    """Find them in the game's own list, kick, and see that they are gone."""
    return Ending.success(await server.kick(params.identities, params.name, params.reason, report))
