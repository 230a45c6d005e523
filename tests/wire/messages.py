"""Messages as Discord keeps them, the rules that it refuses them by, and what a person reads in them."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.wire.guild import Json

EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
TEXT, BUTTON, FIRST_OF_V2 = 10, 2, 9
MOST_COMPONENTS, MOST_TEXT = 40, 4000
NONCE_SECONDS: Final = 180.0


class Refusal(Exception):
    """An error answer: HTTP status, Discord's own code, and the sentence."""

    def __init__(self, status: int, code: int, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.retry_after = status, code, retry_after


def walk(parts: list[Json]) -> Iterator[Json]:
    """Every component, in the order in which it is read."""
    for part in parts:
        yield part
        yield from walk(part.get("components", []))
        yield from walk([part[key] for key in ("accessory", "component") if part.get(key)])


@dataclass
class Message:
    """One message; `said` holds every text that it ever showed."""

    id: int
    channel_id: int
    author: Json
    flags: int = 0
    content: str = ""
    components: list[Json] = field(default_factory=list[Json])
    nonce: str | None = None
    said: list[str] = field(default_factory=list[str])
    posted: float = field(default_factory=time.monotonic)

    @property
    def text(self) -> str:
        """All texts, one block per line."""
        blocks = [str(part["content"]) for part in walk(self.components) if part["type"] == TEXT]
        return "\n".join(filter(None, [self.content, *blocks]))

    @property
    def buttons(self) -> dict[str, Json]:
        """What can be pressed, by label."""
        parts = walk(self.components)
        return {part["label"]: part for part in parts if part["type"] == BUTTON and not part.get("disabled")}

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    def write(self, given: Json) -> None:
        """Takes a body over. Raises `Refusal` where Discord would not."""
        flags = (self.flags | given.get("flags", 0)) & ~LOADING
        components = given.get("components", self.components)
        content = given.get("content", self.content) or ""
        check(content, components, flags)
        self.flags, self.content, self.components = flags, content, with_ids(components)
        self.said.append(self.text)

    @property
    def payload(self) -> Json:
        plain: Json = {name: [] for name in ("embeds", "attachments", "mentions", "mention_roles", "sticker_items")}
        times = {"timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None}
        fixed = {"type": 0, "tts": False, "pinned": False, "mention_everyone": False}
        return {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "author": self.author,
            "content": self.content,
            "components": self.components,
            "flags": self.flags,
            "nonce": self.nonce,
            **plain,
            **times,
            **fixed,
        }


def check(content: str, components: list[Json], flags: int) -> None:
    """What Discord refuses with 400. Raises `Refusal`."""
    parts = list(walk(components))
    repeated = [
        name
        for key in ("custom_id", "id")
        for name, times in Counter(part.get(key) for part in parts if part.get(key)).items()
        if times > 1
    ]
    texts: list[Any] = [part.get("content", "") for part in parts if part["type"] == TEXT]
    wrong = {
        "components of the new kind without their flag": flags & COMPONENTS_V2 == 0
        and any(part["type"] >= FIRST_OF_V2 for part in parts),
        "content beside components of the new kind": bool(flags & COMPONENTS_V2 and content),
        "an empty message": not content and not parts,
        f"more than {MOST_COMPONENTS} components": len(parts) > MOST_COMPONENTS,
        f"more than {MOST_TEXT} characters": sum(map(len, texts)) > MOST_TEXT,
        f"repeated ids: {repeated}": bool(repeated),
    }
    if reasons := [reason for reason, found in wrong.items() if found]:
        raise Refusal(400, 50035, f"Invalid Form Body: {'; '.join(reasons)}")


def with_ids(components: list[Json]) -> list[Json]:
    """Discord numbers the components that have no id."""
    taken = {part["id"] for part in walk(components) if part.get("id")}
    free = (number for number in itertools.count(1) if number not in taken)
    for part in walk(components):
        part.setdefault("id", next(free))
    return components
