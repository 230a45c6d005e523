"""Audit entries as people read them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import discord

from bot.domain.words import safe
from bot.errors import Invalid
from bot.ui.cards import Button, Colour, card, listing, row
from bot.ui.ids import Short
from bot.ui.texts import ago, at, block

if TYPE_CHECKING:
    from bot.services.audit import AuditPage
    from db.queries.audit import AuditEntry

_SIGNS: Final = {"success": "✓", "denied": "⛔", "failed": "✗"}
OUTCOMES: Final = {"s": "success", "d": "denied", "f": "failed", "": None}
_COLOURS: Final = {"success": Colour.GOOD, "denied": Colour.WARN, "failed": Colour.BAD}


def who(entry: AuditEntry) -> str:
    """The person, agent or part of the bot that acted."""
    if entry.actor_type == "user":
        return safe(entry.actor or "somebody")
    return " ".join(filter(None, [entry.actor_type, safe(str(entry.details.get("by", "")))]))


def line(entry: AuditEntry) -> str:
    """One row of `/audit search`."""
    target = f" · {safe(entry.resource_name)}" if entry.resource_name else ""
    number = f" · `J-{entry.details['number']}`" if entry.details.get("number") else ""
    ended = entry.details.get("status", "success") if entry.outcome == "success" else entry.outcome
    outcome = "" if ended == "success" else f" · **{safe(str(ended))}**"
    head = f"`{entry.id}` {_SIGNS[entry.outcome]} **{who(entry)}** `{safe(entry.action)}`"
    return f"{head}{target}{number}{outcome} · {ago(entry.at)}"


def page_card(page: AuditPage) -> discord.ui.LayoutView:
    """Ten entries; Older goes on by id, so it is as fast on the last page as on the first."""
    title = "Audit log"
    parts = listing(title, [line(entry) for entry in page.rows], empty="No entry is like that.")
    if page.next is not None:
        wanted = page.wanted
        parts_row = row(
            Button(
                "Older",
                "audit.page",
                (
                    Short(wanted.by or 0),
                    wanted.action or "",
                    pack(wanted.target),
                    Short(int(wanted.since.timestamp()) if wanted.since else 0),
                    (wanted.outcome or "")[:1],
                    Short(page.next),
                ),
            )
        )
        next(iter(parts.children)).add_item(parts_row)  # type: ignore[attr-defined]  # the container of our own card
    return parts


def entry_card(entry: AuditEntry) -> discord.ui.LayoutView:
    """One entry with everything that was kept."""
    facts = [
        ("Who", who(entry) + (f" (<@{entry.actor_discord_id}>)" if entry.actor_discord_id else "")),
        ("What", f"`{safe(entry.action)}`" + (f" by `/{safe(entry.command)}`" if entry.command else "")),
        ("On", " ".join(filter(None, [entry.resource_type, safe(entry.resource_name or entry.resource_id or "")]))),
        ("Outcome", entry.outcome + (f": {safe(entry.error, 300)}" if entry.error else "")),
        ("When", at(entry.at)),
        ("Where", f"<#{entry.channel_id}>" if entry.channel_id else ""),
        ("Took", f"{entry.duration_ms} ms" if entry.duration_ms is not None else ""),
        ("Reference", f"`{entry.correlation_id}`" if entry.correlation_id else ""),
    ]
    text = "\n".join(f"**{name}** {value}" for name, value in facts if value)
    extra = {key: value for key, value in (("options", entry.options), ("details", entry.details)) if value}
    kept = block(json.dumps(extra, ensure_ascii=False, indent=1, default=str)) if extra else ""
    return card(_COLOURS[entry.outcome], f"### Audit entry {entry.id}", text, kept)


def pack(identifier: UUID | None) -> str:
    """A UUID in 22 characters, so that a filter fits into a custom_id."""
    return urlsafe_b64encode(identifier.bytes).decode().rstrip("=") if identifier else ""


def unpack(text: str) -> UUID | None:
    """The UUID that `pack` packed.

    Raises:
        Invalid: it did not.
    """
    try:
        return UUID(bytes=urlsafe_b64decode(text + "==")) if text else None
    except ValueError as error:
        raise Invalid("This page is not one of ours.", "Search again with `/audit search`.") from error


def moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
