"""Holds as people see them: the message that tells of one, and the words on cards, lists and boards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import discord

from bot.domain.rest import stamp
from bot.domain.words import safe
from bot.ui.cards import Button, Colour, card, row
from bot.ui.texts import ago, at, span

if TYPE_CHECKING:
    from bot.domain.rest import Rest


def held_card(payload: dict[str, Any], mark: int | None = None) -> discord.ui.LayoutView:
    """It is held: by whom, why, until when."""
    end = _moment(payload["until"])
    lines = [
        f"### {safe(payload['name'])} is held",
        f"**By** {safe(payload['by'] or 'somebody')}, since {ago(_moment(payload['since']))}",
        f"**Until** {at(end)}, {ago(end)}" if end else "**Until** somebody releases it",
        f"**Reason** {safe(payload['reason'], 300)}",
        "-# People, schedules and batches leave it alone, and its host does not start it again after a crash.",
    ]
    release = Button("Release", "server.release_this", (payload["server"], stamp(payload["since"])))
    return card(Colour.WARN, "\n".join(lines), row(release), mark=mark)


def released_card(payload: dict[str, Any], mark: int | None = None) -> discord.ui.LayoutView:
    """The same message, once it is over."""
    since, ended = _moment(payload["since"]), _moment(payload["endedAt"])
    lasted = f" after {span(ended - since)}" if since and ended else ""
    how = f"**Released** by {safe(payload['endedBy'])}" if payload["endedBy"] else "**Ended** by itself"
    lines = [
        f"### {safe(payload['name'])} is not held any more",
        f"{how}{lasted}, {ago(ended)}",
        f"**It was held by** {safe(payload['by'] or 'somebody')}",
        f"**Reason** {safe(payload['reason'], 300)}",
    ]
    return card(Colour.IDLE, "\n".join(lines), mark=mark)


def ended_card(payload: dict[str, Any], mark: int | None = None) -> discord.ui.LayoutView:
    """A message of its own for who waits for the end of a hold."""
    whose = f"The hold of {safe(payload['by'])}" if payload["by"] else "The hold"
    text = f"{whose} was over {ago(_moment(payload['until']))}. Its reason: {safe(payload['reason'], 300)}"
    return card(Colour.GOOD, f"**{safe(payload['name'])} is no longer held**\n{text}", mark=mark)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def short(rest: Rest | None) -> str:
    """For lists and boards, which everybody reads: `🔒 held by Ann since …`, `🔧 in maintenance until …`."""
    if rest is None:
        return ""
    if rest.kind == "hold":
        return f"🔒 held by {safe(rest.by or 'somebody', 40)} since {ago(rest.since)}"
    return "🔧 in maintenance" + (f", over {ago(rest.until)}" if rest.until else "")


def fact(rest: Rest | None) -> tuple[str, str]:
    """For a card: what to call it, and what there is to say."""
    if rest is None:
        return "", ""
    if rest.kind == "maintenance":
        until = f"until {at(rest.until)}, {ago(rest.until)}" if rest.until else "now"
        return "Maintenance", f"{until}: {safe(rest.reason, 200)}"
    until = f", until {at(rest.until)}" if rest.until else ""
    return "Held", f"by {safe(rest.by or 'somebody')} since {ago(rest.since)}{until}: {safe(rest.reason, 200)}"
