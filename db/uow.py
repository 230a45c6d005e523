"""One use case, one transaction, and its audit row inside it.

A row and its effect are committed or rolled back together. The row is also the fence against a second delivery of the
same interaction: the loser's unique violation takes its effect with it.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.errors import NotPermitted
from db.failures import translated
from db.models import AuditLog
from db.queries import access
from db.session import opened

Resource = tuple[str, str | UUID | None]
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

    def __init__(self, session: AsyncSession, actor: Actor) -> None:
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

    def audit(self, action: str, *, resource: Resource, **details: Any) -> None:
        """Names what this unit of work does. Once: two effects are two units of work."""
        if self.entry is not None:
            raise AssertionError(f"{action}: this unit of work already leaves the row {self.entry.action}")
        self.entry = _Entry(action, resource, details)

    async def notify(self, channel: str, payload: str = "") -> None:
        """Wakes listeners when, and only when, this transaction commits."""
        await self.session.execute(_NOTIFY, {"channel": channel, "payload": payload})


async def write_audit(
    session: AsyncSession,
    actor: Actor,
    action: str,
    outcome: Literal["success", "denied", "failed"],
    *,
    resource: Resource,
    details: dict[str, Any],
    error: str | None = None,
) -> None:
    """Inserts one audit row; who and through which interaction comes from the actor."""
    invocation = actor.invocation
    await session.execute(
        insert(AuditLog),
        {
            "org_id": actor.org_id,
            "discord_guild_id": actor.guild_id,
            "actor_id": actor.user_id,
            "actor_type": actor.type,
            "actor_discord_id": actor.discord_id,
            "action": action,
            "outcome": outcome,
            "resource_type": resource[0],
            "resource_id": None if resource[1] is None else str(resource[1]),
            "details": details if actor.type == "user" else {**details, "by": actor.name},
            "error": error,
            "channel_id": actor.channel_id,
            "created_at": clock.now(),
            "command": invocation.command if invocation else None,
            "options": invocation.options if invocation else {},
            "correlation_id": invocation.reference if invocation else None,
            "interaction_id": invocation.id if invocation else None,
            "duration_ms": int((time.monotonic() - invocation.started) * 1000)
            if invocation and invocation.started
            else None,
        },
    )


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
                await write_audit(
                    session,
                    tx.actor,
                    tx.entry.action,
                    "success",
                    resource=tx.entry.resource,
                    details=tx.entry.details,
                )
            elif invocation is not None:
                await session.flush()
                if await session.scalar(_WROTE):
                    raise AssertionError(f"{invocation.command}: an effect without tx.audit()")
    if tx.entry is not None and invocation is not None:
        invocation.recorded = True
