"""Schedules, ordinary and hostile, and every card that is built of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import discord

from agent import wire
from bot.domain.access import Grants
from bot.domain.actions import ACTIONS
from bot.domain.actors import Actor
from bot.domain.cron_words import parse
from bot.domain.words import safe
from bot.services.schedules_adding import Plan, Preview, Wish
from bot.services.servers import left_out
from bot.ui import cards, notices, schedules
from db.queries.schedules import ScheduleCard
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number, server

STATUSES = (
    None, "enqueued", "success", "failed", "skipped", "skipped_busy", "skipped_offline", "skipped_missed",
    "scheduler_failed", "something_newer",
)  # fmt: skip
OFTEN = "0 " + ",".join(map(str, range(0, 24, 2))) + " * * 0,1,2,3,4,5"

SEEN = Actor(type="user", name="Ann", grants=Grants(break_glass=True))


def schedule(name: str, **changed: Any) -> ScheduleCard:
    values: dict[str, Any] = {
        "id": number(),
        "name": name[:64],
        "server_id": number(3),
        "server_name": name,
        "server_gone": False,
        "tag": None,
        "expression": OFTEN,
        "zone": "America/Argentina/ComodRivadavia",
        "enabled": True,
        "paused_until": None,
        "skip_next": 100,
        "next_run_at": NOW,
        "last_run_at": LONG_AGO,
        "last_run_status": "failed",
        "last_job": SNOWFLAKE,
        "consecutive_failures": 9,
        "job_type": "SERVER_RESTART",
        "author_id": number(4),
        "author": name,
        "author_discord_id": SNOWFLAKE,
    }
    return ScheduleCard(**{**values, **changed})


def preview(name: str, action: str, *, servers: int = 1, told: bool = False) -> Preview:
    """A question of `/schedule add`; for a tag, where there are several servers."""
    runs = [NOW + timedelta(days=n) for n in range(5)]
    text = (name * 6)[:512] if ACTIONS[action].text else ""
    tag = "x" * 32 if servers > 1 else ""
    wish = Wish(
        action, OFTEN, tag=tag, text=text, name=name[:64], zone="America/Argentina/ComodRivadavia", catch_up=told
    )
    found = [server(name) for _ in range(servers)]
    plan = Plan(wish, ACTIONS[action], wire.ServerRestart(), parse(OFTEN), found, runs)
    return Preview(number(), plan, told, left_out(SEEN, found) if told else "")


def schedule_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for action in ACTIONS:
        yield schedules.preview(preview(name, action))
        yield schedules.preview(preview(name, action, servers=200, told=True))
    shown = [schedule(name, last_run_status=status) for status in STATUSES]
    shown += [
        schedule(name, server_gone=True, enabled=False, next_run_at=None),
        schedule(name, enabled=False, next_run_at=None, last_run_status="scheduler_failed"),
        schedule(name, enabled=False, next_run_at=None),
        schedule(name, paused_until=NOW + timedelta(days=1)),
        schedule(name, tag="x" * 32, server_id=None, server_name=None, left_out=999),
        schedule(name, expression=name, zone=name, job_type="SOMETHING_NEWER", author=None, last_job=None),
    ]
    lines = [schedules.line(one, unbacked=True) for one in shown]
    for first in range(0, len(lines), 10):
        page = lines[first : first + 10]
        yield cards.listing("Schedules", page, empty="-", page=9, more=True, route="schedule.page")
    for off in (True, False):
        payload = {"name": name[:64], "reason": safe(name * 3, 300), "off": off}
        told = notices.render("schedule.skipped", payload, 7)
        assert told is not None
        yield told
