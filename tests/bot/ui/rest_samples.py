"""Holds and maintenance windows, ordinary and hostile."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.ui import holds, notices, servers
from tests.bot.ui.samples import LONG_AGO, NOW, number, server


def hold(name: str, *, until: datetime | None = None, **more: Any) -> dict[str, Any]:
    """What the messages of a hold are told."""
    end = until.timestamp() if until else None
    facts = {"server": str(number()), "name": name, "by": name, "reason": name * 3, "since": LONG_AGO.timestamp()}
    return {**facts, "until": end, **more}


def rest(kind: str, name: str, until: datetime | None = NOW + timedelta(hours=1)) -> dict[str, Any]:
    """Why a server is left alone, as the columns of its row."""
    columns = {"rest_kind": kind, "rest_reason": name * 3, "rest_by": name}
    return {**columns, "rest_since": LONG_AGO, "rest_until": until}


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
