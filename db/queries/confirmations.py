"""Pending confirmations: asked, pressed once, by the one who asked, in time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

_ASK = text("""/* confirmations.ask */
    insert into pending_confirmations (org_id, user_id, action, payload, expires_at, created_at)
    values (:org, :user, :action, :payload, now() + interval '2 minutes', :now) returning id""").bindparams(
    bindparam("payload", type_=JSONB)
)

_CONSUME = text("""/* confirmations.consume */
    update pending_confirmations set consumed_at = now()
     where id = :id and org_id = :org and user_id = :user and consumed_at is null and expires_at > now()
    returning action, payload""")

_STATE = text("""/* confirmations.state */
    select user_id, action, payload, consumed_at is not null as consumed, expires_at <= now() as expired
      from pending_confirmations where id = :id and org_id = :org""")

_RESULT = text("""/* confirmations.result */
    update pending_confirmations set payload = payload || jsonb_build_object('result', cast(:result as jsonb))
     where org_id = :org and id = :id""")


@dataclass(frozen=True)
class Question:
    """What was asked and what became of it."""

    user_id: UUID
    action: str
    payload: dict[str, Any]
    consumed: bool
    expired: bool


async def ask(
    session: AsyncSession, *, org_id: UUID, user_id: UUID, action: str, payload: dict[str, Any], now: datetime
) -> UUID:
    values = {"org": org_id, "user": user_id, "action": action, "payload": payload, "now": now}
    return (await session.execute(_ASK, values)).scalar_one()


async def consume(session: AsyncSession, org_id: UUID, user_id: UUID, token: UUID) -> tuple[str, dict[str, Any]] | None:
    """Takes the question for good: action and payload, or None where there is nothing to take."""
    row = (await session.execute(_CONSUME, {"id": token, "org": org_id, "user": user_id})).one_or_none()
    return None if row is None else (row.action, row.payload)


async def state(session: AsyncSession, org_id: UUID, token: UUID) -> Question | None:
    row = (await session.execute(_STATE, {"id": token, "org": org_id})).one_or_none()
    return None if row is None else Question(row.user_id, row.action, row.payload, row.consumed, row.expired)


async def remember_result(session: AsyncSession, org_id: UUID, token: UUID, result: str) -> None:
    """What a second press will be shown; `result` is JSON."""
    await session.execute(_RESULT, {"org": org_id, "id": token, "result": result})
