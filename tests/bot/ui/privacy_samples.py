"""Cards of `/my export` and `/my forget`, for the tests of cards."""

from collections.abc import Iterable
from io import BufferedRandom, BytesIO
from typing import cast

import discord

from bot.services.attachments import Attachment
from bot.services.privacy import Forgotten, Plan
from bot.ui import privacy
from db.queries.privacy import Footprint
from tests.bot.ui.samples import NOW, number


def footprint(name: str) -> Footprint:
    return Footprint(number(), name, True, name, 3, 2, 1, 2, [name] * 20, 365)


def privacy_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    file = Attachment("my-data-2026-11-21.json.gz", cast("BufferedRandom", BytesIO()), 2**24)
    for everywhere in (True, False):
        yield privacy.export_card(file, everywhere=everywhere)
    bare = Footprint(number(2), name, False, None, 0, 0, 0, 0, [], 90)
    for orgs in ([], [bare], [footprint(name), bare] * 20):
        yield privacy.plan_card(Plan(name, orgs, NOW))
        yield privacy.forgotten_card(Forgotten(orgs, [name] * len(orgs)))
