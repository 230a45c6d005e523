"""Status boards, and the channels that messages go to, for the tests of cards."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import discord

from bot.services.channels import Removed, Shown
from bot.services.panels import SHOWN, Board
from bot.ui import channels, panels
from bot.ui.cards import listing
from db.queries.channels import Channel
from db.queries.panels import Panel, PanelServer
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number

STATUSES = ("unknown", "installing", "install_failed", "stopped", "starting", "running", "stopping", "crashed")


def shown(name: str, **changed: Any) -> PanelServer:
    values: dict[str, Any] = {
        "id": number(),
        "name": name,
        "game_name": name,
        "status": "running",
        "players_online": 41,
        "status_changed_at": LONG_AGO,
        "reachable": True,
        "most": 64,
        "map": name * 3,
        "started_at": LONG_AGO,
        "presence": "online",
        "silent_since": None,
        "next_restart": NOW,
        "next_stop": NOW,
        "incident": 12,
        "incident_since": LONG_AGO,
        "maintenance_at": None,
    }
    return PanelServer(**{**values, **changed})


def bare(**changed: Any) -> PanelServer:
    """Nothing is known of it but its name."""
    nothing = dict.fromkeys(
        "players_online status_changed_at most map started_at silent_since next_restart next_stop incident".split()
    )
    return shown("x", **{**nothing, "status": "unknown", "presence": "unknown", **changed})


def panel(subject: str = "all", **changed: Any) -> Panel:
    return replace(Panel(number(), subject, SNOWFLAKE, SNOWFLAKE, None, None, None), **changed)


def board_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    every = [shown(name, status=status) for status in STATUSES]
    for presence in ("online", "checking", "offline", "unknown"):
        yield panels.board_card(Board(name, [replace(one, presence=presence) for one in every], []), NOW, 7)
    yield panels.board_card(Board(name, [shown(name)] * SHOWN, every * 40), NOW, 7)
    yield panels.board_card(Board(name, [bare(status=status) for status in STATUSES], []), NOW, 7)
    yield panels.board_card(Board(name, [shown(name, reachable=False, most=None)], []), NOW, 7)
    yield panels.board_card(Board("Servers", [], []), NOW, 7)
    boards = [panel(), panel("tag:eu", message_id=None), panel(f"server:{number()}", server_name=name)]
    yield listing("Boards", [panels.line(one) for one in (*boards, panel(disabled_reason=name * 5))] * 5, empty="-")


def channel(name: str, **changed: Any) -> Channel:
    return replace(Channel(number(), name, "alerts", SNOWFLAKE, "high", True, None, 3), **changed)


def channel_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    off = channel(name, enabled=False, disabled_reason=name * 5)
    rows = [
        Shown(channel(name), in_use=True),
        Shown(channel(name, purpose="ops"), in_use=False),
        Shown(off, in_use=False),
    ]
    yield listing("Where messages go", [channels.line(row) for row in rows] * 8, empty="-")
    for purpose in ("alerts", "ops"):
        yield channels.test_message({"name": name, "purpose": purpose, "severity": "low", "by": name}, 7)
        yield channels.removed(Removed(channel(name, purpose=purpose), ()))
        yield channels.removed(Removed(channel(name, purpose=purpose, rules=0), (SNOWFLAKE,) * 24))
