"""Audit entries as people read them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import discord
from discord import ui

from bot.domain.words import count, safe
from bot.errors import Invalid
from bot.ui.cards import Button, Colour, card, fitting, listing, row
from bot.ui.ids import Short, custom_id
from bot.ui.texts import ago, at, block

if TYPE_CHECKING:
    from bot.services.audit import AuditPage, DeniedPage
    from bot.services.audit_export import Export
    from db.queries.audit import AuditEntry, Filter

_SIGNS: Final = {"success": "✓", "denied": "⛔", "failed": "✗"}
OUTCOMES: Final = {"s": "success", "d": "denied", "f": "failed", "": None}
_COLOURS: Final = {"success": Colour.GOOD, "denied": Colour.WARN, "failed": Colour.BAD}
#: What a page can be narrowed to, by the letter that stands for it in a custom_id.
_KINDS: Final = {"s": "server", "h": "host", "p": "player", "u": "user"}
_RESULTS: Final = {"any": "Everything", "success": "Done", "denied": "Refused", "failed": "Failed"}
_NAME: Final = 40
"""Characters of a name in a line: ten lines have to fit into a message, whatever people are called."""


def who(entry: AuditEntry, limit: int = 100) -> str:
    """The person, agent or part of the bot that acted."""
    if entry.actor_type == "user":
        return safe(entry.actor or "somebody", limit)
    return " ".join(filter(None, [entry.actor_type, safe(str(entry.details.get("by", "")), limit)]))


def line(entry: AuditEntry) -> str:
    """One row of a list."""
    target = f" · {safe(entry.resource_name, _NAME)}" if entry.resource_name else ""
    number = f" · `J-{entry.details['number']}`" if _names_a_job(entry) else ""
    ended = entry.details.get("status", "success") if entry.outcome == "success" else entry.outcome
    outcome = "" if ended == "success" else f" · **{safe(str(ended), 20)}**"
    guild = f" · {safe(entry.guild, _NAME)}" if entry.guild else ""
    head = f"`{entry.id}` {_SIGNS[entry.outcome]} **{who(entry, _NAME)}** `{safe(entry.action, 32)}`"
    return f"{head}{target}{number}{outcome}{guild} · {ago(entry.at)}"


def _names_a_job(entry: AuditEntry) -> bool:
    number = entry.details.get("number")
    return isinstance(number, int) and entry.resource_type in ("job", "server", "player")


def page_card(page: AuditPage) -> ui.LayoutView:
    """Ten entries; Older goes on by id, so it is as fast on the last page as on the first."""
    args = _args(page.wanted)
    select: ui.Select[ui.LayoutView] = ui.Select(
        custom_id=custom_id("audit.result", *args),
        options=[
            discord.SelectOption(label=label, value=value, default=value == (page.wanted.outcome or "any"))
            for value, label in _RESULTS.items()
        ],
    )
    result = (page.wanted.outcome or "")[:1]
    return listing(
        "Audit log",
        [*_narrowed(page), *(line(entry) for entry in page.rows)],
        empty="No entry is like that.",
        extra=[ui.ActionRow(select), *_turn("audit.page", (*args, result), page)],
    )


def _turn(route: str, args: tuple[str | int, ...], page: AuditPage) -> Sequence[ui.ActionRow[ui.LayoutView]]:
    newest = [] if page.first else [Button("Newest", route, (*args, Short(0)))]
    older = [] if page.next is None else [Button("Older", route, (*args, Short(page.next)))]
    return [row(*newest, *older)] if newest or older else []


def _args(wanted: Filter) -> tuple[str | int, ...]:
    since = int(wanted.since.timestamp()) if wanted.since else 0
    return Short(wanted.by or 0), wanted.action or "", pack(wanted.target), Short(since)


def _narrowed(page: AuditPage) -> list[str]:
    wanted = page.wanted
    words = [
        f"by <@{wanted.by}>" if wanted.by else "",
        f"`{safe(wanted.action, 24)}`" if wanted.action else "",
        f"on a {'member' if wanted.target[0] == 'user' else wanted.target[0]}" if wanted.target else "",
        f"since {at(wanted.since)}" if wanted.since else "",
    ]
    shown = " · ".join(filter(None, words))
    return [f"-# {shown}"] if shown and page.rows else []


def own_card(page: AuditPage) -> ui.LayoutView:
    """What the reader did."""
    return listing(
        "What you did",
        [line(entry) for entry in page.rows],
        empty="Nothing of you is in the log.",
        extra=_turn("audit.mine", (), page),
    )


def denied_card(found: DeniedPage) -> ui.LayoutView:
    """Who was refused what."""
    often = [f"⚠ **{safe(one.actor, _NAME)}** was refused {_times(one.times)} in an hour" for one in found.often]
    rows = [_refusal(entry) for entry in found.page.rows]
    return listing(
        "Refused",
        [*often, *([""] if often and rows else []), *rows],
        empty="Nobody was refused anything.",
        extra=_turn("audit.denied", (), found.page),
    )


def _times(number: int) -> str:
    return "more than 9,999 times" if number >= 10_000 else count(number, "time")


def _refusal(entry: AuditEntry) -> str:
    return f"{line(entry)}\n-# {safe(entry.error.replace('`', ''), 90)}" if entry.error else line(entry)


def entry_card(entry: AuditEntry) -> ui.LayoutView:
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


def short(entry: AuditEntry) -> str:
    """An entry in a list of suggestions."""
    name = entry.actor if entry.actor_type == "user" else str(entry.details.get("by", entry.actor_type))
    words = [str(entry.id), f"{_SIGNS[entry.outcome]} {entry.action}", name or "somebody", entry.resource_name or ""]
    return " · ".join(filter(None, words))[:100]


def export_card(found: Export) -> ui.LayoutView:
    """The file, and what is in it."""
    since = f"from {at(found.since)} " if found.since else ""
    text = f"**{count(found.rows, 'entry', 'entries')}** {since}until {at(found.until)}, oldest first. Times are UTC."
    return card(Colour.GOOD, "### Audit log", text, ui.File(f"attachment://{found.file.name}"))


def live_card(entries: Sequence[AuditEntry], mark: int) -> ui.LayoutView:
    """Entries as they come, in the channel that shows them."""
    worst = next((outcome for outcome in ("failed", "denied") if any(e.outcome == outcome for e in entries)), "success")
    colour = Colour.IDLE if worst == "success" else _COLOURS[worst]
    return card(colour, fitting([line(entry) for entry in entries]), mark=mark)


def pack(target: tuple[str, str] | None) -> str:
    """A target in 23 characters, so that a filter fits into a custom_id."""
    if target is None:
        return ""
    return target[0][0] + urlsafe_b64encode(UUID(target[1]).bytes).decode().rstrip("=")


def unpack(text: str) -> tuple[str, str] | None:
    """The target that `pack` packed.

    Raises:
        Invalid: it did not.
    """
    try:
        return (_KINDS[text[0]], str(UUID(bytes=urlsafe_b64decode(text[1:] + "==")))) if text else None
    except (ValueError, KeyError) as error:
        raise _not_ours() from error


def moment(seconds: int) -> datetime | None:
    """The time in a custom_id.

    Raises:
        Invalid: there is no such time.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError) as error:
        raise _not_ours() from error


def result(text: str) -> str | None:
    """The outcome in a custom_id or of the select; None: any.

    Raises:
        Invalid: there is no such outcome.
    """
    if text[:1] not in OUTCOMES and text != "any":
        raise _not_ours()
    return OUTCOMES.get(text[:1])


def _not_ours() -> Invalid:
    return Invalid("This page is not one of ours.", "Search again with `/audit search`.")
