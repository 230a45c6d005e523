"""Maintenance windows as people see them: a message from plan to end, a row of a list, a suggestion."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.maintenance import named
from bot.domain.words import count, safe
from bot.ui.cards import Button, Colour, card, row
from bot.ui.texts import ago, at, span

if TYPE_CHECKING:
    from bot.services.maintenance_targets import Suggested
    from db.queries.maintenance_windows import WindowCard

_LOOKS: Final = {
    "planned": ("🗓️", Colour.IDLE, "is planned"),
    "under way": ("🔧", Colour.WARN, "is under way"),
    "over": ("✅", Colour.GOOD, "is over"),
    "cancelled": ("⚪", Colour.IDLE, "does not take place"),
}


def window_card(window: WindowCard, now: datetime, mark: int | None = None) -> discord.ui.LayoutView:
    """Edited from planned over under way to its end."""
    state = window.times.state(now)
    _, colour, words = _LOOKS[state]
    facts = [*_when(window, state), ("Reason", safe(window.reason, 300)), ("By", safe(window.author or "somebody"))]
    if window.kind != "server" and state in ("planned", "under way"):
        facts.append(("Covers", count(len(window.servers), "server")))
    head = f"### Maintenance of {named(window.kind, window.name)} {words}"
    lines = [head, *(f"**{name}** {value}" for name, value in facts)]
    return card(colour, "\n".join(lines), *_footer(window, state), mark=mark)


def _when(window: WindowCard, state: str) -> list[tuple[str, str]]:
    match state:
        case "planned":
            return [("Begins", f"{at(window.starts_at)}, {ago(window.starts_at)}"), ("Until", at(window.ends_at))]
        case "under way":
            return [("Since", at(window.starts_at)), ("Until", f"{at(window.ends_at)}, {ago(window.ends_at)}")]
        case "cancelled":
            return [("Was planned for", at(window.starts_at)), ("Cancelled", _ended(window))]
        case _:
            ended = window.ended_at or window.ends_at
            return [("Took", span(ended - window.starts_at)), ("Ended", _ended(window))]


def _ended(window: WindowCard) -> str:
    ended = ago(window.ended_at or window.ends_at)
    if window.ended_by:
        return f"by {safe(window.ended_by)}, {ago(window.ended_at)}"
    return f"{ended}, because what it was of is removed" if window.gone else f"{ended}, by itself"


def _footer(window: WindowCard, state: str) -> list[str | discord.ui.Item[discord.ui.LayoutView]]:
    match state:
        case "planned":
            told = "-# Players hear of it ten minutes before, and when it begins and ends."
            return [told, row(Button("Cancel", "maintenance.end", (window.id,)))]
        case "under way":
            quiet = (
                "-# No alerts, schedules or batches meanwhile. What is still wrong at its end raises its alert then."
            )
            return [quiet, row(Button("End now", "maintenance.end", (window.id,)))]
        case _:
            return []


def line(window: WindowCard, now: datetime) -> str:
    """One row of a list."""
    state = window.times.state(now)
    sign, _, words = _LOOKS[state]
    match state:
        case "planned":
            when = f"{at(window.starts_at)} to {at(window.ends_at)}, begins {ago(window.starts_at)}"
        case "under way":
            when = f"until {at(window.ends_at)}, {ago(window.ends_at)}"
        case _:
            when = _ended(window)
    covers = (
        "" if window.kind == "server" or state not in ("planned", "under way") else count(len(window.servers), "server")
    )
    head = " · ".join(filter(None, [f"{sign} **{named(window.kind, window.name)}** {words}", covers, when]))
    return f"{head}\n-# {safe(window.author or 'somebody', 40)}: {safe(window.reason, 100)}"


def short(window: WindowCard, now: datetime) -> str:
    """For autocompletes: `host gs-1 · under way · new disks`."""
    name = f"{window.kind} {window.name}".strip()
    return f"{name} · {window.times.state(now)} · {window.reason}"[:100]


def suggested(one: Suggested) -> str:
    """For autocompletes: `host gs-1 · 6 servers · online`."""
    name = one.name if one.kind == "everything" else f"{one.kind} {one.name}"
    many = "" if one.kind == "server" else count(one.servers, "server")
    return " · ".join(filter(None, [name[:70], many, one.status]))[:100]
