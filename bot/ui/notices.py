"""Messages of the bot that are said once: a host was paired, a channel was disabled, a test."""

from typing import Any

import discord

from bot.domain.words import safe
from bot.ui import alerts, channels, holds, seals
from bot.ui.cards import Colour, card


def render(event: str, payload: dict[str, Any], mark: int) -> discord.ui.LayoutView | None:
    """The card of an event; None for one that this version does not know."""
    match event:
        case "host.paired":
            title = f"**{safe(payload['name'])} is connected**"
            games = safe(", ".join(payload.get("games", [])), 300) or "no game yet"
            text = f"{safe(payload.get('hostname', ''))} · runs {games}"
            return card(Colour.GOOD, f"{title}\n{text}", mark=mark)
        case "channel.disabled":
            why = safe(payload["reason"], 200)
            text = f"<#{int(payload['channel'])}> no longer takes messages ({why}), so nothing is sent there."
            purposes = ", ".join(payload.get("purposes", []))
            return card(
                Colour.WARN,
                f"**A channel was switched off**\n{text}\nPurposes without a channel: {purposes}.",
                mark=mark,
            )
        case "schedule.skipped":
            what = "is switched off" if payload["off"] else "was left out"
            reason = safe(payload["reason"], 300)
            text = f"{reason[:1].upper()}{reason[1:]}. `/schedule list` shows how it stands."
            return card(Colour.WARN, f"**{safe(payload['name'])} {what}**\n{text}", mark=mark)
        case "server.hold.ended":
            return holds.ended_card(payload, mark)
        case "audit.seal":
            return seals.posted_card(payload, mark)
        case "alert.test":
            return alerts.test_card(payload["rule"], payload["severity"], payload["by"], mark)
        case "notify.test":
            return channels.test_message(payload, mark)
        case "setup.test":
            return card(Colour.GOOD, f"**Messages for {safe(payload['purpose'])} arrive here.**", mark=mark)
        case _:
            return None
