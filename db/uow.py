"""One use case, one transaction, and its audit row inside it.

A row and its effect are committed or rolled back together. The row is also the fence against a second delivery of the
same interaction: the loser's unique violation takes its effect with it.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import clock
from bot.domain.access import Grants
from bot.domain.actors import Actor
from bot.errors import Conflict
from db.failures import translated
from db.queries import access, audit_write, operations
from db.queries.audit_write import Resource, row_of
from db.queries.operations import Held
from db.session import Session, opened

_WROTE = text("/* uow.wrote */ select pg_current_xact_id_if_assigned() is not null")
_NOTIFY = text("/* uow.notify */ select pg_notify(:channel, :payload)")


P = TypeVar("P", bound=UUID | None)


@dataclass(frozen=True)
class _Entry:
    action: str
    resource: Resource
    details: dict[str, Any]


class Tx:
    """An open unit of work: its session, who acts, and the audit row it will leave.

    `actor` may be replaced by one that names the org, where the org is only found or made inside."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self.session = session
        self.actor = actor
        self.entry: _Entry | None = None

    async def require(self, permission: str, *, server_id: UUID | None = None) -> None:
        """The check that counts, in the transaction of the change.

        Raises:
            NotPermitted: with the roles that would have the permission.
        """
        await self._require(permission, [server_id])

    async def require_on(self, permission: str, servers: Collection[UUID]) -> None:
        """`require` for many servers at once; without any, for the whole org."""
        await self._require(permission, list(servers) or [None])

    async def allowed_on(self, permission: str, servers: Collection[P]) -> set[P]:
        """Those of the servers (None: the whole org) on which the actor has it, for what leaves out the others."""
        now = clock.now()
        scope = (await self._granted(permission, servers, now)).scope(permission, now)
        return {server_id for server_id in servers if scope.covers(server_id)}

    async def _require(self, permission: str, places: Collection[UUID | None]) -> None:
        now = clock.now()
        grants = await self._granted(permission, places, now)
        scope = grants.scope(permission, now)
        for place in places:
            if not scope.covers(place):
                decision = grants.decide(permission, place, now)
                raise await access.refusal(self.session, self.actor.org, permission, decision)

    async def _granted(self, permission: str, places: Collection[UUID | None], now: datetime) -> Grants:
        """What decides over a permission in these places (None: the whole org), by one statement for all of them."""
        actor = self.actor
        if actor.break_glass or actor.type == "system":
            return Grants(break_glass=True)
        servers = [place for place in places if place]
        return await access.load(
            self.session, actor.org, actor.user_id, actor.role_ids, permission=permission, servers=servers, now=now
        )

    def audit(self, action: str, *, resource: Resource, **details: Any) -> None:
        """Names what this unit of work does. Once: two effects are two units of work."""
        if self.entry is not None:
            raise AssertionError(f"{action}: this unit of work already leaves the row {self.entry.action}")
        self.entry = _Entry(action, resource, details)

    async def notify(self, channel: str, payload: str = "") -> None:
        """Wakes listeners when, and only when, this transaction commits."""
        await self.session.execute(_NOTIFY, {"channel": channel, "payload": payload})


@asynccontextmanager
async def fenced(session: Session, held: Held | None) -> AsyncIterator[None]:
    """A transaction that is committed only while a duty is held; without one, as any other.

    Looked at before the first write, so that nothing is done in vain, and locked before the commit: who takes the duty
    over waits for that commit, or has come before it. In between the lease may be renewed as always. A holder that is
    stopped in the middle is cut off before its lease lapses, so that it keeps nobody waiting.

    Raises:
        Conflict: another process has the duty by now.
    """
    async with session.transaction():
        if held and not await operations.begin_under(session, held):
            raise _lost(held)
        yield
        if held:
            await session.flush()
            if not await operations.still_held(session, held):
                raise _lost(held)


def _lost(held: Held) -> Conflict:
    return Conflict(f"Another process has the duty {held.duty} by now.", "Nothing was written.")


@asynccontextmanager
async def unit_of_work(engine: AsyncEngine, actor: Actor, held: Held | None = None) -> AsyncIterator[Tx]:
    """Opens a transaction, commits it with its audit row, or rolls both back. `held`: see `fenced`.

    Raises:
        AlreadyHandled: another delivery of this interaction was faster.
        Conflict: the duty is somebody else's by now.
        Unavailable: the database is away or overloaded.
    """
    invocation = actor.invocation
    with translated():
        async with opened(engine) as session, fenced(session, held):
            tx = Tx(session, actor)
            yield tx
            if tx.entry is not None:
                if invocation and invocation.recorded:
                    raise AssertionError(f"{invocation.command}: a second audited unit of work in one interaction")
                await session.flush()
                entry = tx.entry
                row = row_of(tx.actor, entry.action, "success", resource=entry.resource, details=entry.details)
                await audit_write.write(session, row)
            elif invocation is not None:
                await session.flush()
                if await session.scalar(_WROTE):
                    raise AssertionError(f"{invocation.command}: an effect without tx.audit()")
    if tx.entry is not None and invocation is not None:
        invocation.recorded = True
