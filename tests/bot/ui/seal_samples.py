"""Seals of the audit log, for the tests of cards."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import discord

from bot.domain.id_ranges import IdRanges
from bot.domain.seals_chain import NAMED, Fault, Finding, Stored
from bot.services.audit_walk import Verified
from bot.ui import seals
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number

LAST = Stored(number(), 812, IdRanges.of([1, 2]), 2, b"\x9f" * 32, NOW, None)


def posted(**changed: Any) -> dict[str, Any]:
    return {"first": 405, "last": 412, "rows": 120, "entry": 1130, "hash": "9f" * 32, **changed}


def verified(*findings: Finding, **changed: Any) -> Verified:
    found = Verified([*findings], 12_345, 812, 0, LONG_AGO, LAST, 812, channel=SNOWFLAKE)
    return replace(found, **changed)


def each_fault() -> list[Finding]:
    one = [Finding(fault, (7, 7), (SNOWFLAKE,), 1) for fault in Fault]
    return one + [Finding(fault, (5, SNOWFLAKE), (SNOWFLAKE,) * NAMED, 10**9) for fault in Fault]


def seal_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    yield seals.posted_card(posted(), 7)
    yield seals.posted_card(posted(first=SNOWFLAKE, last=SNOWFLAKE, rows=1, entry=SNOWFLAKE), 7)
    yield seals.verified_card(Verified())
    yield seals.verified_card(verified())
    yield seals.verified_card(verified(purged=3, channel=None, asked=replace(LAST, number=5)))
    yield seals.verified_card(verified(finished=False, of=SNOWFLAKE, asked=LAST))
    yield seals.verified_card(verified(*each_fault() * 5))
    for finding in each_fault():
        yield seals.verified_card(verified(finding))
