"""Schedules, ordinary and hostile, and every card that is built of them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import discord

from bot.domain.access import Grants
from bot.domain.actions import ACTIONS
from bot.domain.actors import Actor
from bot.domain.cron_words import parse
from bot.domain.schedules_steps import MOST, Step
from bot.domain.schedules_times import timetable
from bot.domain.schedules_windows import Window
from bot.domain.words import safe
from bot.services.schedules_adding import Preview
from bot.services.schedules_showing import Shown
from bot.services.schedules_steps import rows_of
from bot.services.schedules_wishes import Plan, Wish, wish_of
from bot.services.servers import left_out
from bot.ui import cards, notices, schedules, schedules_preview, schedules_show, schedules_steps
from db.queries.schedules import ScheduleCard
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number, server

STATUSES = (
    None, "enqueued", "success", "failed", "skipped", "skipped_busy", "skipped_window", "skipped_offline",
    "skipped_players", "skipped_missed", "scheduler_failed", "something_newer",
)  # fmt: skip
OFTEN = "0 " + ",".join(map(str, range(0, 24, 2))) + " * * 0,1,2,3,4,5"

NEWER: list[dict[str, Any]] = [
    {"job_type": "SOMETHING_NEWER", "payload": {}, "time_offset_sec": 0, "continue_on_failure": False}
]
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
        "last_run_for": LONG_AGO,
        "last_run_status": "failed",
        "last_run_reason": name * 5,
        "last_job": SNOWFLAKE,
        "consecutive_failures": 9,
        "steps": rows_of([Step("restart")]),
        "lead_sec": 0,
        "catch_up": False,
        "overlap": "queue",
        "only_when_online": True,
        "only_when_empty": True,
        "window_start": time(22),
        "window_end": time(4, 30),
        "max_retries": 10,
        "backoff_sec": 3600,
        "run_count": 123456,
        "failure_count": 123456,
        "author_id": number(4),
        "author": name,
        "author_discord_id": SNOWFLAKE,
    }
    return ScheduleCard(**{**values, **changed})


def chain(name: str, action: str) -> list[Step]:
    """As many steps as there may be, as long as they may be."""
    step = Step(action, (name * 6)[:512] if ACTIONS[action].text else "")
    warning = Step("announce", (name * 6)[:512], -3600, goes_on=True)
    return [warning] * (MOST - 1) + [step]


def preview(name: str, action: str, *, servers: int = 1, told: bool = False, before: bool = False) -> Preview:
    """A question of `/schedule add`, or of `/schedule edit`; for a tag, where there are several servers."""
    runs = [NOW + timedelta(days=n) for n in range(5)]
    text = (name * 6)[:512] if ACTIONS[action].text else ""
    tag = "x" * 32 if servers > 1 else ""
    steps = chain(name, action) if servers > 1 else [Step(action, text)]
    wish = Wish(action, OFTEN, tag=tag, name=name[:64], zone="America/Argentina/ComodRivadavia", catch_up=told)
    if servers > 1:
        wish = replace(
            wish, window="22:00-04:30", only_online=True, only_empty=True, overlap="queue", retries=10, backoff=3600
        )
    window = Window(time(22), time(4, 30)) if servers > 1 else None
    found = [server(name) for _ in range(servers)]
    plan = Plan(wish.doing(steps), steps, parse(OFTEN), window, found, runs)
    old = Wish("announce", "0 4 * * *", text=text, name=name[:64], zone="America/Port_of_Spain").doing(
        chain(name[::-1], "console")
    )
    return Preview(number(), plan, told, left_out(SEEN, found) if told else "", old if before else None)


def shown(name: str, steps: Sequence[Step] = (), **changed: Any) -> Shown:
    """A schedule as its card shows it, which may do what no host would take."""
    one = schedule(name, **changed)
    times = timetable(one) if one.expression == OFTEN else None
    runs = [NOW + timedelta(days=n) for n in range(5)]
    wish = wish_of(one).doing(steps) if steps else wish_of(one)
    rests = [f"{name} is held by {name} for 3 days: {name * 3}"] * 9
    return Shown(one, wish, times, runs, [name] * 200, rests, unbacked=True, manages=True)


def schedule_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for action in ACTIONS:
        yield schedules_preview.preview(preview(name, action))
        yield schedules_preview.preview(preview(name, action, servers=200, told=True))
        yield schedules_preview.preview(preview(name, action, servers=200, told=True, before=True))
        yield schedules_show.show(shown(name, chain(name, action), lead_sec=3600))
    yield schedules_show.show(shown(name, server_gone=True, enabled=False, next_run_at=None))
    yield schedules_show.show(shown(name, tag="x" * 32, server_id=None, server_name=None, left_out=999))
    newer = schedule(name, expression=name, zone=name, steps=NEWER, author=None, last_job=None)
    yield schedules_show.show(Shown(newer, None, None, [], [], [], unbacked=False, manages=True))
    rows = [schedule(name, last_run_status=status) for status in STATUSES]
    rows += [
        schedule(name, server_gone=True, enabled=False, next_run_at=None),
        schedule(name, enabled=False, next_run_at=None, last_run_status="scheduler_failed"),
        schedule(name, enabled=False, next_run_at=None),
        schedule(name, paused_until=NOW + timedelta(days=1)),
        schedule(name, tag="x" * 32, server_id=None, server_name=None, left_out=999),
        schedule(name, expression=name, zone=name, steps=NEWER, author=None, last_job=None),
    ]
    lines = [schedules.line(one, unbacked=True) for one in rows]
    for first in range(0, len(lines), 10):
        page = lines[first : first + 10]
        yield cards.listing("Schedules", page, empty="-", page=9, more=True, route="schedule.page")
    for off in (True, False):
        payload = {"name": name[:64], "reason": safe(name * 3, 300), "off": off}
        told = notices.render("schedule.skipped", payload, 7)
        assert told is not None
        yield told


def schedule_forms(name: str) -> Iterable[discord.ui.Modal]:
    for action in ACTIONS.values():
        yield schedules_steps.form(number(), action)
    wish = wish_of(schedule(name))
    yield schedules_show.form(wish)
    yield schedules_show.form(wish.doing([Step("announce", (name * 6)[:512])]))
