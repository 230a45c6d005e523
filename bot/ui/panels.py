"""Status boards: the message that everybody sees, and the list of them for staff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from discord import ui

from bot.domain.words import count, safe
from bot.ui import holds
from bot.ui.cards import MAX_TEXT, VOLATILE, Colour, card, fitting
from bot.ui.servers import STATES
from bot.ui.texts import ago

if TYPE_CHECKING:
    from bot.services.panels import Board
    from db.queries.panels import Panel, PanelServer

_WORST: Final = (Colour.BAD, Colour.WARN, Colour.BUSY, Colour.GOOD, Colour.IDLE)
_NAME: Final = 60
_FOOTER: Final = 600
"""Characters kept for what stands below the servers."""


def board_card(board: Board, now: datetime, mark: int | None = None) -> ui.LayoutView:
    """Public: names, states and numbers, and nothing that only staff may know. Edited when something in it changed, so
    that its last line does not count."""
    colours = [_state(server)[1] for server in (*board.servers, *board.others)]
    colour = next((one for one in _WORST if one in colours), Colour.IDLE)
    blocks = "\n".join(_block(server) for server in board.servers) or "No server is here any more."
    more = f"\n{_counted(board.others)}" if board.others else ""
    last = ui.TextDisplay[ui.LayoutView](f"-# Last change {ago(now)}", id=VOLATILE)
    head = f"### {safe(board.title, _NAME)}"
    return card(colour, head, fitting(blocks.splitlines(), MAX_TEXT - _FOOTER) + more, last, mark=mark)


def _state(server: PanelServer) -> tuple[str, Colour, str]:
    """Sign, colour and words. What a silent host said last is not known to be true any more."""
    match server.presence:
        case "checking":
            return "🟡", Colour.WARN, "checking…"
        case "offline":
            return "🟠", Colour.WARN, "host offline"
        case _:
            sign, colour, words = STATES[server.status]
            if server.status == "running" and not server.reachable:
                return "🟠", Colour.WARN, "up, but its console does not answer"
            return sign, colour, words


def _block(server: PanelServer) -> str:
    sign, _, words = _state(server)
    up = server.presence == "online" and server.status == "running"
    first = [f"{sign} **{safe(server.name, _NAME)}**", words]
    if up and server.players_online is not None:
        first.append(f"{server.players_online}/{server.most}" if server.most else f"{server.players_online} online")
    if up and server.map:
        first.append(f"map {safe(server.map, 40)}")
    return "\n".join(filter(None, [" · ".join(first), _details(server, up)]))


def _counted(servers: Sequence[PanelServer]) -> str:
    """How many are how, the most first."""
    states = Counter(f"{sign} {words}" for sign, _, words in map(_state, servers))
    each = " · ".join(f"{number} {state}" for state, number in states.most_common())
    return f"-# And {count(len(servers), 'more server')}: {each}. `/status` shows all of them."


def _details(server: PanelServer, up: bool) -> str:
    silent = server.presence in ("checking", "offline")
    changed = server.status_changed_at if server.presence == "online" and not up else None
    parts = [
        f"up since {ago(server.started_at)}" if up and server.started_at else "",
        f"since {ago(changed)}" if changed else "",
        f"last seen {ago(server.silent_since)}" if silent and server.silent_since else "",
        f"stops {ago(server.next_stop)}" if server.next_stop else "",
        f"next restart {ago(server.next_restart)}" if server.next_restart else "",
        holds.short(server.rest) or (f"maintenance {ago(server.maintenance_at)}" if server.maintenance_at else ""),
        f"🚨 I-{server.incident} since {ago(server.incident_since)}" if server.incident else "",
    ]
    said = " · ".join(filter(None, parts))
    return f"-# {said}" if said else ""


def what(panel: Panel) -> str:
    """What a board shows, in words that are not escaped yet."""
    kind, _, name = panel.subject.partition(":")
    match kind:
        case "server":
            return panel.server_name or "a server that was removed"
        case "tag":
            return f"servers with the tag {name}"
        case _:
            return "all servers"


def line(panel: Panel) -> str:
    """One row of `/panel list`."""
    name = f"**{safe(what(panel))}** in <#{panel.channel_id}>"
    if panel.disabled_reason is None:
        return f"🟢 {name}" if panel.message_id else f"🔵 {name} · about to be posted"
    again = "Mend that, then `/panel create` for the same channel lets it go on; `/panel remove` takes it away."
    return f"🔴 {name} · **switched off**: {safe(panel.disabled_reason, 200)}\n-# {again}"


def short(panel: Panel) -> str:
    """For autocompletes, where Discord shows no channel's name."""
    off = " · switched off" if panel.disabled_reason else ""
    return f"{what(panel)[:60]} · channel {panel.channel_id}{off}"
