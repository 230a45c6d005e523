"""Invented players who come, talk, die and go by themselves, the same way for the same seed."""

import asyncio
import random

from bot.demo.sevendays import login
from bot.demo.sevendays.players import Player
from bot.demo.sevendays.server import Server

NAMES = ("Marla", "Old Tom", "zed_runner", "Käthe", "Nils 2", "Brick")
LINES = (
    "anyone near the trader?",
    "blood moon tonight, get inside",
    "who took my minibike",
    "brb",
    "gg",
    "need 200 iron, paying in dukes",
)


class Life:
    """Off until `switch`. At most as many are in the game as the server has room for."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._rng = random.Random(server.settings.seed)  # noqa: S311  # repeatable, and nothing depends on it
        self._on = asyncio.Event()
        self.switch(on=server.settings.life)

    def switch(self, *, on: bool) -> None:
        """Those who are in the game stay there when it is switched off."""
        if on:
            self._on.set()
        else:
            self._on.clear()

    async def run(self) -> None:
        """For ever. The world is never quite empty once the first has come."""
        while True:
            await self._on.wait()
            await self._server.faults.running()
            pause = 1.0
            if self._server.world.ready:
                self.act()
                pause = self._rng.uniform(0.3, 1.7)  # drawn only here, or a slow start would change the whole life
            await asyncio.sleep(self._server.settings.life_seconds * pause)

    def act(self) -> None:
        """Let one thing happen."""
        here = [player for name in NAMES if (player := self._server.world.named(name))]
        away = [name for name in NAMES if self._server.world.named(name) is None]
        roll = self._rng.random()
        if away and (len(here) < 2 or roll < 0.25):
            name = self._rng.choice(away)
            login.join(self._server, login.visitor(name, None, None, None, f"192.0.2.{NAMES.index(name) + 10}"))
        elif roll < 0.65:
            self._server.world.chat(self._rng.choice(here), self._rng.choice(LINES))
        elif roll < 0.85:
            self._fight(self._rng.choice(here))
        elif len(here) > 2:
            self._server.world.leave(self._rng.choice(here))

    def _fight(self, player: Player) -> None:
        player.zombies += self._rng.randint(1, 9)
        player.level += self._rng.randint(0, 1)
        if self._rng.random() < 0.3:
            self._server.world.die(player)
