"""The world: who is in it, what time it is there, and what a save leaves on the disk."""

import json
import random
from collections.abc import Callable
from pathlib import Path

from bot.demo.sevendays.admins import local_now
from bot.demo.sevendays.journal import Journal
from bot.demo.sevendays.players import Player

DAY_SECONDS = 3600.0  # of real time
FIRST_ENTITY = 171


class World:
    """Exists from the start of the process; `ready` once the game has been started in it."""

    def __init__(
        self, folder: Path, journal: Journal, rng: random.Random, uptime: Callable[[], float], first_day: float
    ) -> None:
        self.ready = False
        self.players: dict[int, Player] = {}
        self._folder = folder
        self._journal = journal
        self._rng = rng
        self._uptime = uptime
        self._days = first_day
        self._entities: dict[str, int] = {}

    def open(self) -> None:
        """Load what an earlier process has saved, and let players in."""
        path = self._folder / "main.ttw"
        if path.exists():
            saved = json.loads(path.read_text("utf-8"))
            self._days, self._entities = saved["days"], saved["entities"]
        self._days -= self._uptime() / DAY_SECONDS
        self.ready = True

    def save(self) -> None:
        """A save is a readable file here, so that a backup can be compared."""
        self._folder.mkdir(parents=True, exist_ok=True)
        state = {"days": self._now(), "entities": self._entities, "saved": str(local_now())}
        (self._folder / "main.ttw").write_text(json.dumps(state), "utf-8")

    def clock(self) -> str:
        """The time in the game: `Day 1, 08:28`."""
        days, rest = divmod(self._now(), 1.0)
        return f"Day {int(days) + 1}, {int(rest * 24):02}:{int(rest * 1440) % 60:02}"

    def enter(self, player: Player) -> int:
        """Put an accepted player into the world. Somebody who was here before has the same entity id again."""
        known = player.user_id in self._entities
        player.entity = self._entities.setdefault(player.user_id, FIRST_ENTITY + len(self._entities))
        player.position = (self._rng.uniform(-900, 900), self._rng.uniform(40, 80), self._rng.uniform(-900, 900))
        self.players[player.entity] = player
        self._journal.info(f"RequestToEnterGame: {player.user_id}/{player.name}")
        self._journal.info(f"GMSG: Player '{player.name}' joined the game")
        self._spawned(player, "JoinMultiplayer" if known else "EnterMultiplayer")
        return player.entity

    def leave(self, player: Player) -> None:
        """The player is gone, for whatever reason."""
        del self.players[player.entity]
        self._journal.info(f"Player disconnected: {player.ids()}")
        self._journal.info(f"GMSG: Player '{player.name}' left the game")

    def kick(self, player: Player, reason: str) -> None:
        """Disconnect a player who is in the world; the player reads the reason."""
        self._journal.info(f"Kicking player ({reason}): {player.ids()}")
        self.leave(player)

    def die(self, player: Player) -> None:
        player.deaths += 1
        self._journal.info(f"GMSG: Player '{player.name}' died")
        self._spawned(player, "Died")

    def chat(self, player: Player, text: str, mod: str | None = None) -> None:
        """A line that a player types; a mod may have had it in hand first."""
        handled = f"Chat handled by mod '{mod}': " if mod else ""
        self._journal.info(
            f"{handled}Chat (from '{player.platform}', entity id '{player.entity}', to 'Global'): {text}"
        )

    def say(self, text: str) -> None:
        """A line of the server's own, heard by everybody."""
        self._journal.info(f"Chat (from '-non-player-', entity id '-1', to 'Global'): {text}")
        for player in self.players.values():
            player.heard.append(text)

    def whisper(self, player: Player, text: str) -> None:
        """A line of the server's own for one player."""
        self._journal.info(f"Chat (from '-non-player-', entity id '-1', to 'Whisper'): {text}")
        player.heard.append(text)

    def named(self, name: str) -> Player | None:
        """The first player in the world with exactly this name."""
        return next((player for player in self.players.values() if player.name == name), None)

    def _now(self) -> float:
        return self._days + self._uptime() / DAY_SECONDS

    def _spawned(self, player: Player, reason: str) -> None:
        where = ", ".join(str(round(value)) for value in player.position)
        self._journal.info(f"PlayerSpawnedInWorld (reason: {reason}, position: {where}): {player.ids()}")
