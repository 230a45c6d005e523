"""Game servers as people ask for them: suggestions, lists, cards, history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import EVERYWHERE, Scope
from bot.domain.actors import Actor
from bot.domain.bans import IN_MEMORY
from bot.domain.words import joined, safe
from bot.errors import NotFound, Unsupported
from db.engine import Database
from db.queries import access, cards, history, tags
from db.queries.cards import ServerCard
from db.queries.history import Happening
from db.uow import Tx

T = TypeVar("T")
PAGE = 10
VIEW: Final = "servers.view"


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and whether more follow."""

    rows: list[T]
    number: int
    more: bool


async def resolve(session: AsyncSession, org_id: UUID, ref: str, shown: Scope) -> ServerCard:
    """The server that somebody means: an id from autocomplete, or its name. Whether they may is for the caller to ask;
    `shown` are those that a refusal may name.

    Raises:
        NotFound: none of this org; an id of another org reads the same.
    """
    text = ref.strip()
    try:
        found = await cards.server(session, org_id, server_id=UUID(text))
    except ValueError:
        found = await cards.server(session, org_id, name=text)
    if found is None:
        known = await cards.servers(session, org_id, scope=shown, limit=5)
        names = ", ".join(safe(server.name) for server in known)
        raise NotFound(
            "There is no such server here.",
            f"Pick one of the suggestions. Servers here: {names}." if names else "`/fleet add` adds one.",
        )
    return found


async def seen(session: AsyncSession, actor: Actor, ref: str, permission: str = VIEW) -> ServerCard:
    """The server that somebody wants to look at, with this permission.

    Raises:
        NotFound, NotPermitted: there is none, or they may not see it or this of it.
    """
    server = await resolve(session, actor.org, ref, actor.scope(VIEW))
    await must_see(session, actor, permission, server.id)
    return server


async def must_see(session: AsyncSession, actor: Actor, permission: str, server_id: UUID | None) -> None:
    """Somebody may look, with this permission, at what belongs to a server; None: to none.

    Raises:
        NotPermitted: they may not, or do not see the server at all.
    """
    for needed in (VIEW, permission) if server_id else (permission,):
        decision = actor.grants.decide(needed, server_id, actor.at)
        if not decision.allowed:
            raise await access.refusal(session, actor.org, needed, decision)


async def permitted(tx: Tx, ref: str, permission: str) -> ServerCard:
    """The server that somebody wants to do something to, checked in the transaction that does it.

    Raises:
        NotFound, NotPermitted: there is none, or they may not.
    """
    server = await resolve(tx.session, tx.actor.org, ref, tx.actor.scope(VIEW))
    await tx.require(permission, server_id=server.id)
    return server


async def tagged(tx: Tx, tag: str, among: Scope = EVERYWHERE) -> list[ServerCard]:
    """The servers with a tag, whether or not the actor sees them.

    Raises:
        NotFound: there is none. Names the tags of the servers that the actor sees.
    """
    if found := await cards.servers(tx.session, tx.actor.org, scope=among, tag=tag, limit=None):
        return found
    known = ", ".join(f"`{one}`" for one, _ in await tags.counted(tx.session, tx.actor.org, scope=tx.actor.scope(VIEW)))
    remedy = f"Tags here: {known}." if known else "`/fleet tag` gives servers their tags."
    raise NotFound(f"No server has the tag {safe(tag, 40)}.", remedy)


async def where_allowed(tx: Tx, permissions: Iterable[str], servers: Collection[UUID]) -> set[UUID]:
    """Those of the servers on which the actor has all of the permissions, for what leaves out the others.

    Raises:
        NotPermitted: there is none, or, without servers, not in the whole org.
    """
    allowed = set(servers)
    for permission in dict.fromkeys(permissions):
        allowed &= await tx.allowed_on(permission, servers)
        if not allowed:
            await tx.require_on(permission, servers)
    return allowed


class Named(Protocol):
    """A server, as far as it can be named."""

    @property
    def id(self) -> UUID: ...
    @property
    def name(self) -> str: ...


def names(actor: Actor, servers: Sequence[Named]) -> list[str]:
    """What the servers are called. Those that the actor does not see are counted."""
    found = [server.name for server in servers if actor.may_on(VIEW, server.id)]
    unseen = len(servers) - len(found)
    return [*found, *([f"{unseen} {'more ' if found else ''}that you do not see"] if unseen else [])]


def left_out(actor: Actor, denied: Sequence[Named]) -> str:
    """Says where something is not done because the actor may not do it there; empty where there is no such server."""
    if not denied:
        return ""
    return f"Left out, because you may not do it there: {joined(list(map(safe, names(actor, denied))), 300)}."


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
        if not actor.may(VIEW):
            return []
        async with self._db.read() as session:
            return await cards.servers(session, actor.org, scope=actor.scope(VIEW), words=words, limit=25)

    async def list(self, actor: Actor, *, status: str = "", tag: str = "", page: int = 0) -> Page[ServerCard]:
        async with self._db.read() as session:
            rows = await cards.servers(
                session,
                actor.org,
                scope=actor.scope(VIEW),
                status=status or None,
                tag=tag or None,
                limit=PAGE + 1,
                offset=page * PAGE,
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def show(self, actor: Actor, ref: str) -> ServerCard:
        async with self._db.read() as session:
            return await seen(session, actor, ref)

    async def history(self, actor: Actor, ref: str, page: int = 0) -> tuple[ServerCard, Page[Happening]]:
        """Jobs, people's actions and what the server itself did, newest first."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref)
            rows = await history.of_server(session, actor.org, server.id, limit=PAGE + 1, offset=page * PAGE)
        return server, Page(rows[:PAGE], page, len(rows) > PAGE)
