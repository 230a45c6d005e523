"""Discord's limits of messages and forms, and what we ask of every card: a stand-in for the 400 that nobody saw."""

import re
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

import discord

from bot.client import EXTENSIONS
from bot.gate import routes
from bot.gate.reading import consistent
from bot.ui.ids import ROUTE

for extension in EXTENSIONS:  # fills `routes`
    import_module(extension)

Part = Mapping[str, Any]

CONTAINER, ROW, BUTTON, TEXT, INPUT, LABEL = 17, 1, 2, 10, 4, 18
SELECTS = {3, 5, 6, 7, 8}


def parts_of(shown: discord.ui.LayoutView | discord.ui.Modal) -> list[Part]:
    """Every component as Discord is sent it, containers before what they hold."""
    top = shown.to_components() if isinstance(shown, discord.ui.LayoutView) else shown.to_dict()["components"]
    return list(_walk(cast("list[Part]", top)))


def _walk(parts: list[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        inner = [part[key] for key in ("accessory", "component") if part.get(key)]
        yield from _walk([*part.get("components", ()), *inner])


def text_of(shown: discord.ui.LayoutView | discord.ui.Modal) -> str:
    return "\n".join(part["content"] for part in parts_of(shown) if part["type"] == TEXT)


def ids_of(shown: discord.ui.LayoutView | discord.ui.Modal) -> list[str]:
    """The custom_ids of buttons and selects, in order."""
    return [part["custom_id"] for part in parts_of(shown) if part["type"] in SELECTS | {BUTTON}]


def check_card(view: discord.ui.LayoutView) -> None:
    """Fails where Discord would refuse the message or nobody would hear its buttons."""
    parts = parts_of(view)
    assert len(parts) <= 40, f"{len(parts)} components"
    texts = [part["content"] for part in parts if part["type"] == TEXT]
    assert all(texts), "Discord refuses an empty text"
    assert sum(map(len, texts)) <= 4000, f"{sum(map(len, texts))} characters"
    _check_rows(parts)
    ids = ids_of(view)
    assert len(ids) == len(set(ids)), ids
    for custom_id in ids:
        check_route(custom_id)
    _check_words("\n".join(texts))


def _check_rows(parts: list[Part]) -> None:
    for part in parts:
        if part["type"] == ROW:
            held = part["components"]
            assert held and len(held) <= (1 if held[0]["type"] in SELECTS else 5)
        elif part["type"] == BUTTON:
            assert 1 <= len(part["label"]) <= 80
        elif part["type"] in SELECTS:
            _check_select(part)


def _check_select(part: Part) -> None:
    assert len(part.get("placeholder", "")) <= 150
    assert 0 <= part["min_values"] <= part["max_values"] <= 25
    assert len(part.get("default_values", ())) <= part["max_values"]
    if part["type"] == 3:
        options = part["options"]
        assert 1 <= len(options) <= 25 and part["max_values"] <= len(options)
        assert all(option["label"].strip() and len(option["label"]) <= 100 for option in options)
        values = [option["value"] for option in options]
        assert all(1 <= len(value) <= 100 for value in values)
        assert len(set(values)) == len(values), "Discord refuses a value that stands twice"


def check_route(custom_id: str) -> None:
    """Is there a handler, and can it read these arguments?"""
    assert 1 <= len(custom_id) <= 100, custom_id
    match = ROUTE.fullmatch(custom_id)
    assert match and match["route"] in routes, custom_id
    args = match["args"].split(":") if match["args"] else []
    kinds = list(typing.get_type_hints(routes[match["route"]][1]).values())[1:-1]
    assert len(args) == len(kinds), (custom_id, kinds)
    for kind, arg in zip(kinds, args, strict=True):
        kind(arg)


def _check_words(text: str) -> None:
    prose = re.sub(r"```.*?```|(?<!\\)`[^`\n]*(?<!\\)`", "", text, flags=re.DOTALL)
    # a role of the guild is shown by its id, as long as those of Discord are; nothing that we send pings one
    assert not re.search(r"@(everyone|here)|<@&(?!\d{17,19}>)|<@!", prose), "a mention that we did not write"
    assert "evil.example" not in re.findall(r"https?://(\S+)", prose), "a link that we did not write"
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", text), "a mark that turns the direction of writing"
    assert text.count("```") % 2 == 0, "a code block that does not end"


def check_form(form: discord.ui.Modal) -> None:
    """Fails where Discord would refuse to open the form."""
    sent = form.to_dict()
    assert 1 <= len(sent["title"]) <= 45
    check_route(sent["custom_id"])
    assert 1 <= len(sent["components"]) <= 5
    spec, _ = routes[sent["custom_id"].split(":")[1]]
    assert spec.fields is not None and consistent(sent, spec.fields), "its route declares other entries"
    fields = [part for part in parts_of(form) if part["type"] == INPUT]
    assert len({field["custom_id"] for field in fields}) == len(fields)
    for label in (part for part in parts_of(form) if part["type"] == LABEL):
        assert 1 <= len(label["label"]) <= 45 and len(label.get("description") or "") <= 100
    for field in fields:
        assert 1 <= len(field["custom_id"]) <= 100 and len(field.get("placeholder") or "") <= 100
        assert len(field.get("value") or "") <= field.get("max_length", 4000)
