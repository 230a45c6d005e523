"""The settings of an org as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import discord

from bot.domain.settings import SETTINGS, Setting, Value, allowed, shown
from bot.ui.cards import Colour, card, notice

if TYPE_CHECKING:
    from bot.services.config import Change


def list_card(values: Mapping[str, Value], mention: Callable[[str], str]) -> discord.ui.LayoutView:
    """Every setting with its present value."""
    lines = [_line(setting, values[setting.key]) for setting in SETTINGS.values()]
    return card(Colour.IDLE, "### Settings", "\n".join(lines), f"-# {mention('config set')} changes one.")


def _line(setting: Setting, value: Value) -> str:
    rights = "" if setting.permission == "settings.edit" else f"; needs `{setting.permission}`"
    return (
        f"**{setting.words}**: {shown(setting, value)}\n-# `{setting.key}` · may be {allowed(setting)}{rights}. "
        f"{setting.note}".rstrip()
    )


def short(setting: Setting, value: Value) -> str:
    """For autocompletes."""
    return f"{setting.key} · {shown(setting, value)} · {setting.words}"[:100]


def changed_card(change: Change) -> discord.ui.LayoutView:
    """What it was and what it is."""
    setting = change.setting
    if change.before == change.after:
        return notice(f"`{setting.key}` is {shown(setting, change.after)} already", "Nothing was changed.")
    title = f"`{setting.key}`: {shown(setting, change.before)} → {shown(setting, change.after)}"
    return notice(title, "\n".join(filter(None, [f"{setting.words}.", setting.note])))
