"""Seals of the audit log, for the tests of cards."""

from collections.abc import Iterable
from typing import Any

import discord

from bot.ui import seals
from tests.bot.ui.samples import SNOWFLAKE


def posted(**changed: Any) -> dict[str, Any]:
    return {"first": 405, "last": 412, "rows": 120, "entry": 1130, "hash": "9f" * 32, **changed}


def seal_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    yield seals.posted_card(posted(), 7)
    yield seals.posted_card(posted(first=SNOWFLAKE, last=SNOWFLAKE, rows=1, entry=SNOWFLAKE), 7)
