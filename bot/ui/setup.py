"""The cards of `/setup start`: a short step at a time. Each choice is saved at once, so it can be left and resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain import zones
from bot.domain.setup import STEPS, Step
from bot.ui import setup_channels, setup_roles
from bot.ui.cards import Button, Colour, card, row
from bot.ui.ids import custom_id
from bot.ui.setup_hosts import host_parts, server_parts
from bot.ui.setup_parts import Parts, lacking
from bot.ui.texts import count

if TYPE_CHECKING:
    from bot.services.setup_wizard import Page

TITLES: Final = {
    Step.ZONE: "The clock",
    Step.ROLES: "Who may do what",
    Step.CHANNELS: "Where messages go",
    Step.HOST: "The first host",
    Step.SERVER: "The first server",
    Step.FINISH: "What is left",
}
Mention = Callable[[str], str]
"""`/host add` as something that can be clicked."""


def step_card(page: Page, now: datetime, mention: Mention, said: str = "") -> discord.ui.LayoutView:
    """One step of the wizard. `said`: what the last press did."""
    head = f"### Set up Gamekeeper\nStep {page.step.number} of {len(STEPS)} · **{TITLES[page.step]}**"
    parts = [lacking(page)] if page.lacking else _parts(page, now, mention)
    done = page.step in page.done or (page.step is Step.FINISH and not _missing(page, mention))
    return card(Colour.GOOD if done else Colour.BUSY, head, said, *parts, ui.Separator(), _ways(page))


def _parts(page: Page, now: datetime, mention: Mention) -> Parts:
    match page.step:
        case Step.ZONE:
            return _zone(page, now)
        case Step.ROLES:
            return setup_roles.parts(page)
        case Step.CHANNELS:
            return setup_channels.parts(page)
        case Step.HOST:
            return host_parts(page)
        case Step.SERVER:
            return server_parts(page, mention)
        case Step.FINISH:
            return _summary(page, mention)


def _ways(page: Page) -> ui.ActionRow[ui.LayoutView]:
    """Back, Next or Skip, Refresh."""
    step = page.step
    last = step is Step.FINISH
    begun = step is Step.CHANNELS and bool(page.channels)
    done = Button("Next", "setup.go", (step.after.value,), discord.ButtonStyle.primary)
    forward = done if step in page.done else Button("Next" if begun else "Skip", "setup.next", (step.value,))
    test = Button("Send a test message", "setup.test", (), discord.ButtonStyle.primary, disabled=not page.channels)
    return row(
        Button("Back", "setup.go", (step.before.value,), disabled=step is step.before),
        test if last else forward,
        Button("Refresh", "setup.show", (step.value,)),
    )


def _zone(page: Page, now: datetime) -> Parts:
    chosen = f"It is **{page.zone.replace('_', ' ')}**, where it is {_there(page.zone, now, '%A %H:%M')}."
    menu: ui.Select[ui.LayoutView] = ui.Select(
        custom_id=custom_id("setup.zone"),
        placeholder="Choose a time zone",
        options=[
            discord.SelectOption(
                label=f"{name.replace('_', ' ')} · {_there(name, now, '%H:%M')}"[:100],
                value=name,
                default=name == page.zone,
            )
            for name in page.zones
        ],
    )
    return [
        "Schedules run by one clock for the whole community, and its dates are written by it.",
        chosen,
        ui.ActionRow(menu),
        row(Button("Type it", "setup.zone_form")),
    ]


def _there(zone: str, now: datetime, how: str) -> str:
    try:
        return f"{now.astimezone(zones.zone(zone)):{how}}"
    except ValueError:  # this machine's list of zones has lost it
        return "a time that I cannot tell"


def zone_form() -> ui.Modal:
    """For a zone that is not in the menu."""
    form = ui.Modal(title="Time zone", custom_id=custom_id("setup.zone_typed"))
    field: ui.TextInput[ui.Modal] = ui.TextInput(custom_id="zone", placeholder="Europe/Berlin", max_length=64)
    form.add_item(ui.Label(text="Time zone", description="A place: Europe/Berlin, or only Berlin", component=field))
    return form


def _summary(page: Page, mention: Mention) -> Parts:
    missing = _missing(page, mention)
    there = ", ".join((count(page.servers, "server"), count(page.hosts, "host"), count(len(page.channels), "channel")))
    end = "Nothing is missing." if not missing else "**Still missing**"
    return [f"Set up: {there}; clock {page.zone.replace('_', ' ')}.", "\n".join([end, *missing]), _next(mention)]


def _missing(page: Page, mention: Mention) -> list[str]:
    found = [
        (not page.staff, f"No role is staff yet: step 2, or {mention('access bind')}"),
        ("ops" not in page.channels, f"Progress of jobs has no channel: step 3, or {mention('setup channels')}"),
        ("alerts" not in page.channels, f"Alerts have no channel: step 3, or {mention('setup channels')}"),
        (bool(page.disabled), f"Switched off: {', '.join(sorted(page.disabled))}: choose another channel in step 3"),
        (not page.hosts, f"No host is paired: step 4, or {mention('host add')}"),
        (page.hosts > page.online, f"{count(page.hosts - page.online, 'host')} not connected: {mention('host list')}"),
        (not page.servers, f"No server is added: step 5, or {mention('fleet add')}"),
    ]
    return [f"✗ {words}" for lacks, words in found if lacks]


def _next(mention: Mention) -> str:
    ways = [f"{mention('server list')} shows the servers", f"{mention('help')} what you may do"]
    return f"-# {', '.join(ways)}. Every choice here can be changed by giving {mention('setup start')} again."
