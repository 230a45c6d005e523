"""Lines of games' logs as people read them."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from discord import ui

from bot.domain.words import safe
from bot.errors import Invalid
from bot.ui.cards import Button, listing, row
from bot.ui.ids import Short
from bot.ui.texts import at

if TYPE_CHECKING:
    from bot.services.log_search import LogPage
    from db.queries.logs import FoundLine

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLON, _LIKE_A_COLON = ":", "\ua789"
"""What separates the arguments of a custom_id, and what stands for it there."""


def page_card(page: LogPage) -> ui.LayoutView:
    """Ten lines; Older goes on behind the last of them."""
    head = f"-# with **{safe(page.words, 30)}** since {at(page.since)}, newest first"
    return listing(
        f"Log of {safe(page.server.name)}",
        [head, *(line(found) for found in page.rows)] if page.rows else [],
        empty=f"No line with **{safe(page.words, 30)}** since {at(page.since)}.",
        extra=[row(Button("Older", "console.found", _args(page)))] if page.more else [],
    )


def line(found: FoundLine) -> str:
    """One row: when, and what the game wrote."""
    seconds = int(found.ts.timestamp())
    level = f"**{found.level}** " if found.level in ("warn", "error") else ""
    return f"<t:{seconds}:d> <t:{seconds}:T> {level}{safe(found.message, 150)}"


def _args(page: LogPage) -> tuple[str | int, ...]:
    last = page.rows[-1]
    return (
        urlsafe_b64encode(page.server.id.bytes).decode().rstrip("="),
        Short(int(page.since.timestamp())),
        Short((last.ts - _EPOCH) // timedelta(microseconds=1)),
        Short(last.id),
        page.words.replace(_COLON, _LIKE_A_COLON),
    )


def server(packed: str) -> str:
    """The server's id out of a button."""
    try:
        return str(UUID(bytes=urlsafe_b64decode(packed + "==")))
    except ValueError as error:
        raise Invalid("This button is not one of ours.", "Search again with `/console search`.") from error


def words(packed: str) -> str:
    return packed.replace(_LIKE_A_COLON, _COLON)


def moment(microseconds: int) -> datetime:
    """A time out of a button, to the microsecond: lines are told apart by it."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise Invalid("This button is not one of ours.", "Search again with `/console search`.") from error
