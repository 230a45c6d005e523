"""What `/fleet tag` answers, ordinary and hostile."""

from collections.abc import Iterable

import discord

from bot.services.access_guards import NOBODY_LEFT
from bot.services.fleet_tags import Carried, Tagged
from bot.ui import fleet
from db.queries.tags import Bound, Scheduled, Window
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number


def carried(name: str, tags: list[str]) -> Carried:
    return Carried(
        [Bound(tag, number(), name, SNOWFLAKE, tag.endswith("0")) for tag in tags],
        [Scheduled(tag, name[:64], ["SERVER_RESTART", "ANNOUNCE", "SOMETHING_NEWER"]) for tag in tags],
        [Window(tag, name * 3, LONG_AGO, NOW) for tag in tags],
    )


def fleet_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    tags = [f"{'x' * 31}{n}" for n in range(10)]
    yield fleet.tagged(Tagged(name, tags[:1], tags[:1], [], carried(name, tags[:1]), Carried(), ""))
    yield fleet.tagged(Tagged(name, tags, tags, tags, carried(name, tags), carried(name, tags), NOBODY_LEFT))
    yield fleet.tagged(Tagged(name, [], [], tags, Carried(), Carried(), ""))
