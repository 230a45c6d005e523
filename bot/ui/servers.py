"""Servers as people see them: one line, and the control card with its buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.rest import stamp
from bot.domain.words import count, safe
from bot.ui import holds
from bot.ui.cards import Button, Colour, card, row
from bot.ui.texts import ago, at, job_number

if TYPE_CHECKING:
    from db.queries.cards import ServerCard
    from db.queries.history import Happening

STATES: Final = {
    "unknown": ("⚪", Colour.IDLE, "not seen yet"),
    "installing": ("🔵", Colour.BUSY, "being set up"),
    "install_failed": ("🔴", Colour.BAD, "set-up failed"),
    "stopped": ("⚫", Colour.IDLE, "stopped"),
    "starting": ("🔵", Colour.BUSY, "starting"),
    "running": ("🟢", Colour.GOOD, "up"),
    "stopping": ("🔵", Colour.BUSY, "stopping"),
    "crashed": ("🔴", Colour.BAD, "crashed"),
}


def state(server: ServerCard) -> tuple[str, Colour, str]:
    """Sign, colour and words of a server's state. What an offline host said last is no longer known to be true."""
    if server.host_status == "offline":
        return "🟠", Colour.WARN, "host offline"
    sign, colour, words = STATES[server.status]
    if server.status == "running" and server.observed.get("reachable") is False:
        return "🟠", Colour.WARN, "up, but its console does not answer"
    return sign, colour, words


def players(server: ServerCard) -> str:
    """`41/64`, or nothing where it is not known."""
    if server.players_online is None or server.status != "running" or not server.host_online:
        return ""
    most = server.observed.get("maxPlayers")
    return f"{server.players_online}/{most}" if most else count(server.players_online, "player")


def short(server: ServerCard) -> str:
    """For autocompletes: `EU #2 · 41/64 · up`."""
    return " · ".join(filter(None, [server.name, players(server), state(server)[2]]))[:100]


def line(server: ServerCard) -> str:
    """One row of a list."""
    sign, _, words = state(server)
    busy = f"{job_number(server.busy_with)} under way" if server.busy_with else ""
    return f"{sign} **{safe(server.name)}** · " + " · ".join(
        filter(None, [words, players(server), safe(server.game_name), busy, holds.short(server.rest)])
    )


def control_card(server: ServerCard, may: Callable[[str], bool]) -> discord.ui.LayoutView:
    """What it is, how it is, and buttons for what the reader may do."""
    _, colour, words = state(server)
    changed = server.status_changed_at if server.host_online and server.status != "running" else None
    since = f" since {ago(changed)}" if changed else ""
    head = f"### {safe(server.name)}\n**{words}**{since}"
    return card(colour, head, "\n".join(_facts(server)), *_controls(server, may))


def _facts(server: ServerCard) -> list[str]:
    observed = server.observed
    started = observed.get("startedAt")
    facts = [
        ("Game", " ".join(filter(None, [safe(server.game_name), safe(str(observed.get("version") or ""))]))),
        ("Players", players(server)),
        ("Map", safe(str(observed.get("map") or ""))),
        (
            "Up since",
            at(datetime.fromisoformat(started).astimezone(UTC)) if started and server.status == "running" else "",
        ),
        ("Careful", caution(server)),
        ("Next restart", ago(server.next_restart) if server.next_restart else ""),
        ("Incident", f"I-{server.incident}" if server.incident else ""),
        ("Next maintenance", ago(server.maintenance_at) if server.maintenance_at else ""),
        ("Host", _host(server)),
        ("Planned", _plan(server)),
        ("Wanted", _drift(server)),
        ("Tags", ", ".join(f"`{tag}`" for tag in server.tags)),
        ("Under way", job_number(server.busy_with) if server.busy_with else ""),
        holds.fact(server.rest),
        ("Note", safe(str(observed.get("note") or ""), 300)),
    ]
    return [f"**{name}** {value}" for name, value in facts if value]


def caution(server: ServerCard) -> str:
    """`blood moon now`: a time in the game at which a stop hurts."""
    found = server.caution
    return f"{safe(found[0], 40)} {'now' if found[1] else 'soon'}" if found and server.status == "running" else ""


def _plan(server: ServerCard) -> str:
    if server.plan is None:
        return ""
    due = server.plan["dueAt"]
    return f"{server.plan['action']} {ago(datetime.fromisoformat(due)) if due else 'as soon as nobody is on'}"


def _drift(server: ServerCard) -> str:
    """`running, is stopped`: where it is not as people want it, and not on its way there."""
    wanted = server.desired_state
    if wanted in ("unmanaged", server.status) or server.status in ("starting", "stopping") or not server.host_online:
        return ""
    return f"{wanted}, is {STATES[server.status][2]}"


def _host(server: ServerCard) -> str:
    if server.host_status == "offline":
        return f"{safe(server.host_name)}, offline since {ago(server.host_offline_since)}"
    return safe(server.host_name)


def _controls(server: ServerCard, may: Callable[[str], bool]) -> list[discord.ui.Item[discord.ui.LayoutView]]:
    up = server.status in ("running", "starting", "stopping")
    hold = server.rest if server.rest and server.rest.kind == "hold" else None
    wanted = [
        (not up, "Start", "server.start", "servers.start", discord.ButtonStyle.success),
        (up, "Restart", "server.restart", "servers.restart", discord.ButtonStyle.primary),
        (up, "Stop", "server.stop", "servers.stop", discord.ButtonStyle.danger),
        (
            bool(server.busy_with or server.plan),
            "Cancel",
            "server.cancel",
            "servers.stop",
            discord.ButtonStyle.secondary,
        ),
        (True, "Refresh", "server.show", "servers.view", discord.ButtonStyle.secondary),
    ]
    buttons = [
        Button(label, route, (server.id,), style)
        for shown, label, route, permission, style in wanted
        if shown and may(permission)
    ]
    if hold and may("servers.stop"):
        buttons.insert(-1, Button("Release", "server.release_this", (server.id, stamp(hold.since.timestamp()))))
    return [row(*buttons)] if buttons else []


_EVENTS: Final = {
    "server.ready": "came up",
    "server.stopped": "stopped",
    "server.crashed": "**crashed**",
    "player.join": "joined",
    "player.leave": "left",
}


def happening(entry: Happening) -> str:
    """One line of `/server history`."""
    who = safe(entry.who) if entry.who else ""
    match entry.source:
        case "job":
            verb = entry.what.removeprefix("SERVER_").replace("_", " ").lower()
            text = f"`{job_number(entry.number or 0)}` {verb} · {entry.outcome}" + (f" · {who}" if who else "")
        case "action":
            text = f"`{safe(entry.what)}` · {entry.outcome}" + (f" · {who}" if who else "")
        case _:
            text = " ".join(filter(None, [who, _EVENTS.get(entry.what, safe(entry.what))]))
    return f"{ago(entry.at)} {text}"


def status_card(server: ServerCard) -> discord.ui.LayoutView:
    """`/status` of one server: public, so no notes, hosts or buttons."""
    _, colour, words = state(server)
    hidden = ("Host", "Note", "Wanted", "Under way", "Tags", "Held", "Maintenance")
    facts = [fact for fact in _facts(server) if not fact.startswith(tuple(f"**{name}**" for name in hidden))]
    rest = [holds.short(server.rest)] if server.rest else []
    return card(colour, f"### {safe(server.name)}\n**{words}**", "\n".join([*facts, *rest]))
