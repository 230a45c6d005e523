"""Bans as games have them: how long, in which words, and what a game says that it has."""

from games.bans.durations import amount, is_permanent, is_same
from games.bans.listing import ban_list, read, stored
from games.bans.rows import BanList, BanRow, Known
from games.bans.words import ban_context

__all__ = [
    "BanList",
    "BanRow",
    "Known",
    "amount",
    "ban_context",
    "ban_list",
    "is_permanent",
    "is_same",
    "read",
    "stored",
]
