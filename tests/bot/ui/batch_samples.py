"""Batches of every size and in every state, with servers and reasons that are tricks, and every card of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import discord

from bot.services.batches import Batch, State, Turn
from bot.services.servers import PAGE, Page
from bot.ui import batches
from db.queries.batch_cards import BatchCard
from tests.bot.ui.samples import NOW, SNOWFLAKE, number

STATES: tuple[State, ...] = ("done", "under way", "waiting", "failed", "left out", "not begun", "cancelled")
SIZES = (1, 10, 12, 13, 200, 500)


def yes(_permission: str) -> bool:
    return True


def shown(name: str, **changed: Any) -> BatchCard:
    values: dict[str, Any] = {
        "id": number(),
        "org_id": number(2),
        "number": 3,
        "action": "restart",
        "targets": {"tag": "x" * 32},
        "payload": {"text": (name * 6)[:512]},
        "status": "running",
        "total_count": 200,
        "max_parallel": 5,
        "stop_on_failure": True,
        "created_at": NOW,
        "completed_at": None,
        "stopped_at": None,
        "author": name,
        "stopped_by": None,
    }
    return BatchCard(**{**values, **changed})


def turns(name: str, size: int, *states: State) -> list[Turn]:
    """Servers in these states, in turn."""
    reasons = {"failed": name * 30, "left out": name * 3, "under way": name}
    return [
        Turn(name, state, reasons.get(state, ""), SNOWFLAKE if n % 7 else None) for n, state in enumerate(states * size)
    ][:size]


def of(name: str, size: int, *states: State, **changed: Any) -> Batch:
    return Batch(shown(name, total_count=size, **changed), turns(name, size, *(states or STATES)), 9)


def batch_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    later = NOW + timedelta(minutes=7)
    for size in SIZES:
        yield batches.batch_card(of(name, size), 7)
        for state in STATES:
            yield batches.batch_card(of(name, size, state), 7)
        yield batches.batch_card(of(name, size, stopped_at=NOW, stopped_by=name))
        yield batches.batch_card(of(name, size, "done", status="done", completed_at=later, payload={"atOnce": True}))
        over = of(name, size, "done", "failed", status="cancelled", completed_at=later, stopped_at=NOW)
        yield batches.batch_card(over, 7)
        mod = of(name, size, action="deploy", payload={"mod": name[:64], "version": name[:32]})
        yield batches.batch_card(mod)
        for failed in (True, False):
            page = Page(list(mod.turns[:PAGE]), 9, more=size > PAGE)
            yield batches.page(mod, page, failed=failed, may=yes)
            yield batches.page(over, Page([], 0, more=False), failed=failed, may=yes)
