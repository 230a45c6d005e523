"""Members who act in the simulated Discord, one action at a time, and wait for what they want to see."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar

import discord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult, ResponseMessage

from bot.demo import reading
from bot.demo.simcord_private import SetupError

T = TypeVar("T")


class NotSeen(Exception):
    """Something that a person waited for did not come."""


class Choice(str):
    """A value that was picked from suggestions, with the name under which it was offered."""

    label: str

    @classmethod
    def of(cls, offered: Mapping[str, Any]) -> Self:
        choice = cls(offered["value"])
        choice.label = str(offered["name"])
        return choice


class Person:
    """A member in one channel. `lock` is held while acting: the simulation takes one action at a time."""

    def __init__(self, member: MemberActor, channel: ChannelHandle, lock: asyncio.Lock) -> None:
        self.member = member
        self.channel = channel
        self._lock = lock

    @property
    def name(self) -> str:
        return self.member.user.global_name or self.member.name

    async def types(self, command: str, /, **options: Any) -> InteractionResult:
        """Run a slash command. Raises `NotSeen` when Discord does not offer it to this member."""
        return await self._act(lambda: self.member.slash(self.channel, command, **options))

    async def picks(self, command: str, option: str, words: str, /, **filled: Any) -> Choice:
        """Type into an option with suggestions; the first one that contains `words`."""
        choices = await self._act(lambda: self.member.autocomplete(self.channel, command, option, words, **filled))
        for choice in choices:
            if words.lower() in str(choice["name"]).lower():
                return Choice.of(choice)
        raise NotSeen(f"no suggestion for {option} contains {words!r}; there are {[one['name'] for one in choices]}")

    async def presses(self, result: InteractionResult, label: str) -> InteractionResult:
        """Press the button of a reply whose label begins with `label`."""
        return await self.presses_on(shown(result), label)

    async def presses_on(self, message: discord.Message | ResponseMessage, label: str) -> InteractionResult:
        """Press the button of a message, the bot's own ones in the channel included."""
        whole = next((written for written in reading.buttons(message) if written.startswith(label)), None)
        if whole is None:
            raise NotSeen(f"there is no button {label!r} in {reading.text(message)!r}")
        return await self._act(lambda: self.member.click(message, label=whole))

    async def selects(self, result: InteractionResult, custom_id: str, *values: Any) -> InteractionResult:
        """Choose in the select menu with this custom_id."""
        message = shown(result)
        return await self._act(lambda: self.member.select(message, values, custom_id=custom_id))

    async def submits(self, form: InteractionResult, **values: str) -> InteractionResult:
        """Fill in and send a form; fields that are not named keep what the form proposes."""
        if (modal := form.modal) is None:
            raise NotSeen(f"no form was opened, but {reading.text(shown(form))!r}")
        return await self._act(lambda: self.member.submit_modal(form, {**proposed(modal), **values}))

    async def says(self, text: str) -> None:
        """Write an ordinary message; the bot does not even see it."""
        await self._act(lambda: self.member.send(self.channel, text))

    def messages(self) -> list[discord.Message | ResponseMessage]:
        """The channel's messages, oldest first, with what only this member is shown."""
        return list(self.channel.history(viewer=self.member))

    def sees(self) -> list[str]:
        """The texts of those messages."""
        return [reading.text(message) for message in self.messages()]

    async def _act(self, action: Callable[[], Awaitable[T]]) -> T:
        async with self._lock:
            try:
                return await action()
            except SetupError as error:
                raise NotSeen(str(error)) from error


def shown(result: InteractionResult) -> ResponseMessage:
    """The message that answers an interaction. Raises `NotSeen` when there is none."""
    message = result.response or next(iter(result.followups), None)
    if message is None:
        raise NotSeen("nothing was answered")
    return message


def proposed(modal: dict[str, Any]) -> dict[str, str]:
    """What a form's text fields already contain."""
    fields = [part.get("component", part) for part in modal["components"]]
    return {field["custom_id"]: field["value"] for field in fields if field.get("value")}


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, seconds: float = 20.0) -> T:
    """Look again and again until there is something. Raises `NotSeen` naming `what`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (found := await look()) is None:
        if loop.time() > end:
            raise NotSeen(f"{what} was not seen within {seconds:g} s")
        await asyncio.sleep(0.05)
    return found
