"""Batches of every size and in every state, with servers and reasons that are tricks, and every card of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import discord

from bot.domain.access import Grants
from bot.domain.actors import Actor
from bot.domain.batches import BATCHED, LeftOut
from bot.services.batches import Batch, State, Turn
from bot.services.batches_planning import Plan, Wish
from bot.services.batches_words import effects, question, started
from bot.services.confirmations import Question
from bot.services.servers import PAGE, Page
from bot.ui import batches, cards, confirm
from db.queries.batch_cards import BatchCard
from db.queries.mods import Artifact
from tests.bot.ui.samples import NOW, SNOWFLAKE, number, server

STATES: tuple[State, ...] = ("done", "under way", "waiting", "failed", "left out", "not begun", "cancelled")
SIZES = (1, 12, 60)


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


def plan(name: str, action: str, size: int, parallel: int) -> Plan:
    """A question over so many servers, of which some are left out."""
    deploys = action == "deploy"
    artifact = Artifact(number(), name[:64], name[:32], "7dtd", name, 1, "0" * 64, 1, NOW) if deploys else None
    text = (name * 6)[:512] if action == "announce" else ""
    wish = Wish(action, "x" * 32, parallel, stop_on_failure=True, text=text)
    found = [server(name, game="7dtd", host_status="offline" if n % 2 else "online") for n in range(size)]
    left = [LeftOut(str(number()), name, "held", name * 3)] * size
    return Plan(wish, BATCHED[action], found, left, found, artifact)


def batch_questions(name: str) -> Iterable[discord.ui.LayoutView]:
    who = Actor(type="user", name="Ann", grants=Grants(break_glass=True))
    for action in BATCHED:
        for size, parallel in ((1, 0), (2, 50), (30, 5)):
            asked = plan(name, action, size, parallel)
            title, verb = question(asked)
            yield confirm.question(Question(number(), title, tuple(effects(who, asked)), verb, "x" * 32))
            yield cards.notice(*started(who, asked, SNOWFLAKE, size, asked.left, SNOWFLAKE))


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
