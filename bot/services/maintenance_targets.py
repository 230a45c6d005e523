"""What a maintenance window is of: read from what was typed, suggested, and allowed on every server that is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import EVERYWHERE, Scope
from bot.domain.maintenance import EVERYTHING, Kind, Target, target
from bot.domain.words import safe
from bot.errors import Invalid, NotFound
from db.queries import cards, hosts, tags
from db.queries.cards import ServerCard
from db.queries.hosts import HostCard
from db.queries.maintenance_windows import WindowCard
from db.uow import Tx

MANAGE: Final = "schedules.manage"
_PICK: Final = "Pick one of the suggestions; `server:`, `host:` or `tag:` before a name says which it is."


@dataclass(frozen=True)
class Concerned:
    """What a window is of, and the servers that are in it now."""

    kind: Kind
    name: str
    servers: Sequence[UUID]
    host_id: UUID | None = None
    server_id: UUID | None = None
    tag: str | None = None

    @property
    def columns(self) -> dict[str, Any]:
        return {"host": self.host_id, "server": self.server_id, "tag": self.tag}


@dataclass(frozen=True)
class Suggested:
    """Something that a window may be of; `context` is what is known of it."""

    kind: Kind
    name: str
    value: str
    servers: int
    status: str = ""


async def concerned(tx: Tx, text: str) -> Concerned:
    """What somebody means, for whoever manages schedules on every server concerned.

    Raises:
        NotFound, Invalid, NotPermitted: there is none, the name is of several things, or they may not everywhere.
    """
    found = await _meant(tx, target(text))
    await must_manage(tx, found.kind, found.servers)
    return found


async def must_manage(tx: Tx, kind: Kind, servers: Sequence[UUID]) -> None:
    """Somebody may decide over a window of this: everything, and what no server is in, is for the whole org.

    Raises:
        NotPermitted: they may not, somewhere.
    """
    if kind == EVERYTHING:  # the servers that are still to come, too
        await tx.require(MANAGE)
    await tx.require_on(MANAGE, servers)


def seen(window: WindowCard, scope: Scope) -> bool:
    """Somebody with this sight may know of the window: one of everything, or of a server that they see."""
    if window.kind == EVERYTHING:
        return not scope.nowhere
    if window.kind == "server":
        return scope.covers(window.server_id)
    return any(map(scope.covers, window.servers)) or (scope.everywhere and not window.servers)


async def _meant(tx: Tx, wish: Target) -> Concerned:
    session, org_id = tx.session, tx.actor.org
    if wish.kind == EVERYTHING:
        everybody = await cards.servers(session, org_id, scope=EVERYWHERE, limit=None)
        return Concerned(EVERYTHING, "", [server.id for server in everybody])
    looked = {"server": _server, "host": _host, "tag": _tag}
    kinds = [wish.kind] if wish.kind else list(looked)
    found = [one for kind in kinds if (one := await looked[kind](session, org_id, wish.ref))]
    if not found:
        what = f"No server has the tag {safe(wish.ref, 40)}" if wish.kind == "tag" else _nothing(wish)
        raise NotFound(f"{what}.", _PICK)
    if len(found) > 1:
        said = " and ".join(f"a {one.kind}" for one in found)
        raise Invalid(f"{safe(wish.ref, 40)} is the name of {said}.", _PICK)
    return found[0]


def _nothing(wish: Target) -> str:
    return f"There is no {wish.kind or 'server, host or tag'} called {safe(wish.ref, 40)} here"


async def _server(session: AsyncSession, org_id: UUID, ref: str) -> Concerned | None:
    identity = _id(ref)
    found = await cards.server(session, org_id, server_id=identity, name=None if identity else ref)
    return Concerned("server", found.name, [found.id], server_id=found.id) if found else None


async def _host(session: AsyncSession, org_id: UUID, ref: str) -> Concerned | None:
    identity = _id(ref)
    found = await hosts.card(session, org_id, host_id=identity, name=None if identity else ref)
    return Concerned("host", found.name, found.server_ids, host_id=found.id) if found else None


async def _tag(session: AsyncSession, org_id: UUID, ref: str) -> Concerned | None:
    tag = ref.lower()
    tagged = await cards.servers(session, org_id, scope=EVERYWHERE, tag=tag, limit=None)
    return Concerned("tag", tag, [server.id for server in tagged], tag=tag) if tagged else None


def _id(ref: str) -> UUID | None:
    try:
        return UUID(ref)
    except ValueError:
        return None


async def suggestions(session: AsyncSession, org_id: UUID, scope: Scope, words: str) -> list[Suggested]:
    """What somebody may put into maintenance who manages schedules on the servers of a scope: the most first."""
    typed = target(words)
    kind, words = typed.kind, typed.ref.casefold()
    servers = await cards.servers(session, org_id, scope=scope, limit=None)
    found: list[Suggested] = []
    if scope.everywhere and not scope.others:
        found.append(Suggested(EVERYTHING, EVERYTHING, EVERYTHING, len(servers)))
    found += [_of_host(host) for host in await hosts.cards(session, org_id, limit=100) if _whole(host, scope)]
    found += await _tags(session, org_id, scope)
    found += [_of_server(server) for server in servers]
    return [one for one in found if kind in (None, one.kind) and words in one.name.casefold()][:25]


async def _tags(session: AsyncSession, org_id: UUID, scope: Scope) -> list[Suggested]:
    """Those of which they manage every server."""
    there = dict(await tags.counted(session, org_id, scope=EVERYWHERE))
    theirs = await tags.counted(session, org_id, scope=scope)
    return [Suggested("tag", tag, f"tag:{tag}", count) for tag, count in theirs if there.get(tag, count) == count]


def _whole(host: HostCard, scope: Scope) -> bool:
    return all(map(scope.covers, host.server_ids)) if host.server_ids else scope.covers(None)


def _of_host(host: HostCard) -> Suggested:
    return Suggested("host", host.name, f"host:{host.id}", len(host.server_ids), host.status)


def _of_server(server: ServerCard) -> Suggested:
    return Suggested("server", server.name, f"server:{server.id}", 1, server.status)


async def servers_of(tx: Tx, window: WindowCard) -> list[ServerCard]:
    """The cards of the servers that are in a window now."""
    those = Scope(False, frozenset(window.servers))
    return await cards.servers(tx.session, window.org_id, scope=those, limit=None) if window.servers else []
