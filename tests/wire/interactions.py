"""Interactions: what members do with commands, buttons, selects and forms, and what the bot answers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.wire.guild import Channel, Guild, Json, Person
from tests.wire.messages import EPHEMERAL, LOADING, Message, Refusal, walk

COMMAND, COMPONENT, FORM = 2, 3, 5
"""Kinds of interactions."""
MESSAGE, DEFER, DEFER_UPDATE, UPDATE, OPEN_FORM = 4, 5, 6, 7, 9
"""Kinds of callbacks."""
_SUB, _GROUP, _BUTTON = 1, 2, 2


@dataclass
class Interaction:
    """One thing that a member did, and all that the bot said to it."""

    id: int
    kind: int
    person: Person
    channel: Channel
    data: Json
    source: Message | None = None
    """The message that carries the pressed component."""
    message: Message | None = None
    """The answer."""
    form: Json | None = None
    followups: list[Message] = field(default_factory=list[Message])
    callbacks: list[int] = field(default_factory=list[int])
    """Kinds of the callbacks that Discord accepted; more than one would be a bug of this server."""
    refused: int = 0
    """Callbacks after the first one."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Something is there to be read: not a mere deferral."""

    @property
    def token(self) -> str:
        return f"token-of-{self.id}"

    async def answer(self, seconds: float = 15.0) -> Message:
        """The message that answers it. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            await self.answered.wait()
        found = self.message or next(iter(self.followups), None)
        assert found is not None, f"no message: {self}"
        return found

    async def opened(self, seconds: float = 15.0) -> Json:
        """The form that answers it. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            await self.answered.wait()
        assert self.form is not None, f"no form, but {self.message and self.message.text!r}"
        return self.form

    def payload(self, guild: Guild, application: str) -> Json:
        """INTERACTION_CREATE."""
        event: Json = {
            "id": str(self.id),
            "application_id": application,
            "type": self.kind,
            "token": self.token,
            "version": 1,
            "data": self.data,
            "guild_id": str(guild.id),
            "channel_id": str(self.channel.id),
            "channel": self.channel.payload,
            "member": self.person.member,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "attachment_size_limit": 26_214_400,
        }
        return {**event, "message": self.source.payload} if self.source else event

    def take(self, callback: Json, fresh: Message) -> bool:
        """A callback arrives; `fresh` is used if it makes a message. Says whether it did. Raises `Refusal`."""
        if self.callbacks:
            self.refused += 1
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        kind: int = callback["type"]
        data: Json = callback.get("data") or {}
        match kind:
            case 4:
                fresh.write(data)
                self.message = fresh
            case 5:
                fresh.flags = LOADING | data.get("flags", 0) & EPHEMERAL
                self.message = fresh
            case 6 | 7:
                assert self.source is not None
                self.message = self.source
                if kind == UPDATE:
                    self.source.write(data)
            case 9:
                self.form = data
            case _:
                raise Refusal(400, 50035, f"Invalid Form Body: type {kind}")
        self.callbacks.append(kind)
        if kind not in (DEFER, DEFER_UPDATE):
            self.answered.set()
        return self.message is fresh

    def edit(self, given: Json) -> Message:
        """@original is edited. Raises `Refusal`."""
        if self.message is None:
            raise Refusal(404, 10008, "Unknown Message")
        self.message.write(given)
        self.answered.set()
        return self.message

    def follow_up(self, given: Json, fresh: Message) -> Message:
        """One more message. Raises `Refusal`."""
        fresh.write(given)
        self.followups.append(fresh)
        self.answered.set()
        return fresh


def command_data(commands: Sequence[Json], path: str, options: Mapping[str, str | int | bool]) -> Json:
    """What Discord sends for `/path`, built from the commands that the bot has registered."""
    root, *nested = path.split()
    command = next((one for one in commands if one["name"] == root), None)
    assert command is not None, f"/{root} is not registered; there are {[one['name'] for one in commands]}"
    return {"id": command["id"], "name": root, "type": 1, "options": _options(command, nested, options)}


def _options(node: Json, path: list[str], values: Mapping[str, Any]) -> list[Json]:
    known = {option["name"]: option for option in node.get("options", [])}
    if path:
        inner = known[path[0]]
        assert inner["type"] in (_SUB, _GROUP), path
        return [{"name": path[0], "type": inner["type"], "options": _options(inner, path[1:], values)}]
    missing = {name for name, option in known.items() if option.get("required")} - values.keys()
    assert not missing, f"options without a value: {missing}"
    return [{"name": name, "type": known[name]["type"], "value": value} for name, value in values.items()]


def resolved(guild: Guild, options: Sequence[Json]) -> Json:
    """What Discord adds to a command about the members, channels and roles that its options name."""
    nested = [inner for option in options for inner in option.get("options", ())]
    found = resolved(guild, nested) if nested else {}
    people = {str(person.id): person for person in (guild.owner, guild.moderator, guild.player)}
    for option in options:
        number = str(option.get("value"))
        match option["type"]:
            case 6:
                found["users"] = {number: people[number].user}
                found["members"] = {
                    number: {key: value for key, value in people[number].member.items() if key != "user"}
                }
            case 7:
                (channel,) = [channel for channel in guild.channels if str(channel.id) == number]
                found["channels"] = {number: {**channel.payload, "permissions": "0"}}
            case 8:
                found["roles"] = {role["id"]: role for role in guild.payload["roles"] if role["id"] == number}
            case _:
                pass
    return found


def press_data(message: Message, label: str) -> Json:
    """A press of the button whose label begins so."""
    buttons = message.buttons
    found = next((part for name, part in buttons.items() if name.startswith(label)), None)
    assert found is not None, f"no button {label!r} but {list(buttons)} in {message.text!r}"
    return {"component_type": _BUTTON, "custom_id": found["custom_id"], "id": found["id"]}


def select_data(message: Message, custom_id: str, values: Sequence[int | str]) -> Json:
    """A choice in the select menu with this custom_id."""
    found = next((part for part in walk(message.components) if part.get("custom_id") == custom_id), None)
    assert found is not None, f"no select {custom_id!r} in {message.text!r}"
    chosen = [str(value) for value in values]
    return {"component_type": found["type"], "custom_id": custom_id, "id": found["id"], "values": chosen}


def form_data(form: Json, values: Mapping[str, str]) -> Json:
    """A form that is sent with what it proposes, and some typed over."""
    sent: list[Json] = []
    for number, label in enumerate(form["components"], start=1):
        part = label["component"]
        value = values.get(part["custom_id"], part.get("value") or "")
        entry = {"type": part["type"], "custom_id": part["custom_id"], "id": 100 + number, "value": value}
        sent.append({"type": label["type"], "id": number, "component": entry})
    return {"custom_id": form["custom_id"], "components": sent}
