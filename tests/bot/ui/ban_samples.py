"""What cards of bans are built of."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import discord

from bot.domain.bans import Change, kick_text
from bot.services.bans import CaseFile
from bot.services.bans_adding import Preview
from bot.services.bans_people import Somebody
from bot.services.bans_sharing import Sharing
from bot.services.bans_words import Target
from bot.services.confirmations import Question
from bot.services.servers import Page
from bot.ui import bans, bans_public, cards
from db.queries.ban_addresses import Sharer
from db.queries.ban_entries import Place
from db.queries.bans import Case, Event, OwnBan, PastCase, Receipt
from db.queries.bans_write import Active
from tests.bot.ui.samples import LONG_AGO, NOW, number

STEAM, ADDRESS = "76561198000000001", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"
STATES = ("pending", "syncing", "synced", "failed", "unsupported")
REASON_MAX = 200


def case(name: str, **changed: Any) -> Case:
    values: dict[str, Any] = {
        "id": number(5),
        "org_id": number(2),
        "number": 10**15 - 1,
        "player_id": number(6),
        "name": name,
        "reason": (name * 3)[:REASON_MAX],
        "everywhere": True,
        "status": "active",
        "banned_at": LONG_AGO,
        "expires_at": NOW,
        "ended_at": None,
        "revoke_reason": None,
        "author": name,
        "lifted_by": None,
        "identities": [["steam", STEAM], ["ip", ADDRESS], ["eos", "0" * 128]],
        "servers": 100,
        "applied": 7,
    }
    return Case(**{**values, **changed})


def over(name: str, status: str = "revoked") -> Case:
    return case(name, status=status, ended_at=NOW, lifted_by=name, revoke_reason=(name * 3)[:REASON_MAX])


def receipt(name: str, status: str = "synced", **changed: Any) -> Receipt:
    values: dict[str, Any] = {
        "server_id": number(3),
        "server_name": name,
        "desired_state": "banned",
        "sync_status": status,
        "applied_state": "banned" if status == "synced" else None,
        "attempts": 3,
        "next_attempt_at": NOW,
        "synced_at": LONG_AGO,
        "error": name * 3,
        "server_status": "running",
        "host_online": True,
        "host_offline_since": LONG_AGO,
        "game_name": name,
    }
    return Receipt(**{**values, **changed})


def event(name: str, kind: str) -> Event:
    was = {"reason": name * 3, "until": NOW.isoformat()}
    return Event(
        kind, {"reason": name * 3, "text": name * 10, "server": name, "servers": [name], "was": was}, NOW, name
    )


def file(name: str, shown: Case | None = None, receipts: int = 100) -> CaseFile:
    mixed = [receipt(name, STATES[n % len(STATES)], server_id=number(n)) for n in range(receipts)]
    kinds = ("created", "edited", "lifted", "expired", "evaded", "note", "retried")
    return CaseFile(shown or case(name), mixed, [event(name, kind) for kind in kinds] * 2)


def place(name: str, **changed: Any) -> Place:
    values: dict[str, Any] = {
        "id": number(3),
        "name": name,
        "host_id": number(4),
        "status": "running",
        "host_online": True,
        "host_offline_since": None,
        "game_name": name,
        "capabilities": ["ban"],
        "ban_by": ["ip", "steam"],
    }
    return Place(**{**values, **changed})


def preview(name: str, servers: int = 1, *, again: bool = False, seen: bool = True) -> Preview:
    places = [
        place(name),
        place(name, status="stopped"),
        place(name, host_online=False, host_offline_since=LONG_AGO),
        place(name, ban_by=["eos"]),
        place(name, capabilities=[]),
    ]
    targets = tuple(Target(place, ("steam",) if n % 5 < 3 else ()) for n, place in enumerate(places * servers))
    somebody = Somebody(number(6), name, (name,) * 5, frozenset({("steam", STEAM), ("ip", ADDRESS)}), (name,) * 3, NOW)
    past = tuple(PastCase(n, "expired", name, LONG_AGO, NOW) for n in range(10))
    reason = (name * 3)[:REASON_MAX]
    return Preview(
        question=Question(number(), "Ban this player?", (), "Ban on 120 servers"),
        number=1,
        who=somebody if seen else Somebody(None, "", (), frozenset({("ip", ADDRESS)})),
        past=past if seen else (),
        reason=reason,
        kick_text=kick_text(1, reason),
        until=NOW if seen else None,
        zone="Europe/Berlin",
        targets=targets,
        denied=(name,) * servers,
        note=name * 10,
        sharing=Sharing(tuple(Sharer(n, name) for n in range(30)), (name,) * 300) if servers > 1 else None,
        existing=Active(number(5), 1, name, reason, None, False, [], []) if again else None,
        change=Change("x", NOW, True, frozenset({number(8)}), frozenset({("ip", ADDRESS)})) if again else None,
    )


def own(name: str, **changed: Any) -> OwnBan:
    values: dict[str, Any] = {
        "number": 1,
        "status": "active",
        "name": name,
        "reason": (name * 3)[:REASON_MAX],
        "banned_at": LONG_AGO,
        "expires_at": None,
        "ended_at": None,
        "everywhere": False,
        "org_name": name,
        "servers": [name] * 50,
    }
    return OwnBan(**{**values, **changed})


def ban_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    """Every card about bans."""
    for servers in (1, 40):
        yield bans.preview_card(preview(name, servers))
        yield bans.preview_card(preview(name, servers, again=True))
    yield bans.preview_card(preview(name, seen=False))
    for shown in (case(name), over(name), over(name, "expired"), case("", expires_at=None, author=None, identities=[])):
        yield bans.case_card(replace(file(name, shown), may_lift=True))
        yield bans.case_card(file(name, shown, receipts=0))
        yield bans_public.notice_card(file(name, shown), mark=7)
        yield bans_public.notice_card(file(name, shown, receipts=0))
    lines = [bans.line(case(name)), bans.line(over(name)), bans.line(over("", "expired"))] * 3
    yield cards.listing("Bans", lines, empty="-", page=9, more=True, route="ban.page", args=("active", "0" * 32))
    mine = [own(name), own("", status="expired", ended_at=NOW, everywhere=True), own(name, servers=[])] * 3
    yield bans_public.own_card(Page(mine, 3, more=True), everywhere=True)
    yield bans_public.own_card(Page([], 0, more=False), everywhere=False)
