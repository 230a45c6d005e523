"""MOD_INSTALL."""

from typing import Final

from agent import wire
from agent.runtime.server import GameServer, Report
from agent.tasks.ending import Ending

CANCELLABLE: Final = frozenset({wire.Step.STARTED, wire.Step.DOWNLOADING, wire.Step.UNPACKING})


async def install(server: GameServer, params: wire.ModInstall, report: Report) -> Ending:
    """Put one version of a mod in the place of the other. What the game does not take is a failure, and taken back."""
    result = await server.install_mod(params, report)
    output = "\n".join(result.verified)
    if result.state == "installed":
        return Ending("success", output=output, result=result.dump())
    return Ending("failed", output=output, error=result.detail, result=result.dump())
