"""Words and how values are written: times, numbers, names that somebody else chose."""

import re
from datetime import datetime, timedelta
from typing import Final

import discord

from bot.domain.durations import compact

BUG: Final = "Something broke on our side; nothing was changed by this."
BUG_REMEDY: Final = "Try again. If it stays, give the reference below to whoever runs the bot."
DONE_NOT_SHOWN: Final = "This was done, but the answer could not be shown."
DONE_UNSEEN: Final = "The database went away in that moment, but this was done."
DONE_UNSEEN_REMEDY: Final = "Do not repeat it: `/audit search` and `/job list` show it."
NOT_SHOWN: Final = "This was not done, and the reason could not be shown."

_FENCE: Final = re.compile(r"`{3,}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


BLOCK: Final = 1500
"""Characters of a game's output that a card shows."""


def block(text: str, limit: int = BLOCK) -> str:
    """Output of a game as a code block; the tail is kept when it is too long."""
    plain = _in_a_block(text)
    if len(plain) > limit:
        plain = "…" + plain[-(limit - 1) :]
    return f"```\n{plain or ' '}\n```"


def is_cut(text: str, limit: int = BLOCK) -> bool:
    """Whether `block` leaves something of it out."""
    return len(_in_a_block(text)) > limit


def _in_a_block(text: str) -> str:
    return _FENCE.sub("ʼʼʼ", _CONTROL.sub("", text)).strip("\n")


def code(text: str, limit: int = 128) -> str:
    """A value to be copied, such as a player's id."""
    plain = " ".join(_CONTROL.sub("", text).replace("`", "ʼ").split())
    return f"`{plain[:limit] or ' '}`"


def ago(moment: datetime | None) -> str:
    """`3 minutes ago`, kept up to date by Discord, in the reader's language."""
    return discord.utils.format_dt(moment, "R") if moment else "never"


def at(moment: datetime) -> str:
    """A date and time in the reader's own zone."""
    return discord.utils.format_dt(moment, "f")


def span(duration: timedelta) -> str:
    """`1 min 5 s`: how long something took."""
    seconds = duration.total_seconds()
    return f"{seconds:.1f} s" if seconds < 10 else compact(duration)


def job_number(number: int) -> str:
    return f"J-{number}"
