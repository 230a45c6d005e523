"""The steps of `/setup start` in which the first host is paired and the first server is added."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.domain.setup import Step
from bot.domain.words import count, safe
from bot.ui.cards import Button, Colour, card, row
from bot.ui.forms import Field, modal
from bot.ui.hosts import pairing_text
from bot.ui.setup_parts import Parts
from bot.ui.texts import ago

if TYPE_CHECKING:
    from bot.services.hosts import Pairing
    from bot.services.setup_wizard import Page
    from db.queries.setup import PairingState


def host_parts(page: Page) -> Parts:
    """What hosts there are, what became of the last command, and the button for another one."""
    there = f"{page.online} of {count(page.hosts, 'host')} connected." if page.hosts else "No host is paired yet."
    label = "Pair another host" if page.hosts else "Pair a host"
    style = discord.ButtonStyle.secondary if page.hosts else discord.ButtonStyle.primary
    return [
        "Games run on hosts, on which an agent does what is asked here. It dials out: no port has to be open.",
        "\n".join([there, *([_pairing(page.pairing)] if page.pairing else [])]),
        row(Button(label, "setup.host_form", (), style)),
    ]


def _pairing(state: PairingState) -> str:
    name = safe(state.name)
    if state.used:
        waits = f"{name} is paired; now start it there with `gamekeeper-agent run`."
        return f"**{name} is connected.**" if state.online else waits
    if state.good:
        return f"The command for {name} was shown once; it ends {ago(state.expires_at)}."
    return f"The command for {name} was not used in time."


def host_form() -> ui.Modal:
    """Asks what the machine is called here."""
    name = Field("name", "Name", "As the machine is called here", 100, default="host-1")
    return modal("Pair a host", "setup.host", (), name)


def paired_card(pairing: Pairing, url: str) -> discord.ui.LayoutView:
    """The one-time command; Refresh shows when the host has connected, and only then takes the command away."""
    ways = row(
        Button("Back", "setup.go", (Step.HOST.before.value,)),
        Button("Refresh", "setup.paired", (), discord.ButtonStyle.primary),
        Button("Next", "setup.go", (Step.HOST.after.value,)),
    )
    return card(Colour.BUSY, *pairing_text(pairing, url), ui.Separator(), ways)


def server_parts(page: Page, mention: Callable[[str], str]) -> Parts:
    """A button for each game on a host that is there."""
    there = f"{count(page.servers, 'server')} here: {mention('server list')} shows them." if page.servers else ""
    shown: Parts = ["A host sets a game server up by itself; a form asks for its name and a few settings.", there]
    if not page.hosts:
        return [*shown, "No host is paired yet: go back to step 4 first."]
    if not page.offers:
        return [*shown, "No connected host allows a game yet: its agent's configuration says which it may run."]
    buttons = [
        Button(f"{offer.game_name} on {offer.host_name}", "setup.server", (offer.host_id, offer.game))
        for offer in page.offers
    ]
    return [*shown, row(*buttons), f"-# {mention('fleet add')} adds more."]
