"""The process: command line, start sequence, frames, and the way out."""

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from bot.demo.sevendays import commands, mods
from bot.demo.sevendays.console import Console
from bot.demo.sevendays.control_server import ControlServer
from bot.demo.sevendays.journal import Journal
from bot.demo.sevendays.life import Life
from bot.demo.sevendays.metrics import metrics_line
from bot.demo.sevendays.server import Server
from bot.demo.sevendays.serverconfig import BadConfig, ServerConfig
from bot.demo.sevendays.settings import DemoSettings
from bot.demo.sevendays.telnet import Telnet

TELNET_AT = 1 / 3  # of the start-up time, as in the logs of real servers


@dataclass(frozen=True)
class CommandLine:
    """What is understood of the arguments; Unity's other switches mean nothing here."""

    log: Path | None
    config: Path

    @classmethod
    def parse(cls, arguments: list[str]) -> "CommandLine":
        log, config = None, "serverconfig.xml"
        for at, word in enumerate(arguments):
            if word.casefold() == "-logfile" and at + 1 < len(arguments):
                log = Path(arguments[at + 1])
            elif word.casefold().startswith("-configfile="):
                config = word.partition("=")[2]
        return cls(log, Path(config))


class Game:
    """One run, from the process's start to its end."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._telnet = Telnet(server, Console(server, commands.ALL))
        self._life = Life(server)
        self._control = ControlServer(server, self._life, directory)

    async def run(self) -> None:
        """Return when the game has ended cleanly."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._server.jobs.put_nowait, self._server.quit)
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(job) for job in (self._start(), self._life.run(), self._metrics(), self._watch())
            ]
            await self._frames()
            for task in background:
                task.cancel()
        await self._end()

    async def _start(self) -> None:
        server = self._server
        server.journal.noise("Mono path[0] = '7DaysToDieServer_Data/Managed'")
        server.journal.info(f"Version: {server.version_line}, Build: LinuxServer 64 Bit")
        await self._control.start()
        server.admin_file.start()
        server.mods = mods.load_all(server.mod_folders, server.journal)
        await asyncio.sleep(server.settings.start_seconds * TELNET_AT)
        if server.config.flag("TelnetEnabled"):
            await self._telnet.start()
        server.journal.info(f"StartAsServer: {server.config.text('GameWorld')}, {server.config.text('GameName')}")
        await asyncio.sleep(server.settings.start_seconds * (1 - TELNET_AT))
        server.world.open()
        server.journal.info("StartGame done")

    async def _frames(self) -> None:
        """One job a frame until one of them ends the game."""
        server = self._server
        while not server.quitting:
            job = await server.jobs.get()
            await server.faults.running()
            job()
            await asyncio.sleep(server.settings.frame_seconds)

    async def _metrics(self) -> None:
        while True:
            await asyncio.sleep(self._server.settings.metrics_seconds)
            await self._server.faults.running()
            self._server.journal.info(metrics_line(self._server))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._server.settings.watch_seconds)
            self._server.admin_file.watch()

    async def _end(self) -> None:
        server = self._server
        server.journal.info("Preparing quit")
        for player in list(server.world.players.values()):
            server.world.leave(player)
        server.journal.info("SaveAndCleanupWorld")
        if server.world.ready:
            server.world.save()
        await asyncio.sleep(server.settings.stop_seconds)
        server.journal.info("OnApplicationQuit")
        self._control.stop()
        await self._telnet.stop()


def main(arguments: list[str]) -> int:
    """Run until the game is shut down; the current directory is the server's. Returns the exit code."""
    given = CommandLine.parse(arguments)
    directory = Path.cwd()
    journal = Journal(given.log)
    try:
        server = Server.build(ServerConfig.load(directory / given.config), DemoSettings.load(directory), journal)
        asyncio.run(Game(server, directory).run())
    except (BadConfig, ValueError) as error:
        journal.error(str(error))
        return 1
    finally:
        journal.close()
    return os.EX_OK
