"""The step of `/setup start` in which Discord roles become staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.role_map import MOST, STAFF, digest
from bot.domain.words import count
from bot.ui.cards import Button, row
from bot.ui.ids import custom_id
from bot.ui.setup_parts import Parts

if TYPE_CHECKING:
    from bot.services.setup_wizard import Page

_WORDS: Final = {
    "admin": "**Administrators** · everything, hosts and rights included",
    "operator": "**Operators** · add and change servers, deploy, schedule and alert as well",
    "moderator": "**Moderators** · start, stop, restart, kick, ban, console",
    "viewer": "**Viewers** · see everything that is not secret",
}


def parts(page: Page) -> Parts:
    """A menu for each preset, what is only suggested, and what @everyone sees."""
    shown: Parts = ["Each choice counts at once. The owner and Discord's administrators may do everything anyway."]
    for preset in STAFF:
        proposed = " · **suggested**, not in force yet" if preset in page.suggested else ""
        shown.append(_WORDS[preset] + proposed)
        shown.append(ui.ActionRow(_menu(preset, page)))
    if page.gone:
        shown.append(f"-# {count(page.gone, 'role')} that had rights here no longer exist in Discord.")
    return [*shown, _everyone(page), row(*_buttons(page))]


def _menu(preset: str, page: Page) -> ui.RoleSelect[ui.LayoutView]:
    bound = page.bound.get(preset, [])
    many = len(bound) > MOST
    chosen = page.suggested.get(preset, bound)
    return ui.RoleSelect(
        custom_id=custom_id("setup.roles", preset, digest({preset: bound})),
        placeholder=f"{len(bound)} roles: use /access bind and /access unbind" if many else "Choose roles",
        min_values=0,
        max_values=MOST,
        disabled=many,
        default_values=[
            discord.SelectDefaultValue(id=role, type=discord.SelectDefaultValueType.role)
            for role in ([] if many else chosen)
        ],
    )


def _everyone(page: Page) -> str:
    if not page.everyone:
        return "Only staff sees servers; `/status` and `/players` refuse everybody else."
    return "Everyone sees servers and who is online: `/status`, `/players`."


def _buttons(page: Page) -> list[Button]:
    seen = Button("Let only staff see servers", "setup.everyone", ("off",))
    unseen = Button("Let everyone see servers", "setup.everyone", ("on",))
    use = Button("Use these", "setup.suggested", (digest(page.suggested),), discord.ButtonStyle.success)
    return [*([use] if page.suggested else []), seen if page.everyone else unseen]
