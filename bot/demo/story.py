"""What people do in the demo, step by step, as in Discord. The playground plays its beginning, the tour all of it."""

import asyncio
import re
from typing import Final

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult, ResponseMessage

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import Choice, NotSeen, Person, eventually, shown
from bot.demo.transcript import Transcript
from bot.demo.world import DemoWorld

HOST: Final = "basement"
_PAIR: Final = re.compile(r"gamekeeper-agent pair (\S+) (\S+)")
_JOB: Final = re.compile(r"\bJ-(\d+)\b")
_ENDS: Final = ("done", "failed", "cancelled", "expired")


class Story:
    """Acts in a world and tells it. Everything waits for what a person would wait for."""

    def __init__(self, world: DemoWorld, tell: Transcript) -> None:
        self.world = world
        self.tell = tell
        self.owner = world.person(world.cast.owner, "ops")
        self.moderator = world.person(world.cast.moderator, "ops")
        self.player = world.person(world.cast.player, "general")
        self.progress_seen = False
        """Whether the card of the last followed job showed it running, and not only its end."""

    async def set_up(self) -> None:
        """The owner says by which clock things run, who may do what, and where messages go."""
        with self.tell.step("The owner sets the bot up: the clock, who may do what, where messages go"):
            card = await self.run(self.owner, "setup start")
            card = await self._chosen(card, "gk:setup.zone", "UTC", "UTC for the clock")
            card = await self.press(self.owner, card, "Next")
            card = await self.press(self.owner, card, "Use these")
            menu = reading.role_menu(shown(card), "moderator")
            assert self.world.cast.moderators.id in reading.chosen(shown(card))[menu]
            card = await self.press(self.owner, card, "Next")
            for purpose in ("ops", "alerts", "bans", "audit", "players"):
                channel = self.world.cast.channels[purpose]
                card = await self._chosen(
                    card, f"gk:setup.channel:{purpose}", channel, f"#{channel.name} for {purpose}"
                )
            await self.read("ops", "Messages for ops arrive here")

    async def _chosen(self, card: InteractionResult, menu: str, value: object, words: str) -> InteractionResult:
        self.tell.says(self.owner, f"chooses {words}")
        return await self.owner.selects(card, menu, value)

    async def pair(self) -> None:
        """A machine is let in, and its agent connects."""
        with self.tell.step("A host is paired with a one-time command"):
            answer = await self.run(self.owner, "host add", name=HOST)
            found = _PAIR.search(reading.text(shown(answer)))
            assert found, "the answer shows no command for the host"
            self.world.host.prepare()
            printed = await self.world.host.pair(found[2])
            self.tell.shell(found[0], printed)
            assert "Paired as host" in printed, printed
            self.world.host.start()
            self.tell.shell("gamekeeper-agent run &", "")
            await self.read("ops", f"{HOST} is connected")
            await self._host_online()

    async def add(self, game: Game) -> None:
        """A server is added; its host sets it up."""
        with self.tell.step(f"A game server is added: {game.name}"):
            await self.follow(await self.adds(game), game)

    async def adds(self, game: Game) -> InteractionResult:
        """Gives the command and sends its form; the answer names the job."""
        host = await self._host_online()
        kind = await self.owner.picks("fleet add", "game", game.title, host=host)
        form = await self.run(self.owner, "fleet add", host=host, game=kind, name=game.name)
        self.tell.says(self.owner, "sends the form")
        return await self.owner.submits(form, name=game.name)

    async def _host_online(self) -> Choice:
        """The host as autocomplete offers it, once its agent has reported."""

        async def look() -> Choice | None:
            host = await self.owner.picks("fleet add", "host", HOST)
            return host if "online" in host.label else None

        return await eventually(look, f"{HOST} online")

    async def start(self, game: Game) -> None:
        """A server is started; the card shows how it goes."""
        with self.tell.step(f"{game.name} is started, and the card follows it"):
            await self.follow(await self.starts(game), game)

    async def starts(self, game: Game) -> InteractionResult:
        """Gives the command as soon as the server is there; the answer names the job."""
        return await self.run(self.moderator, "server start", server=await self.until(game, "stopped"))

    async def until(self, game: Game, state: str) -> Choice:
        """The server as autocomplete offers it, once it is in this state."""

        async def look() -> Choice | None:
            server = await self.moderator.picks("server start", "server", game.name)
            return server if server.label.endswith(f" · {state}") else None

        return await eventually(look, f"{game.name} {state}")

    async def run(
        self, person: Person, command: str, /, **options: str | MemberActor | ChannelHandle
    ) -> InteractionResult:
        """Type a command and tell what came back."""
        given = " ".join(f"{name}:{_typed(value)}" for name, value in options.items())
        self.tell.says(person, f"/{command} {given}".rstrip())
        result = await person.types(command, **options)
        if result.modal:
            self.tell.shows(f"(a form: {result.modal['title']})", private=True)
        else:
            message = shown(result)
            self.tell.shows(reading.text(message), private=message.ephemeral)
        return result

    async def press(self, person: Person, result: InteractionResult, label: str) -> InteractionResult:
        """Press a button and tell what came back."""
        self.tell.says(person, f"presses [{label}]")
        pressed = await person.presses(result, label)
        message = shown(pressed)
        self.tell.shows(reading.text(message), private=message.ephemeral)
        return pressed

    async def follow(self, answer: InteractionResult, game: Game, seconds: float = 30.0, ends: str = "done") -> str:
        """Watch a job's message until it ends; the last thing that it shows. Raises `NotSeen` when it ends otherwise
        than it should."""
        found = _JOB.search(reading.text(shown(answer)))
        assert found, f"the answer names no job: {reading.text(shown(answer))!r}"
        last, loop, self.progress_seen = "", asyncio.get_running_loop(), False
        end = loop.time() + seconds
        while not (state := _state(last)):
            if loop.time() > end:
                raise NotSeen(f"{found[0]} on {game.name} did not end within {seconds:g} s; it shows {last!r}")
            text = self._message(found[0])
            if text and text != last:
                last = text
                self.progress_seen |= "**running**" in text
                self.tell.shows(text)
            await asyncio.sleep(0.05)
        if state != ends:
            raise NotSeen(f"{found[0]} on {game.name} {state}: {last!r}")
        return last

    def _message(self, number: str) -> str:
        texts = [text for text in self.world.person(self.world.cast.owner, "ops").sees() if f"`{number}` · " in text]
        return texts[-1] if texts else ""

    async def read(self, channel: str, words: str, seconds: float = 20.0) -> str:
        """Wait for a message of the bot in a channel, and tell it."""
        message = await self.found(channel, words, seconds=seconds)
        text = reading.text(message)
        self.tell.shows(text)
        return text

    async def found(self, channel: str, *words: str, seconds: float = 20.0) -> discord.Message | ResponseMessage:
        """Wait for the newest message with all these words in a channel."""
        reader = self.world.person(self.world.cast.owner, channel)

        async def look() -> discord.Message | ResponseMessage | None:
            for message in reversed(reader.messages()):
                text = reading.text(message).replace("**", "").replace("`", "")
                if all(word in text for word in words):
                    return message
            return None

        return await eventually(look, f"a message with {' … '.join(words)!r} in #{channel}", seconds)

    async def logged(self, game: Game, *words: str, seconds: float = 10.0) -> str:
        """Wait for a line with all these words in the game's own log, and tell it."""

        async def look() -> str | None:
            lines = self.world.host.game_log(game).splitlines()
            return next((line for line in reversed(lines) if all(word in line for word in words)), None)

        line = await eventually(look, f"{' … '.join(words)!r} in the log of {game.name}", seconds)
        self.tell.game(game.name, line.strip())
        return line


def _typed(value: str | MemberActor | ChannelHandle) -> str:
    if isinstance(value, MemberActor):
        return f"@{value.user.global_name or value.name}"
    if isinstance(value, ChannelHandle):
        return f"#{value.name}"
    return value.label if isinstance(value, Choice) else value


def _state(text: str) -> str:
    """How a job's message says that it ended; empty while it is under way."""
    return next((word for word in _ENDS if f"· **{word}**" in text), "")
