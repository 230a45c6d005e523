"""`gamekeeper tour`: the product's whole story as a readable transcript, in less than two minutes."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.demo import reading
from bot.demo.chapters import bans, incidents, mods, plans, rights, schedules
from bot.demo.host import ARENA, SEVENDAYS, Game
from bot.demo.people import Choice, eventually, shown
from bot.demo.simcord_private import allow_command
from bot.demo.story import Story
from bot.demo.transcript import StepFailed, Transcript
from bot.demo.world import demo_world

GUESTS: Final = ("Marla", "Old Tom", "eve' score=9")
"""The last one has a name that tries to pass for a field of the game's list."""
DONE: Final = (
    "server.restart", "player.kick", "schedule.add", "panel.create", "ban.add", "ban.lift", "mod.upload", "mod.deploy",
    "incident.acknowledge", "access.deny", "access.clear",
    "server.restart.plan", "server.plan.postpone", "server.plan.cancel", "fleet.tag", "macro.add", "macro.run",
    "maintenance.start", "maintenance.end", "batch.start",
)  # fmt: skip
"""What people changed in the evening, as the audit log calls it."""
HELLO: Final = "Blood moon tonight; doors close at 22:00"


class Tour(Story):
    """The steps, in order. Each looks at what the person sees and, where it can, at what the game itself says."""

    async def tell_all(self) -> None:
        await self.set_up()
        await self.pair()
        for game in self.world.host.games:
            await self.add(game)
            await self.start(game)
        due = await schedules.saved(self, SEVENDAYS)
        await incidents.board(self, SEVENDAYS)
        await self.evening(SEVENDAYS)
        if ARENA in self.world.host.games:
            await self.arena(ARENA)
        await incidents.ended(self, SEVENDAYS)
        await bans.lifted(self, SEVENDAYS, GUESTS[0])
        await self.refuse(SEVENDAYS)
        await rights.denied(self, SEVENDAYS)
        await schedules.fired(self, SEVENDAYS, due)
        await plans.rested(self, self.world.host.games)
        await plans.rolled(self, self.world.host.games)
        await self.audit()
        await rights.proven(self)
        await rights.checked(self)

    async def evening(self, game: Game) -> None:
        """Players come, and what moderators do about them; a mod, and a process that dies."""
        await self.players_join(game)
        await self.console(game)
        await self.who_is_online()
        await self.announce()
        await plans.counted_down(self, game)
        await plans.put_together(self, game)
        await self.kick(game)
        await bans.banned(self, game, GUESTS[0])
        await bans.own(self, GUESTS[0])
        await self.restart(game)
        await mods.folder(self, game)
        await incidents.opened(self, game)

    async def arena(self, game: Game) -> None:
        """Teeworlds: it knows addresses only, keeps bans in memory, and changes maps while people play."""
        with self.tell.step("Somebody joins Teeworlds"):
            spammer = await bans.comes(self, game)
        await mods.arena(self, game)
        await bans.by_address(self, game, spammer)
        await bans.forgotten(self, game)

    async def players_join(self, game: Game) -> None:
        with self.tell.step("Players join"):
            control = self.world.host.control(game)
            await control.wait_ready()
            for name in GUESTS:
                assert isinstance(await control.join(name), int), f"the game refused {name}"
                await self.logged(game, f"PlayerName='{name}'")

    async def console(self, game: Game) -> None:
        with self.tell.step("A console command and the game's answer"):
            server = await self.moderator.picks("console run", "server", game.name)
            answer = await self.run(self.moderator, "console run", server=server, command="lpi")
            text = await self.follow(answer, game)
            for name in GUESTS:
                assert name in text, f"{name} is missing in {text!r}"
            await self.logged(game, "Executing command 'lpi' by Telnet")

    async def who_is_online(self) -> None:
        with self.tell.step("Everybody can see who is online"):
            await self._online(GUESTS)

    async def _online(self, names: tuple[str, ...], gone: str = "") -> None:
        """`/players`, asked until the next heartbeat has brought what is expected."""

        async def look() -> str | None:
            seen = reading.text(shown(await self.player.types("players")))
            return seen if all(_in(name, seen) for name in names) and not (gone and _in(gone, seen)) else None

        self.tell.says(self.player, "/players")
        self.tell.shows(await eventually(look, f"{', '.join(names)} in /players"))

    async def announce(self) -> None:
        with self.tell.step("An announcement in every game, as their own logs show"):
            await self.run(self.moderator, "announce", text=HELLO)
            for game in self.world.host.games:
                await self.logged(game, HELLO)

    async def kick(self, game: Game) -> None:
        with self.tell.step("A player is kicked, by id: the name proves nothing"):
            name = GUESTS[-1]
            player = await self.moderator.picks("player kick", "player", "eve")
            answer = await self.run(self.moderator, "player kick", player=player, reason="forged name")
            await self.follow(answer, game)
            await self.logged(game, "Player disconnected: ", f"PlayerName='{name}'")
            assert name not in await self.world.host.control(game).players(), f"{name} is still in the game"
            await self._online(GUESTS[:-1], gone=name)

    async def restart(self, game: Game) -> None:
        with self.tell.step("A restart: asked, confirmed, followed to its end"):
            before = _starts(self.world.host.game_log(game))
            await self.world.host.slow_down()
            server = await eventually(lambda: self._with_players(game, 1), f"one player left on {game.name}")
            question = await self.run(self.moderator, "server restart", server=server, reason="new map")
            assert "1 player is online" in reading.text(shown(question)), "the question does not say who is online"
            await self.follow(await self.press(self.moderator, question, "Restart"), game)
            assert self.progress_seen, "the card went from nothing to its end without showing a step"
            await self.logged(game, "StartGame done")
            assert _starts(self.world.host.game_log(game)) != before, "the game's log knows of no second start"
            assert await self.world.host.control(game).ready(), "the game takes no players after the restart"

    async def _with_players(self, game: Game, online: int) -> Choice | None:
        """The server as autocomplete offers it, once a heartbeat has counted so many players."""
        server = await self.moderator.picks("server restart", "server", game.name)
        return server if f"{online}/" in server.label else None

    async def refuse(self, game: Game) -> None:
        with self.tell.step("A player tries what only moderators may"):
            pia = self.player
            offered = pia.member.available_commands(pia.channel)
            assert "server restart" not in offered, "Discord offers /server restart to a player"
            self.tell.says(pia, f"is offered /{', /'.join(offered)} and nothing else")
            allow_command(self.world.env, self.world.cast.guild, "server", pia.member)
            self.tell.says(pia, "is let at /server by a mistake in Discord's settings, and tries")
            answer = await self.run(pia, "server restart", server=game.name)
            text = reading.text(shown(answer))
            assert "You need the permission `servers.restart`" in text, f"no refusal: {text!r}"

    async def audit(self) -> None:
        with self.tell.step("Who did all that"):
            await self.run(self.owner, "audit search", since="1h")
            for action in DONE:
                found = await self.owner.types("audit search", since="1h", action=action, result="success")
                assert f"`{action}`" in reading.text(shown(found)), f"{action} left no row"
            refused = await self.run(self.owner, "audit search", since="1h", result="denied")
            assert "Pia" in reading.text(shown(refused)), "the refusal was not written down"


def _starts(log: str) -> list[str]:
    return [line for line in log.splitlines() if "StartGame done" in line]


def _in(name: str, text: str) -> bool:
    """Whether a card shows this name; special characters are escaped there."""
    return name in re.sub(r"\\(.)", r"\1", text)


async def tour(data_dir: Path, out: Callable[[str], object], story: type[Tour] = Tour) -> int:
    """Tell the story into `out`; 0, or 1 with the failing step named."""
    started = time.monotonic()
    tell = Transcript(out)
    try:
        async with demo_world(data_dir) as world:
            out(f"Gamekeeper's tour: Discord is simulated, everything else is real. Ready in {_since(started)}.")
            tell.channels = {channel.id: name for name, channel in world.cast.channels.items()}
            people = {member.id: member.user.global_name or member.name for member in world.cast.viewers.values()}
            tell.members = {**people, world.cast.moderators.id: world.cast.moderators.name}
            await story(world, tell).tell_all()
    except StepFailed as failed:
        out("")
        out(f"FAILED at step {tell.steps}, {failed.title}:")
        out(f"    {failed.reason}")
        return 1
    out("")
    out(f"{tell.steps} steps, all as they should be, in {_since(started)}.")
    return 0


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"
