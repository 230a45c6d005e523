"""What a person reads in a message: the text and the buttons of a Components V2 card, whatever object holds it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import discord
from simcord.results import ResponseMessage

TEXT, BUTTON, SELECTS = 10, 2, frozenset({3, 5, 6, 7, 8})


class HasComponents(Protocol):
    """A `discord.Message` or the reply to an interaction."""

    @property
    def components(self) -> Sequence[Any]: ...


def walk(message: HasComponents) -> Iterator[Mapping[str, Any]]:
    """Every component of the message, in the order in which it is read."""
    for part in message.components:
        yield from _walk([part if not hasattr(part, "to_dict") else part.to_dict()])


def _walk(parts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for part in parts:
        yield part
        yield from _walk(part.get("components", ()))
        yield from _walk([part[key] for key in ("accessory", "component") if part.get(key)])


def text(message: discord.Message | ResponseMessage) -> str:
    """All texts of the message, one block per line."""
    blocks = [str(part["content"]) for part in walk(message) if part.get("type") == TEXT]
    return "\n".join([message.content, *blocks] if message.content else blocks)


def buttons(message: HasComponents) -> list[str]:
    """The labels of the buttons that can be pressed."""
    return [
        str(part.get("label", "")) for part in walk(message) if part.get("type") == BUTTON and not part.get("disabled")
    ]


def chosen(message: HasComponents) -> dict[str, list[int]]:
    """What each menu of roles or channels shows as chosen, by its custom_id."""
    return {
        str(part["custom_id"]): [int(value["id"]) for value in part.get("default_values", ())]
        for part in walk(message)
        if part.get("type") in SELECTS
    }


def role_menu(message: HasComponents, preset: str) -> str:
    """The custom_id of the menu in which `/setup start` takes Discord roles for a preset."""
    return next(custom_id for custom_id in chosen(message) if custom_id.startswith(f"gk:setup.roles:{preset}:"))


def select_options(message: HasComponents) -> dict[str, list[str]]:
    """The values that each select menu offers, by its custom_id."""
    return {
        str(part["custom_id"]): [str(option["value"]) for option in part.get("options", ())]
        for part in walk(message)
        if part.get("type") in SELECTS
    }
