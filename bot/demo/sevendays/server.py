"""The parts of one running server, together: what commands, control channel and invented players act on."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo.sevendays.admin_file import AdminFile
from bot.demo.sevendays.faults import Faults
from bot.demo.sevendays.journal import Journal
from bot.demo.sevendays.mods import Mod
from bot.demo.sevendays.serverconfig import ServerConfig
from bot.demo.sevendays.settings import DemoSettings
from bot.demo.sevendays.world import World

VERSION = "V 2.5 (b32)"
COMPATIBILITY = "V 2.5"

Job = Callable[[], None]


@dataclass
class Server:
    """Everything that happens in the game happens in a frame, one job after the other, in the order of `jobs`."""

    config: ServerConfig
    settings: DemoSettings
    journal: Journal
    world: World
    admin_file: AdminFile
    rng: random.Random
    mods: list[Mod] = field(default_factory=list[Mod])
    faults: Faults = field(default_factory=Faults)
    jobs: asyncio.Queue[Job] = field(default_factory=asyncio.Queue[Job])
    quitting: bool = False

    @classmethod
    def build(cls, config: ServerConfig, settings: DemoSettings, journal: Journal) -> "Server":
        """Put the parts together; nothing is read or opened yet."""
        folder = config.saves / config.text("GameWorld") / config.text("GameName")
        rng = random.Random(settings.seed)  # noqa: S311  # repeatable, and nothing depends on it
        admin_file = AdminFile(config.saves / config.text("AdminFileName"), journal)
        world = World(folder, journal, rng, journal.uptime, settings.first_day)
        return cls(config, settings, journal, world, admin_file, rng)

    def quit(self) -> None:
        """Leave the loop after the job that is being done."""
        self.quitting = True

    @property
    def version_line(self) -> str:
        return f"{VERSION} Compatibility Version: {COMPATIBILITY}"

    @property
    def mod_folders(self) -> list[Path]:
        """Where mods are looked for: beside the game, then in the user's data."""
        return [self.config.directory / "Mods", self.config.user_data / "Mods"]
