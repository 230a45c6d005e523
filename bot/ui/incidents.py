"""Incidents: the card in the alerts channel that is edited to its end, and lines of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.words import count, safe
from bot.ui.cards import Button, Colour, card, everything, row
from bot.ui.texts import ago, at, span

if TYPE_CHECKING:
    from db.queries.incident_cards import IncidentCard, IncidentEvent

SEVERITIES: Final = {"low": "low", "med": "medium", "high": "high"}
_SIGNS: Final = {
    "created": "●",
    "trigger": "↻",
    "auto_resolved": "✓",
    "reopened": "↺",
    "folded": "⤷",
    "status_change": "·",
}
_LINE: Final = 240
_TIMELINE: Final = 2_400


def number(incident: IncidentCard) -> str:
    return f"I-{incident.number}"


def colour(incident: IncidentCard) -> Colour:
    """Red while nobody looks into it, yellow where it is only a low one, blue once somebody does, green at its end."""
    match incident.status:
        case "resolved":
            return Colour.GOOD
        case "investigating":
            return Colour.BUSY
        case "open":
            return Colour.WARN if incident.severity == "low" else Colour.BAD


def state_words(incident: IncidentCard) -> str:
    """The state, and whose it is."""
    match incident.status:
        case "open":
            return "open"
        case "investigating":
            return f"{safe(incident.assignee)} looks into it" if incident.assignee else "somebody looks into it"
        case "resolved":
            return f"resolved by {safe(incident.resolved_by)}" if incident.resolved_by else "resolved"


def incident_card(
    incident: IncidentCard, mark: int | None = None, *, may: Callable[[str], bool] = everything
) -> discord.ui.LayoutView:
    """The message of an incident, from its opening to its end. `may`: of the only reader, where there is one."""
    head = f"### {safe(incident.title, 200)}\n`{number(incident)}` · **{state_words(incident)}**{_lasted(incident)}"
    return card(colour(incident), head, _about(incident), _timeline(incident), *_buttons(incident, may), mark=mark)


def _lasted(incident: IncidentCard) -> str:
    if incident.resolved_at is None:
        return f" · since {ago(incident.created_at)}"
    return f" · after {span(incident.resolved_at - incident.created_at)} · {ago(incident.resolved_at)}"


def _about(incident: IncidentCard) -> str:
    server = f"Server **{safe(incident.server_name)}**" if incident.server_name else ""
    host = f"{'on' if server else 'Host'} **{safe(incident.host_name)}**" if incident.host_name else ""
    where = " ".join(filter(None, [server, host]))
    rule = f"rule {safe(incident.rule_name)}" if incident.rule_name else ""
    severity = f"severity **{SEVERITIES[incident.severity]}**"
    still = "It is still so; there is a new message only after it was fine." if _still(incident) else ""
    return "\n".join(filter(None, [" · ".join(filter(None, [where, severity, rule])), still]))


def _still(incident: IncidentCard) -> bool:
    return incident.status == "resolved" and incident.firing


def _timeline(incident: IncidentCard) -> str:
    """As many of the newest lines as there is room for, oldest of them first."""
    lines, room = list[str](), _TIMELINE
    for event in reversed(incident.timeline):
        line = _line(event)
        room -= len(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    earlier = incident.earlier + len(incident.timeline) - len(lines)
    return "\n".join([f"-# {count(earlier, 'earlier line')}", *lines] if earlier else lines)


def _line(event: IncidentEvent) -> str:
    who = f"**{safe(event.who, 60)}** " if event.who else ""
    return f"{_SIGNS.get(event.type, '·')} {ago(event.at)} {who}{safe(event.message, _LINE)}"


def _buttons(incident: IncidentCard, may: Callable[[str], bool]) -> list[discord.ui.Item[discord.ui.LayoutView]]:
    buttons: list[Button] = []
    manages = may("incidents.manage")
    if manages and incident.status == "open":
        buttons.append(Button("Acknowledge", "incident.ack", (incident.id,), discord.ButtonStyle.primary))
    if manages and incident.status != "resolved":
        buttons.append(Button("Resolve", "incident.resolve", (incident.id,), discord.ButtonStyle.success))
    if incident.server_id and not incident.server_gone and may("servers.view"):
        buttons.append(Button("Server", "server.open", (incident.server_id,)))
    return [row(*buttons)] if buttons else []


def line(incident: IncidentCard) -> str:
    """One row of a list."""
    when = ago(incident.resolved_at) if incident.resolved_at else f"since {at(incident.created_at)}"
    severity = SEVERITIES[incident.severity]
    return f"`{number(incident)}` **{safe(incident.title, 80)}** · {severity} · {state_words(incident)} · {when}"


def short(incident: IncidentCard) -> str:
    """For autocompletes: `I-3 · EU #1 is down · open`."""
    return f"{number(incident)} · {incident.title[:60]} · {incident.status}"[:100]
