"""The card of `/setup start`: each choice is saved at once, so it can be left and opened again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.words import safe
from bot.ui.cards import Button, Colour, card, row
from bot.ui.ids import custom_id
from bot.ui.texts import count

if TYPE_CHECKING:
    from bot.services.setup import Progress

_PURPOSES: Final = {
    "ops": "**Operations** · progress of restarts, kicks and every other job",
    "alerts": "**Alerts** · what is wrong with hosts and servers, until it is over",
    "bans": "**Bans** · who was banned and why, for everybody to read",
    "audit": "**Audit** · what went wrong with the bot itself",
    "players": "**Players** · what players should see",
}
_PRESETS: Final = {
    "moderator": "**Moderators** · start, stop, restart, kick, ban, console",
    "operator": "**Operators** · add and change servers, deploy, schedule and alert as well",
    "admin": "**Administrators** · everything, hosts included",
}


def start_card(progress: Progress, asked: Sequence[str], presets: Sequence[str]) -> discord.ui.LayoutView:
    """Channels, roles, the first host, the first server."""
    parts: list[str | ui.Item[ui.LayoutView]] = ["### Set up Gamekeeper", "**1 · Where messages go**"]
    for purpose in asked:
        lost = progress.disabled.get(purpose)
        parts.append(_PURPOSES[purpose] + (f"\n⚠ switched off: {safe(lost, 200)}" if lost else ""))
        parts.append(ui.ActionRow(_channel(purpose, progress.channels.get(purpose))))
    parts += [ui.Separator(), "**2 · Who may do what**"]
    for preset in presets:
        parts.append(_PRESETS[preset])
        parts.append(ui.ActionRow(_roles(preset, progress.bindings.get(preset, []))))
    parts += [ui.Separator(), _next(progress), row(Button("Refresh", "setup.start"))]
    done = bool(progress.channels.get("ops") and progress.bindings.get("moderator") and progress.servers)
    return card(Colour.GOOD if done else Colour.BUSY, *parts)


def _channel(purpose: str, chosen: int | None) -> ui.ChannelSelect[ui.LayoutView]:
    default = [discord.SelectDefaultValue(id=chosen, type=discord.SelectDefaultValueType.channel)] if chosen else []
    return ui.ChannelSelect(
        custom_id=custom_id("setup.channel", purpose),
        placeholder="Choose a channel",
        channel_types=[discord.ChannelType.text],
        min_values=0,
        default_values=default,
    )


def _roles(preset: str, chosen: Sequence[int]) -> ui.RoleSelect[ui.LayoutView]:
    default = [discord.SelectDefaultValue(id=role, type=discord.SelectDefaultValueType.role) for role in chosen[:10]]
    return ui.RoleSelect(
        custom_id=custom_id("setup.roles", preset),
        placeholder="Choose roles",
        min_values=0,
        max_values=10,
        default_values=default,
    )


def _next(progress: Progress) -> str:
    if not progress.hosts:
        return "**3 · A host**\n`/host add` gives a command to run on the machine where your games run."
    if not progress.servers:
        connected = f"{progress.hosts_online} of {count(progress.hosts, 'host')} connected."
        return f"**3 · A server**\n{connected} `/fleet add` adds a game server."
    there = f"{count(progress.servers, 'server')} on {count(progress.hosts, 'host')}."
    return f"**3 · Done**\n{there} `/server list` shows them."
