"""Backups, ordinary and hostile, and every card that is built of them."""

from collections.abc import Iterable
from typing import Any

import discord

from bot.services.backups import Kept
from bot.services.servers import Page
from bot.ui import backups
from db.queries.backups import BackupCard
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number, server


def backup(name: str, **changed: Any) -> BackupCard:
    values: dict[str, Any] = {
        "id": number(),
        "name": name,
        "status": "complete",
        "size_bytes": 2**45,
        "checksum": "f" * 64,
        "is_locked": True,
        "facts": {"files": 10**6, "changed": 10**5},
        "created_at": LONG_AGO,
        "completed_at": NOW,
        "job": SNOWFLAKE,
        "author": name,
    }
    return BackupCard(**{**values, **changed})


def backup_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    bare = {"size_bytes": None, "checksum": None, "completed_at": None, "is_locked": False}
    shown = [
        backup(name),
        backup(name, status="running", facts={}, **bare),
        backup(name, status="failed", facts={"error": name * 10}, job=None, author=None, **bare),
        backup(name, status="something newer"),
    ]
    yield backups.page(Kept(server(name), 365, Page((shown * 3)[:10], 9, more=True)))
    yield backups.page(Kept(server(name), 1, Page([], 0, more=False)))
