"""Game servers as people ask for them: suggestions, lists, cards, history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import Actor
from bot.domain.bans import IN_MEMORY
from bot.domain.words import safe
from bot.errors import NotFound, Unsupported
from db.engine import Database
from db.queries import cards, history
from db.queries.cards import ServerCard
from db.queries.history import Happening

T = TypeVar("T")
PAGE = 10


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and whether more follow."""

    rows: list[T]
    number: int
    more: bool


async def resolve(session: AsyncSession, org_id: UUID, ref: str) -> ServerCard:
    """The server that somebody means: an id from autocomplete, or its name.

    Raises:
        NotFound: none of this org; an id of another org reads the same.
    """
    text = ref.strip()
    try:
        found = await cards.server(session, org_id, server_id=UUID(text))
    except ValueError:
        found = await cards.server(session, org_id, name=text)
    if found is None:
        known = await cards.servers(session, org_id, limit=5)
        names = ", ".join(safe(server.name) for server in known)
        raise NotFound(
            "There is no such server here.",
            f"Pick one of the suggestions. Servers here: {names}." if names else "Add one with `/fleet add`.",
        )
    return found


def must_be_able(server: ServerCard, capability: str) -> None:
    """Refuses what the server's game cannot do, naming what it can.

    Raises:
        Unsupported: with the list of what works.
    """
    if capability not in server.capabilities:
        shown = ", ".join(safe(one) for one in server.capabilities if one != IN_MEMORY)
        able = shown or "nothing yet: its host has not reported the game"
        raise Unsupported(f"{safe(server.game_name)} does not support `{capability}` here.", f"It supports: {able}.")


class Servers:
    """Look-ups of servers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def suggest(self, actor: Actor, words: str) -> list[ServerCard]:
        """For autocompletes."""
        if not actor.may("servers.view"):
            return []
        async with self._db.read() as session:
            return await cards.servers(session, actor.org, words=words, limit=25)

    async def list(self, actor: Actor, *, status: str = "", tag: str = "", page: int = 0) -> Page[ServerCard]:
        async with self._db.read() as session:
            rows = await cards.servers(
                session, actor.org, status=status or None, tag=tag or None, limit=PAGE + 1, offset=page * PAGE
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def show(self, actor: Actor, ref: str) -> ServerCard:
        async with self._db.read() as session:
            return await resolve(session, actor.org, ref)

    async def history(self, actor: Actor, ref: str, page: int = 0) -> tuple[ServerCard, Page[Happening]]:
        """Jobs, people's actions and what the server itself did, newest first."""
        async with self._db.read() as session:
            server = await resolve(session, actor.org, ref)
            rows = await history.of_server(session, actor.org, server.id, limit=PAGE + 1, offset=page * PAGE)
        return server, Page(rows[:PAGE], page, len(rows) > PAGE)
