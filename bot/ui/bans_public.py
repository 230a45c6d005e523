"""Bans as everybody sees them, and as the person sees them who is banned: no ids, no addresses, no notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord

from bot.domain import bans
from bot.domain.words import joined, safe
from bot.ui.bans import ban_number, how_long, named
from bot.ui.cards import Button, Colour, card, listing, row
from bot.ui.texts import ago

if TYPE_CHECKING:
    from bot.services.bans import CaseFile
    from bot.services.servers import Page
    from db.queries.bans import OwnBan, Receipt

_ORDER: Final = ("applied", "waiting", "refused", "unsupported")


def notice_card(file: CaseFile, mark: int | None = None) -> discord.ui.LayoutView:
    """The notice in the channel for bans, edited until the case is over and taken back everywhere. What is behind its
    button is for staff."""
    case = file.case
    head = f"### {named(case.name)} "
    match case.status:
        case "active":
            head += f"is banned\n`{ban_number(case.number)}` · {how_long(case.expires_at)}"
        case "revoked":
            head += f"may play again\n`{ban_number(case.number)}` · lifted {ago(case.ended_at)}"
        case _:
            head += f"may play again\n`{ban_number(case.number)}` · ended {ago(case.ended_at)}"
    colour = Colour.BAD if case.status == "active" else Colour.GOOD
    details = row(Button("Details", "ban.open", (case.number,)))
    return card(colour, head, f"> {safe(case.reason, 200)}", _servers(file.receipts), details, mark=mark)


def _servers(receipts: list[Receipt]) -> str:
    """`applied EU1 EU2 · US3 waits: its host is offline since …`."""
    groups = {state: [one for one in receipts if _shown(one) == state] for state in _ORDER}
    taken_back = any(one.desired_state == "unbanned" for one in receipts)
    words = {
        "applied": "taken back on" if taken_back else "applied on",
        "waiting": "waits for",
        "refused": "refused by",
        "unsupported": "not possible on",
    }
    found = [f"{words[state]} {_names(state, groups[state])}" for state in _ORDER if groups[state]]
    return " · ".join(found)


def _shown(one: Receipt) -> bans.Shown:
    return bans.shown(one.desired_state, one.sync_status, one.applied_state)


def _names(state: str, receipts: list[Receipt]) -> str:
    return joined([safe(one.server_name) + (_why(one) if state == "waiting" else "") for one in receipts])


def _why(one: Receipt) -> str:
    if not one.host_online:
        return f" (its host is offline since {ago(one.host_offline_since)})"
    return "" if one.server_status == "running" else f" (it is {one.server_status})"


def own_card(found: Page[OwnBan], *, everywhere: bool) -> discord.ui.LayoutView:
    """`/my bans`. In a direct message the communities are named, too."""
    empty = "No ban is known of a game account that is linked to you. Staff can link one with `/player link`."
    lines = [_own(ban, everywhere=everywhere) for ban in found.rows]
    return listing("Your bans", lines, empty=empty, page=found.number, more=found.more, route="my.bans")


def _own(ban: OwnBan, *, everywhere: bool) -> str:
    where = (
        "on all servers"
        if ban.everywhere
        else "on " + (", ".join(safe(name) for name in ban.servers[:5]) or "no server")
    )
    org = f"**{safe(ban.org_name)}** · " if everywhere else ""
    state = how_long(ban.expires_at) if ban.status == "active" else f"over since {ago(ban.ended_at)}"
    return f"{org}`{ban_number(ban.number)}` **{named(ban.name)}** · {state} · {where}\n> {safe(ban.reason, 200)}"
