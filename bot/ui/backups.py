"""Backups as people see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord

from bot.domain.sizes import size
from bot.domain.words import count, safe
from bot.ui.cards import listing
from bot.ui.texts import ago, at, job_number

if TYPE_CHECKING:
    from bot.services.backups import Kept
    from db.queries.backups import BackupCard

_STATES: Final = {"running": "being made", "complete": "complete", "failed": "**failed**"}


def page(kept: Kept) -> discord.ui.LayoutView:
    """The backups of a server, with what becomes of the old ones."""
    server, found = kept.server, kept.page
    lines = [line(backup) for backup in found.rows]
    if lines:
        stay = "The newest is kept" if kept.keep == 1 else f"The newest {kept.keep} are kept"
        lines.append(f"-# On {safe(server.host_name)}. {stay}; locked ones stay.")
    return listing(
        f"Backups of {safe(server.name)}",
        lines,
        empty="There is no backup yet. `/backup create` makes the first one.",
        page=found.number,
        more=found.more,
        route="backup.page",
        args=(server.id,),
    )


def line(backup: BackupCard) -> str:
    """One row, on two lines."""
    words = _STATES.get(backup.status, safe(backup.status))
    locked = " · locked" if backup.is_locked else ""
    head = f"{at(backup.created_at)} · {words}{locked}"
    if backup.size_bytes is not None:
        head += f" · {size(backup.size_bytes)} in {count(int(backup.facts.get('files', 0)), 'file')}"
    job = f"`{job_number(backup.job)}`" if backup.job else ""
    who = f"by {safe(backup.author, 24)}" if backup.author else ""
    return f"{head}\n-# " + " · ".join(filter(None, [job, ago(backup.created_at), who, *_details(backup)]))


def _details(backup: BackupCard) -> list[str]:
    changed = int(backup.facts.get("changed", 0))
    return [
        f"sha256 `{backup.checksum[:12]}`" if backup.checksum else "",
        f"{count(changed, 'file')} changed meanwhile" if changed else "",
        safe(str(backup.facts.get("error", "")), 120),
    ]
