"""Players as people see them. Ids and addresses are for staff, and never in public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.domain.words import count, safe
from bot.ui.cards import Button, Colour, card, listing, row
from bot.ui.forms import Field, modal
from bot.ui.ids import custom_id
from bot.ui.texts import ago, code

if TYPE_CHECKING:
    from bot.services.servers import Page
    from db.queries.sightings import Sighting


def short(seen: Sighting) -> str:
    """For autocompletes: `bob · online on EU #1`."""
    where = (
        f"online on {seen.server_name}"
        if seen.online
        else f"last seen on {seen.server_name}"
        if seen.server_name
        else ""
    )
    return " · ".join(filter(None, [seen.name, where]))[:100]


def line(seen: Sighting, *, with_server: bool) -> str:
    server = f" · {safe(seen.server_name or '')}" if with_server else ""
    return f"**{safe(seen.name)}**{server} · since {ago(seen.since)}"


def online_card(found: Page[Sighting], server: str, *, title: str, staff: bool) -> discord.ui.LayoutView:
    """`/players`. Staff pick a row to see ids; the card itself shows names only, it is public."""
    lines = [line(seen, with_server=not server) for seen in found.rows]
    extra: list[ui.Item[ui.LayoutView]] = []
    if staff and found.rows:
        names = {
            str(seen.player_id): seen.name[:100] or "?" for seen in found.rows
        }  # who is on two servers stands once
        options = [discord.SelectOption(label=name, value=player) for player, name in names.items()]
        select: ui.Select[ui.LayoutView] = ui.Select(
            custom_id=custom_id("players.profile"), placeholder="Staff: show a player's profile", options=options
        )
        extra.append(ui.ActionRow(select))
    return listing(
        title,
        lines,
        empty="Nobody is online.",
        page=found.number,
        more=found.more,
        route="players.page",
        args=(server,),
        extra=extra,
    )


def profile_card(seen: Sighting, *, may_kick: bool) -> discord.ui.LayoutView:
    """Ids and whereabouts of one player, for staff only."""
    where = (
        f"online on **{safe(seen.server_name or '')}** since {ago(seen.since)}"
        if seen.online
        else f"last seen {ago(seen.last_seen_at)}"
    )
    ids = "\n".join(f"**{safe(kind)}** {code(value)}" for kind, value in sorted(seen.identities.items()))
    buttons = (
        [row(Button("Kick", "player.kick", (seen.player_id,), discord.ButtonStyle.danger))]
        if may_kick and seen.online
        else []
    )
    known = count(len(seen.identities), "id")
    return card(
        Colour.IDLE,
        f"### {safe(seen.name)}\n{where}",
        ids or "No ids are known.",
        *buttons,
        f"-# {known} · only you see this",
    )


def kick_form(player: str) -> ui.Modal:
    """Asks for the reason of a kick."""
    reason = Field("reason", "Reason", "The player reads it", 200)
    return modal("Kick player", "player.kicked", (player,), reason)
