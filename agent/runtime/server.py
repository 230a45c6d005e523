"""One game server on this host: everything that a job or the watch may do with it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from agent import wire
from agent.config import AgentConfig

if TYPE_CHECKING:
    from games.catalog import GameTemplate

    from games.consoles import Answer

Report = Callable[[wire.Step, str], Awaitable[None]]
"""Tells the bot what is being done; raises `Cancelled` when the bot asked for it."""


class GameServer:
    """A server's directory, its process, its console and what is remembered of it.

    Methods raise `TaskFailed` with a sentence for the person who asked. Power actions exclude each other; `kill`
    passes.
    """

    def __init__(self, spec: wire.ServerSpec, config: AgentConfig, catalog: "Mapping[str, GameTemplate]") -> None:
        self.spec = spec

    def update(self, spec: wire.ServerSpec) -> None:
        """What people want has changed. Settings take effect at the next start."""

    async def create(self, report: Report) -> str:
        """Make the directory and the template's files, or take over one that the configuration lists."""
        raise NotImplementedError

    async def remove(self, report: Report) -> str:
        """Stop it and put its directory aside under a name that says so; adopted directories stay as they are."""
        raise NotImplementedError

    async def start(self, report: Report) -> str:
        """Start it and wait until it is ready."""
        raise NotImplementedError

    async def stop(self, report: Report) -> str:
        """Save and stop, by the template's ladder."""
        raise NotImplementedError

    async def restart(self, report: Report) -> str:
        """Save, stop, start, wait until it is ready."""
        raise NotImplementedError

    async def kill(self) -> str:
        """End it now. Works while another action hangs."""
        raise NotImplementedError

    async def command(self, line: str) -> "Answer":
        """A person's console line."""
        raise NotImplementedError

    async def announce(self, text: str) -> "Answer":
        """Say something to everybody on the server."""
        raise NotImplementedError

    async def kick(self, identities: Mapping[str, str], name: str, reason: str, report: Report) -> str:
        """Find the player in the game's own list, kick, and see that they are gone."""
        raise NotImplementedError

    async def status(self) -> wire.ServerReport:
        """What it is doing now; answers within 3 s whatever the console does."""
        raise NotImplementedError

    async def adopt(self) -> None:
        """Find the running game again after the agent itself was started."""

    async def watch(self) -> None:
        """Follow the process and start it again after a crash, until cancelled."""

    async def close(self) -> None:
        """The agent ends: let go of the console. The game runs on."""
