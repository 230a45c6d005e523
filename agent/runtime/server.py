"""One game server on this host: everything that a job or the watch may do with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from agent import wire
from agent.config import AgentConfig
from agent.errors import TaskFailed
from agent.runtime import bans, creating, kick, saves, watching
from agent.runtime.crash import Backoff
from agent.runtime.instance import Instance, LogSource
from agent.runtime.mods import deployment
from agent.runtime.mods.download import Fetch
from agent.runtime.mods.inventory import Inventory
from agent.runtime.mods.swap import Swap
from agent.runtime.power import Power
from agent.runtime.starting import Report
from agent.runtime.status import StatusReader, state_of
from games.catalog import GameTemplate
from games.consoles import Answer

log = logging.getLogger(__name__)

__all__ = ["GameServer", "LogSource", "Report"]


class GameServer:
    """A server's directory, its process, its console and what is remembered of it.

    Methods raise `TaskFailed` with a sentence for the person who asked. Power actions exclude each other; `kill`
    passes. After construction: `adopt()` once, then `watch()` as a task of its own.
    """

    def __init__(
        self,
        spec: wire.ServerSpec,
        config: AgentConfig,
        catalog: Mapping[str, GameTemplate],
        *,
        backoff: Backoff | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._server = Instance(spec, config, catalog)
        self._backoff = backoff or Backoff()
        self._power = Power(self._server, self._backoff)
        self._status = StatusReader(self._server)
        self._inventory = Inventory(self._server.mods)
        self._fetch = fetch

    @property
    def spec(self) -> wire.ServerSpec:
        """The server as people want it."""
        return self._server.spec

    @property
    def state(self) -> wire.Status:
        """The word for what it is doing; asks neither the console nor the network."""
        try:
            return state_of(self._server)
        except TaskFailed:  # its record is damaged
            return "unknown"

    def on_start(self, read_log: Callable[[], Awaitable[None]]) -> None:
        """What is to be done before each start: a game may begin its log anew."""
        self._server.before_start = read_log

    def log_source(self) -> LogSource | None:
        """How its log is read; None where it was not created, or its template or settings do not say."""
        try:
            return self._server.log_source()
        except TaskFailed:
            return None

    def update(self, spec: wire.ServerSpec) -> None:
        """What people want has changed. Settings take effect at the next start."""
        self._server.spec = spec

    async def create(self, report: Report) -> str:
        """Make the directory and the template's files, or take over one that is there."""
        return await creating.create(self._server, report)

    async def remove(self, report: Report) -> str:
        """Stop it and put its directory aside under a name that says so; adopted directories stay as they are."""
        return await creating.remove(self._server, report)

    async def start(self, report: Report) -> str:
        """Start it and wait until it is ready."""
        return await self._power.start(report)

    async def stop(self, report: Report) -> str:
        """Save and stop, by the template's ladder."""
        return await self._power.stop(report)

    async def restart(self, report: Report) -> str:
        """Save, stop, start, wait until it is ready. What does not run is only started."""
        return await self._power.restart(report)

    async def kill(self) -> str:
        """End it now. Works while another action hangs."""
        return await self._power.kill()

    async def command(self, line: str, values: Mapping[str, str] | None = None) -> Answer:
        """A person's console line, with values for its `{{name}}`. Refused, not raised, when the game is down."""
        try:
            return await self._server.console().command(line, values)
        except TaskFailed as error:
            return Answer("refused", reason=str(error))

    async def announce(self, text: str) -> Answer:
        """Say something to everybody on the server."""
        try:
            return await self._server.console().action("say", {"text": text})
        except TaskFailed as error:
            return Answer("refused", reason=str(error))

    async def kick(self, identities: Mapping[str, str], name: str, reason: str, report: Report) -> str:
        """Find the player in the game's own list, kick, and see that they are gone."""
        return await kick.kick(self._server, identities, name, reason, report)

    async def sync_bans(self, items: Sequence[wire.BanItem], report: Report, seconds: float) -> list[wire.BanReceipt]:
        """Bring the game's own list of bans to what is wanted; a receipt for each item, within `seconds`."""
        return await bans.sync(self._server, items, report, seconds)

    async def install_mod(self, params: wire.ModInstall, report: Report) -> wire.ModInstallResult:
        """Put a version of a mod in the place of the other, and back when the game does not take it."""
        if self._fetch is None:
            raise TaskFailed("This agent has no line to the bot, so it cannot fetch the file.")
        return await deployment.install(self._server, self._power, self._fetch, params, report)

    async def backup(self, params: wire.SaveBackup, report: Report) -> wire.SaveBackupResult:
        """Pack what the game has saved, and keep it on this host."""
        return await saves.backup(self._server, params, report)

    async def mods(self) -> wire.ModList | None:
        """Which mods lie there; None where nothing can be said now."""
        server = self._server
        try:
            if server.template().mods is None or Swap.left(server.directory) is not None:
                return None
            resolved = server.settings.last(server.template(), server.created_home())
            await asyncio.to_thread(self._inventory.look, resolved.mod_dirs)
            return self._inventory.seen()
        except (TaskFailed, OSError):
            return None

    async def status(self) -> wire.ServerReport:
        """What it is doing now; answers within 3 s whatever the console does."""
        return await self._status.read()

    async def adopt(self) -> None:
        """Find the running game again after the agent itself was started, and what an interrupted action left."""
        server = self._server
        self._end_swap()
        saves.clear_up(server)
        if server.process.alive:
            server.memory.update(game=server.process.game, judged=False, installed="yes")
            if server.run() is None:
                server.memory.update(note="it runs, but its template or settings do not say how to talk to it")
        await watching.look(server, self._backoff)

    def _end_swap(self) -> None:
        """Mods first: the game may be started the moment after."""
        server = self._server
        try:
            done = deployment.clear_up(server)
        except (TaskFailed, OSError) as error:
            log.error("%s: %s", server.spec.slug, error)
            server.memory.update(note=str(error))
            return
        if done:
            log.warning("%s: %s", server.spec.slug, done)

    async def watch(self) -> None:
        """Follow the process and start it again after a crash, until cancelled."""
        while True:
            await watching.look(self._server, self._backoff)
            await asyncio.sleep(watching.LOOK_EVERY)

    async def close(self) -> None:
        """The agent ends: let go of the console. The game runs on."""
        self._status.close()
        await self._server.forget_run()
