"""One use case, one transaction, and its audit row inside it.

A row and its effect are committed or rolled back together. The row is also the fence against a second delivery of the
same interaction: the loser's unique violation takes its effect with it.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.actors import Actor
from bot.errors import NotPermitted
from db.failures import translated
from db.queries import access, audit_write
from db.queries.audit_write import Resource, row_of
from db.session import Session, opened

_WROTE = text("/* uow.wrote */ select pg_current_xact_id_if_assigned() is not null")
_NOTIFY = text("/* uow.notify */ select pg_notify(:channel, :payload)")


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
        if self.actor.break_glass or self.actor.type == "system":
            return
        if not await access.has_permission(self.session, self.actor, permission, server_id):
            raise NotPermitted(permission, await access.roles_with(self.session, self.actor.org, permission))

    async def require_on(self, permission: str, servers: Collection[UUID]) -> None:
        """`require` for many servers at once; without any, for the whole org."""
        if not servers:
            await self.require(permission)
        elif not self.actor.break_glass and await access.lacking(self.session, self.actor, permission, servers):
            raise NotPermitted(permission, await access.roles_with(self.session, self.actor.org, permission))

    def audit(self, action: str, *, resource: Resource, **details: Any) -> None:
        """Names what this unit of work does. Once: two effects are two units of work."""
        if self.entry is not None:
            raise AssertionError(f"{action}: this unit of work already leaves the row {self.entry.action}")
        self.entry = _Entry(action, resource, details)

    async def notify(self, channel: str, payload: str = "") -> None:
        """Wakes listeners when, and only when, this transaction commits."""
        await self.session.execute(_NOTIFY, {"channel": channel, "payload": payload})


@asynccontextmanager
async def unit_of_work(engine: AsyncEngine, actor: Actor) -> AsyncIterator[Tx]:
    """Opens a transaction, commits it with its audit row, or rolls both back.

    Raises:
        AlreadyHandled: another delivery of this interaction was faster.
        Unavailable: the database is away or overloaded.
    """
    invocation = actor.invocation
    with translated():
        async with opened(engine) as session, session.transaction():
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
