"""What simcord need not do twice: drawing a channel takes it a fifth of a second, and a playground draws all day."""
# pyright: reportPrivateUsage=false
# Private use is what this package is for; nothing else in the project may do it.

import json
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

from simcord.preview import _component_projection, _markdown, _messages, _queries, _snapshot

from bot.errors import Unavailable

Tokens = list[dict[str, Any]]

_parse: Final = _markdown.markdown_tokens
_NO_NAVIGATION: Final = {
    "query": "",
    "filter": "all",
    "hasPrevious": False,
    "hasNext": False,
    "previousCursor": None,
    "nextCursor": None,
}


@lru_cache(maxsize=4096)
def _parsed(text: str, profile: str, context: str) -> Tokens:
    return _parse(text, profile, context=json.loads(context))


def _markdown_tokens(value: Any, profile: str = "message", *, context: Any = None) -> Tokens:
    """As simcord's own, which builds a parser for each text. The caller may change what it gets."""
    if value is None:
        return []
    return deepcopy(_parsed(str(value), profile, json.dumps(context or {}, sort_keys=True, default=dict)))


def _no_navigation(*_: Any) -> tuple[list[Any], dict[str, Any]]:
    """The list of messages beside the channel is hidden in our page, so nothing is gathered for it."""
    return [], dict(_NO_NAVIGATION)


def install() -> None:
    """Replace the slow parts, once and for the whole process. Harmless when repeated."""
    for module in (_component_projection, _messages, _queries, _snapshot):
        _replace(module, "markdown_tokens", _markdown_tokens)
    _replace(_snapshot, "_message_navigation", _no_navigation)


def _replace(module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    if not hasattr(module, name):
        raise Unavailable(
            f"simcord's {module.__name__} has no {name} any more.", "Install the simcord that it was made for."
        )
    setattr(module, name, function)
