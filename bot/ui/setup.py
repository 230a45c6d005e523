"""The cards of `/setup start`: a short step at a time. Each choice is saved at once, so it can be left and resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain import zones
from bot.domain.setup import STEPS, Step
from bot.domain.words import count
from bot.ui import setup_channels, setup_roles
from bot.ui.cards import Button, Colour, card, row
from bot.ui.forms import Field, modal
from bot.ui.ids import custom_id
from bot.ui.setup_hosts import host_parts, server_parts
from bot.ui.setup_parts import Parts, lacking

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
    zone = Field("zone", "Time zone", "A place: Europe/Berlin, or only Berlin", 64, placeholder="Europe/Berlin")
    return modal("Time zone", "setup.zone_typed", (), zone)


def _summary(page: Page, mention: Mention) -> Parts:
    """What is missing, with a way to each step that is about it."""
    there = ", ".join((count(page.servers, "server"), count(page.hosts, "host"), count(len(page.channels), "channel")))
    missing = _missing(page, mention)
    end = "**Still missing**" if missing else "Nothing is missing."
    words = [end, *(f"✗ {words}" for _, words in missing)]
    steps = dict.fromkeys(step for step, _ in missing)
    ways = (
        [row(*(Button(f"Step {step.number}: {TITLES[step]}", "setup.show", (step.value,)) for step in steps))]
        if steps
        else []
    )
    return [f"Set up: {there}; clock {page.zone.replace('_', ' ')}.", "\n".join(words), *ways, _next(mention)]


def _missing(page: Page, mention: Mention) -> list[tuple[Step, str]]:
    """What is not there yet, and the step that is about it."""
    silent = [purpose for purpose in setup_channels.PURPOSES if purpose not in {*page.channels, *page.disabled}]
    off = [purpose for purpose in setup_channels.PURPOSES if purpose in page.disabled]
    away = page.hosts - page.online
    found = [
        (not page.staff, Step.ROLES, f"No Discord role is staff yet: {mention('access bind')}"),
        (bool(silent), Step.CHANNELS, f"No channel for {', '.join(silent)}: {mention('setup channels')}"),
        (bool(off), Step.CHANNELS, f"Switched off, as Discord refused: the channel for {', '.join(off)}"),
        (not page.hosts, Step.HOST, f"No host is paired: {mention('host add')}"),
        (away > 0, Step.HOST, f"{count(away, 'host')} not connected: {mention('host list')}"),
        (not page.servers, Step.SERVER, f"No server is added: {mention('fleet add')}"),
    ]
    return [(step, words) for lacks, step, words in found if lacks]


def _next(mention: Mention) -> str:
    ways = f"{mention('setup check')} looks deeper, {mention('server list')} shows the servers"
    return f"-# {ways}. {mention('setup start')} changes every choice that was made here."
