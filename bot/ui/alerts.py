"""Alert rules: the form of a new one, what it watches in words, lines of a list, and the card of a test."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.alert_conditions import (
    KEYWORD_MAX,
    NAME_MAX,
    SEVERITIES,
    Condition,
    HostOffline,
    JobRunFailed,
    LogKeyword,
    ServerDown,
    read,
)
from bot.domain.durations import compact
from bot.domain.words import count, safe
from bot.ui.cards import Colour, card
from bot.ui.forms import Field, modal

if TYPE_CHECKING:
    from uuid import UUID

    from bot.services.alerts import Kept
    from db.queries.alert_rules import RuleCard

TYPES: Final[dict[str, str]] = {
    "host_offline": "a host is silent",
    "server_down": "a server is down",
    "job_run_failed": "jobs fail",
    "log_keyword": "a log says something",
}
_NAMES: Final[dict[str, str]] = {
    "host_offline": "Host offline",
    "server_down": "Server down",
    "job_run_failed": "Jobs fail",
    "log_keyword": "Log",
}
#: custom_id, label, description, default, required
_Field = tuple[str, str, str, str, bool]
_FIELDS: Final[dict[str, tuple[_Field, ...]]] = {
    "host_offline": (("for", "For how long", "No heartbeat for so long, such as 2m or 90s", "2m", True),),
    "server_down": (("for", "For how long", "A crash counts at once; stopped or silent for so long", "10s", True),),
    "job_run_failed": (
        ("consecutive", "In a row", "How many runs in a row have to fail", "1", True),
        ("jobs", "Which jobs", "Such as SERVER_RESTART, MOD_INSTALL; empty: all", "", False),
    ),
    "log_keyword": (
        ("keyword", "Look for", f"At most {KEYWORD_MAX} characters", "", True),
        ("threshold", "How many lines", "So many within the window", "1", True),
        ("window_minutes", "Window", "Minutes", "5", True),
    ),
}


def entries(kind: str) -> set[str]:
    """What the form of a new rule asks for."""
    return {"name", *(name for name, *_ in _FIELDS.get(kind, ()))}


def form(kind: str, scope_name: str, route: str, *args: str | UUID) -> ui.Modal:
    """Name and parameters of a new rule."""
    title = f"{_NAMES[kind]}: {scope_name}" if scope_name else f"{_NAMES[kind]}: all"
    name = Field("name", "Name", "As it is shown here", NAME_MAX, title[:NAME_MAX] if scope_name else "")
    fields = (
        Field(key, label, description, KEYWORD_MAX, default, required=required)
        for key, label, description, default, required in _FIELDS[kind]
    )
    return modal(title, route, args, name, *fields)


def kept_card(kept: Kept, title: str) -> discord.ui.LayoutView:
    """A rule after a change: what it watches, where it says so, and how often that would have been."""
    rule = kept.rule
    lines = [_about(rule), _where(kept)]
    if kept.past is not None:
        caveat = f" ({kept.past.caveat})" if kept.past.caveat else ""
        times = "That cannot be told" if kept.past.times is None else f"**{count(kept.past.times, 'time')}**"
        lines.append(f"In the last 7 days it would have fired: {times}{caveat}.")
    return card(Colour.GOOD if rule.enabled else Colour.IDLE, f"### {title}", "\n".join(lines))


def _about(rule: RuleCard) -> str:
    state = "on" if rule.enabled else "off"
    return f"**{safe(rule.name)}** · {state} · severity {SEVERITIES[rule.severity]}\n{_watches(rule)}"


def _watches(rule: RuleCard) -> str:
    try:
        words = condition_words(read(rule.type, rule.condition))
    except ValueError as error:
        words = f"cannot be read: {safe(str(error), 200)}"
    return f"{_scope(rule)}: {words}"


def _scope(rule: RuleCard) -> str:
    if rule.server_name:
        return safe(rule.server_name)
    if rule.host_name:
        return safe(rule.host_name)
    return "all hosts" if rule.type == "host_offline" else "all servers"


def condition_words(condition: Condition) -> str:
    """What a rule waits for."""
    match condition:
        case HostOffline():
            return f"no heartbeat for {compact(timedelta(seconds=condition.for_seconds))}"
        case ServerDown():
            return f"crashed, or down for {compact(timedelta(seconds=condition.for_seconds))} though it should run"
        case JobRunFailed():
            which = safe(", ".join(condition.job_types), 200) if condition.job_types else "any job"
            return f"{which} failed {count(condition.consecutive, 'time')} in a row"
        case LogKeyword():
            what = f"“{safe(condition.keyword, 100)}”"
            how = "matching " if condition.regex else "with "
            window = compact(timedelta(minutes=condition.window_minutes))
            return f"{count(condition.threshold, 'line')} {how}{what} within {window}"


def _where(kept: Kept) -> str:
    if kept.channels:
        return f"Its messages go to {', '.join(f'<#{channel}>' for channel in kept.channels[:5])}."
    return "No channel takes its messages yet: what it finds is in `/incident list`. `/setup start` chooses a channel."


def line(rule: RuleCard) -> str:
    """One row of a list."""
    if rule.last_error:
        state = f"**cannot be evaluated**: {safe(rule.last_error, 120)}"
    elif not rule.enabled:
        state = "waits for an alerts channel" if rule.untouched else "off"
    else:
        state = f"**fires for {rule.firing}**" if rule.firing else "on"
    return f"**{safe(rule.name)}** · {_watches(rule)} · {SEVERITIES[rule.severity]} · {state}"


def short(rule: RuleCard) -> str:
    """For autocompletes."""
    return f"{rule.name} · {TYPES.get(rule.type, rule.type)} · {'on' if rule.enabled else 'off'}"[:100]


def test_card(rule: str, severity: str, by: str, mark: int) -> discord.ui.LayoutView:
    """What `/alert test` posts: nothing is wrong, and it says so."""
    words = f"Messages of the rule **{safe(rule)}** (severity {safe(severity)}) arrive here. Nothing is wrong."
    return card(Colour.IDLE, f"### Test of an alert\n{words}\n-# Asked for by {safe(by)}.", mark=mark)
