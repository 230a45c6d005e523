"""Which messages go where: the list for staff, the test message, and what remains after a removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from discord import ui

from bot.domain.words import count, safe
from bot.ui.cards import Colour, card, notice

if TYPE_CHECKING:
    from bot.services.channels import Removed, Shown
    from db.queries.channels import Channel

_SEVERITIES: Final = {"low": "all severities", "med": "medium and high", "high": "high only"}

_NOWHERE: Final = "what answers a command appears where that was typed, the rest nowhere."


def line(shown: Shown) -> str:
    """One row of `/notify list`."""
    channel = shown.channel
    name = f"**{safe(channel.name)}** · {channel.purpose} → <#{channel.channel_id}>"
    if not channel.enabled:
        why = safe(channel.disabled_reason or "no reason is known", 200)
        return f"🔴 {name} · **switched off**: {why}\n-# Mend that, then `/notify test` tries it again."
    parts = [f"{'🟢' if shown.in_use else '⚪'} {name}"]
    if channel.purpose == "alerts":
        parts.append(_SEVERITIES[channel.min_severity])
    if channel.rules:
        parts.append(f"named by {count(channel.rules, 'rule')}")
    if not shown.in_use:
        parts.append("in reserve, until the one above is switched off")
    return " · ".join(parts)


def short(channel: Channel) -> str:
    """For autocompletes."""
    off = "" if channel.enabled else " · switched off"
    return f"{channel.name} · {channel.purpose}{off}"[:100]


def test_message(payload: dict[str, Any], mark: int) -> ui.LayoutView:
    """What appears in the channel."""
    what = safe(payload["purpose"])
    if payload["purpose"] == "alerts":
        what += f" ({_SEVERITIES.get(payload['severity'], safe(payload['severity']))})"
    text = f"**A test, nothing has happened.**\nMessages for {what} arrive here, as {safe(payload['name'])}."
    return card(Colour.GOOD, f"{text}\n-# Asked for by {safe(payload['by'])}.", mark=mark)


def removed(gone: Removed) -> ui.LayoutView:
    """What goes where now."""
    purpose, left = gone.channel.purpose, ", ".join(f"<#{channel}>" for channel in gone.left)
    text = (
        f"Messages for {purpose} go to {left}." if left else f"Messages for {purpose} have no channel now: {_NOWHERE}"
    )
    if gone.channel.rules:
        text += f"\n{count(gone.channel.rules, 'alert rule')} named it and now use the channels for alerts."
    return notice(f"{safe(gone.channel.name)} is removed", text, Colour.GOOD if left else Colour.WARN)
