"""Holds and maintenance windows, ordinary and hostile."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.services.maintenance_targets import Suggested
from bot.services.panels import Board
from bot.ui import cards, holds, hosts, maintenance, notices, panels, servers
from db.queries.maintenance_windows import WindowCard
from tests.bot.ui.panel_samples import shown as board_server
from tests.bot.ui.samples import LONG_AGO, NOW, host, number, server


def hold(name: str, *, until: datetime | None = None, **more: Any) -> dict[str, Any]:
    """What the messages of a hold are told."""
    end = until.timestamp() if until else None
    facts = {"server": str(number()), "name": name, "by": name, "reason": name * 3, "since": LONG_AGO.timestamp()}
    return {**facts, "until": end, **more}


def rest(kind: str, name: str, until: datetime | None = NOW + timedelta(hours=1)) -> dict[str, Any]:
    """Why a server is left alone, as the columns of its row."""
    columns = {"rest_kind": kind, "rest_reason": name * 3, "rest_by": name}
    return {**columns, "rest_since": LONG_AGO, "rest_until": until}


HOUR = timedelta(hours=1)


def window(name: str, **changed: Any) -> WindowCard:
    """Of a host, under way for an hour."""
    values: dict[str, Any] = {
        "id": number(5),
        "org_id": number(2),
        "guild_id": 1,
        "host_id": number(4),
        "host_name": name,
        "server_id": None,
        "server_name": None,
        "tag": None,
        "reason": (name * 30)[:300],
        "starts_at": NOW - HOUR,
        "ends_at": NOW + HOUR,
        "warned_at": None,
        "begun_at": NOW - HOUR,
        "ended_at": None,
        "gone": False,
        "author": name,
        "ended_by": None,
        "servers": [number(n) for n in range(200)],
    }
    return WindowCard(**{**values, **changed})


def windows(name: str) -> Iterable[WindowCard]:
    """In every state, and of everything that there is."""
    yield window(name)
    yield window(name, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR, begun_at=None)
    yield window(name, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR, begun_at=None, ended_at=NOW, ended_by=name)
    yield window(name, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR, begun_at=None, ended_at=NOW, gone=True)
    yield window(name, ended_at=NOW, ended_by=name)
    yield window(name, ends_at=NOW, ended_at=NOW, author=None)
    nothing = {"host_id": None, "host_name": None}
    yield window(name, **nothing, server_id=number(3), server_name=name, servers=[number(3)])
    yield window(name, **nothing, tag="x" * 32)
    yield window(name, **nothing)


def maintenance_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for one in windows(name):
        yield maintenance.window_card(one, NOW, 7)
    lines = [maintenance.line(one, NOW) for one in windows(name)]
    yield cards.listing("Maintenance", lines, empty="-", page=9, more=True, route="maintenance.page")
    for one in windows(name):
        assert 1 <= len(maintenance.short(one, NOW)) <= 100
    kinds = ("everything", "host", "server", "tag")
    shown = [maintenance.suggested(Suggested(kind, name, "value", 200, "running")) for kind in kinds]
    assert all(1 <= len(text) <= 100 for text in shown)


def rest_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for until in (None, NOW):
        yield holds.held_card(hold(name, until=until), 7)
        for by in (name, ""):
            yield holds.released_card(hold(name, until=until, endedBy=by, endedAt=NOW.timestamp()), 7)
    ended = notices.render("server.hold.ended", hold(name, until=NOW), 7)
    assert ended is not None
    yield ended
    yield holds.ended_card(hold("", until=NOW, by=""))
    for kind in ("hold", "maintenance"):
        for until in (None, NOW):
            shown = server(name, **rest(kind, name, until))
            yield servers.control_card(shown, lambda _: True)
            yield servers.status_card(shown)
            board = Board(
                name, [board_server(name, **rest(kind, name, until)), board_server(name, maintenance_at=NOW)], []
            )
            yield panels.board_card(board, NOW, 7)
    yield servers.control_card(server(name, maintenance_at=NOW), lambda _: True)
    resting = host(name, maintenance=name * 30, maintenance_until=NOW)
    yield hosts.host_card(resting)
    yield cards.listing("Hosts", [hosts.line(resting)] * 10, empty="-")
