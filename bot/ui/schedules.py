"""Schedules in lists and suggestions, and the words for how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.actions import OF_JOB_TYPE, POWER
from bot.domain.cron import checked
from bot.domain.cron_words import EXAMPLES, parse
from bot.domain.words import count, safe
from bot.ui.texts import ago, at, job_number

if TYPE_CHECKING:
    from db.queries.schedules import ScheduleCard

_LONGEST_CHOICE: Final = 100
_LONGEST_WORDS: Final = 60
_LONGEST_REASON: Final = 38
_RESULTS: Final = {
    "enqueued": "under way",
    "success": "done",
    "failed": "failed",
    "skipped": "left out",
    "skipped_busy": "left out: the server was busy with something else",
    "skipped_window": "left out: outside its window",
    "skipped_offline": "left out: no server was up",
    "skipped_players": "left out: not empty, or nobody knows",
    "skipped_missed": "missed: nothing could be done at that time",
    "scheduler_failed": "not possible",
}


def line(schedule: ScheduleCard, *, unbacked: bool = False) -> str:
    """One row of the list, on two lines, of which ten have room. `unbacked`: its author may not do any more what it
    does."""
    without = f" without {count(schedule.left_out, 'server')}" if schedule.left_out else ""
    where = f"tag {safe(schedule.tag)}{without}" if schedule.tag else safe(schedule.server_name or "", 32)
    head = f"**{safe(schedule.name, 44)}** · {does(schedule)} · {where}"
    who = f"by {safe(schedule.author, 24)}" if schedule.author else "its author is gone"
    lost = " · its author may no longer do this; it runs on" if unbacked else ""
    return f"{head} · {state(schedule)}\n-# {_when(schedule)} · {last(schedule)} · {who}{lost}"


def does(schedule: ScheduleCard) -> str:
    """What a schedule is for, and how many steps it has besides: `restart +2`."""
    kinds = [step["job_type"] for step in schedule.steps]
    aims = [kind for kind in kinds if kind in POWER] or [kind for kind in kinds if kind != "ANNOUNCE"] or kinds
    if not aims:
        return "nothing"
    action = OF_JOB_TYPE.get(aims[0])
    more = f" +{len(kinds) - 1}" if len(kinds) > 1 else ""
    return f"{action.name if action else safe(aims[0])}{more}"


def state(schedule: ScheduleCard) -> str:
    """Whether it runs, and when next."""
    if schedule.server_gone:
        return "**disabled: its server was removed**"
    if not schedule.enabled:
        never = schedule.last_run_status == "scheduler_failed"
        return "**switched off: it cannot be done any more**" if never else "**paused**"
    if schedule.paused_until and rests(schedule):
        return f"**paused** until {at(schedule.paused_until)}"
    skips = f", **skips {count(schedule.skip_next, 'run')}**" if schedule.skip_next else ""
    return f"next {ago(schedule.next_time)}{skips}"


def rests(schedule: ScheduleCard) -> bool:
    """It is paused until a moment after its next run."""
    return bool(schedule.paused_until and schedule.next_run_at and schedule.next_run_at < schedule.paused_until)


def _when(schedule: ScheduleCard) -> str:
    try:
        words = checked(schedule.expression).words
    except ValueError:
        words = ""
    shown = words if 0 < len(words) <= _LONGEST_WORDS else safe(schedule.expression, _LONGEST_WORDS)
    return f"{shown}, {safe(schedule.zone, 32)}"


def last(schedule: ScheduleCard, *, room: int = 0) -> str:
    """How its last run went. `room`: characters for why it was left out, where the list has shorter words."""
    if schedule.last_run_status is None:
        return "never ran"
    words = _RESULTS.get(schedule.last_run_status, schedule.last_run_status)
    if schedule.last_run_reason and (room or ":" not in words) and schedule.last_run_status not in _WITH_JOB:
        reason = schedule.last_run_reason.removeprefix(f"{schedule.server_name}: ")
        words = f"{words.partition(':')[0]}: {safe(reason, room or _LONGEST_REASON)}"
    job = f" `{job_number(schedule.last_job)}`" if schedule.last_job and schedule.last_run_status in _WITH_JOB else ""
    failed = schedule.last_run_status == "failed" and schedule.consecutive_failures > 1
    again = f", {schedule.consecutive_failures} times in a row" if failed else ""
    return f"last {words}{again}{job} {ago(schedule.last_run_at)}"


_WITH_JOB: Final = frozenset({"enqueued", "success", "failed"})


def short(schedule: ScheduleCard) -> str:
    """For autocompletes: `nightly · restart · EU #1`."""
    parts = (schedule.name, does(schedule), schedule.tag or schedule.server_name or "")
    return " · ".join(filter(None, parts))[:100]


def times(typed: str) -> list[tuple[str, str]]:
    """For autocompletes: what was understood of the text so far and its value, then usual texts like it."""
    words = typed.strip()
    usual = [(example, example) for example in EXAMPLES if words.lower() in example and example != words]
    if not words or len(words) > _LONGEST_CHOICE:
        return usual
    try:
        understood = parse(words).words
    except ValueError as error:
        understood = str(error)
    return [(f"{words} → {understood}"[:100], words), *usual]
