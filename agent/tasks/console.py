"""CONSOLE_COMMAND and ANNOUNCE."""

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending


async def command(server: GameServer, params: wire.ConsoleCommand, report: Report) -> Ending:
    """A person's line on the game's console, with the values that were entered for it."""
    await report(wire.Step.SENDING, "")
    return Ending.of(await server.command(params.command, params.values))


async def announce(server: GameServer, params: wire.Announce, report: Report) -> Ending:
    """Say something to everybody on the server."""
    await report(wire.Step.SENDING, "")
    return Ending.of(await server.announce(params.text))
