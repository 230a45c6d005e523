"""Plans of power actions, ordinary and hostile, in every state."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import discord

from bot.ui import power
from db.queries.power import PlanCard
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number

STATES = ("planned", "running", "done", "cancelled", "expired")


def plan(name: str, **changed: Any) -> PlanCard:
    values: dict[str, Any] = {
        "id": number(),
        "org_id": number(2),
        "server_id": number(3),
        "server_name": name,
        "action": "restart",
        "due_at": NOW,
        "give_up_at": None,
        "warn_minutes": [15, 10, 5, 1],
        "status": "planned",
        "reason": name * 5,
        "created_at": LONG_AGO,
        "outcome": name * 10,
        "ended_at": NOW,
        "author": name,
        "ended_by": name,
        "number": SNOWFLAKE % 2**31,
        "job_status": "held",
        "says": True,
        "duration_ms": 61_500,
    }
    return PlanCard(**{**values, **changed})


def bare_plan(**changed: Any) -> PlanCard:
    """A plan of which nothing is known but that it is there."""
    empty = dict.fromkeys("reason outcome ended_at author ended_by number job_status duration_ms".split())
    return plan("x", **{**empty, "says": False, **changed})


def power_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for status in STATES:
        for mode in ({}, {"due_at": None, "give_up_at": NOW + timedelta(hours=2)}):
            yield power.plan_card(plan(name, status=status, **mode), 7)
            yield power.plan_card(bare_plan(status=status, **mode))
        yield power.plan_card(plan(name, status=status, job_status="failed"), 7)
        yield power.plan_card(plan(name, status=status, warn_minutes=[]), 7)
