"""Everything the bot says outside the reply to an interaction.

A row is written in the transaction of the effect; the worker sends it after the commit, in order per channel. The text
is rendered when it is sent, so a row names its subject and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor, system
from db.engine import Database
from db.queries import audit_live, outbox
from db.queries.outbox import OutboxRow
from db.uow import Tx

EDIT_EVERY = timedelta(seconds=2)
"""At most one edit of a message in this time."""
EDIT_EVERY_BOARD = timedelta(seconds=10)
EDIT_EVERY_AGED = timedelta(seconds=30)
"""The same for each board of a channel; Discord allows fewer edits of messages older than an hour."""
AGED = timedelta(hours=1)
KEPT_POSTED = frozenset({"panel"})
"""Kinds of messages that are posted again when somebody deletes them, once a day."""
BACK_OFF = tuple(timedelta(minutes=n) for n in (1, 2, 5, 10, 30))
"""Waits after refusals that may pass; the sixth refusal is the last."""

Purpose = Literal["ops", "alerts", "bans", "appeals", "deployments", "audit", "players"]
NOTIFY = "gk_outbox"


@dataclass(frozen=True)
class Sent:
    """It is in Discord. `message_id` is set for posts."""

    message_id: int | None
    rendered_hash: bytes


@dataclass(frozen=True)
class Skipped:
    """Nothing to send: the text has not changed, or its subject is gone."""

    rendered_hash: bytes | None = None


@dataclass(frozen=True)
class Delayed:
    """Discord is busy or away (429, 5xx, a closed gateway). Counts as no attempt."""

    seconds: float
    reason: str
    unsure: bool = False
    """It may have arrived although nobody said so: it is looked for before it is sent again."""


@dataclass(frozen=True)
class Refused:
    """Discord said no to this message. `target`: to everything there (403, 404), so the target is disabled."""

    reason: str
    permanent: bool = False
    target: Literal["", "message", "channel"] = ""


Delivery = Sent | Skipped | Delayed | Refused


def snowflake_time(snowflake: int) -> datetime:
    """When Discord made this id."""
    return datetime.fromtimestamp(((snowflake >> 22) + 1_420_070_400_000) / 1000, UTC)


async def post(
    session: AsyncSession,
    *,
    org_id: UUID,
    channel_id: int,
    event_type: str,
    payload: dict[str, Any],
    dedupe_key: str,
    message: UUID | None = None,
) -> None:
    """Owes a new message to a channel; `dedupe_key` (`<event>:<id>:<n>`) makes a repeated call harmless."""
    await outbox.post(
        session,
        org_id=org_id,
        channel_id=channel_id,
        event_type=event_type,
        payload=payload,
        dedupe_key=dedupe_key,
        message=message,
        now=clock.now(),
    )


async def edit(session: AsyncSession, *, org_id: UUID, message: UUID, event_type: str, payload: dict[str, Any]) -> None:
    """Owes an edit of a message that is kept up to date. A pending edit serves for later changes too."""
    await outbox.edit(session, org_id=org_id, message=message, event_type=event_type, payload=payload, now=clock.now())


async def track(session: AsyncSession, *, org_id: UUID, kind: str, subject_id: str, channel_id: int) -> UUID:
    """The row that holds the address of a message that is kept up to date."""
    return await outbox.track(
        session, org_id=org_id, kind=kind, subject_id=subject_id, channel_id=channel_id, now=clock.now()
    )


async def post_tracked(
    tx: Tx, kind: str, subject: object, channel_id: int, event_type: str, payload: dict[str, Any] | None = None
) -> None:
    """Owes a channel, once, the message that shows something from now on: see `edit_tracked`."""
    org_id = tx.actor.org
    message = await track(tx.session, org_id=org_id, kind=kind, subject_id=str(subject), channel_id=channel_id)
    await post(
        tx.session,
        org_id=org_id,
        channel_id=channel_id,
        event_type=event_type,
        payload=payload or {},
        dedupe_key=f"{event_type}:{subject}:1",
        message=message,
    )
    await tx.notify(NOTIFY)


async def edit_tracked(
    tx: Tx, org_id: UUID, kind: str, subject: object, event_type: str, payload: dict[str, Any] | None = None
) -> None:
    """Lets the messages that show something show how it is now."""
    shown = await outbox.messages(tx.session, org_id, kind, str(subject))
    for message, _ in shown:
        await edit(tx.session, org_id=org_id, message=message, event_type=event_type, payload=payload or {})
    if shown:
        await tx.notify(NOTIFY)


async def channel_for(tx: Tx, actor: Actor, purpose: Purpose) -> int | None:
    """Where a message of this purpose goes: the org's channel for it, else where the command was typed."""
    return await outbox.channel_for(tx.session, actor.org, purpose) or actor.channel_id


class Outbox:
    """The worker's side: claims rows and writes down what became of them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def claim(self, limit: int = 50) -> Sequence[OutboxRow]:
        async with self._db.uow(system("outbox.flush")) as tx:
            rows = await outbox.claim(tx.session, limit=limit, now=clock.now())
            # one that may be in Discord already stays as it was
            entries = [row.id for row in rows if row.event_type == audit_live.EVENT and not row.again]
            more = await audit_live.gather(tx.session, entries) if entries else {}
            return [replace(row, payload=more.get(row.id, row.payload)) for row in rows]

    async def settle(self, row: OutboxRow, delivery: Delivery) -> None:
        """Writes down how the sending of a claimed row went."""
        async with self._db.uow(system("outbox.flush", row.org_id)) as tx:
            match delivery:
                case Sent() | Skipped():
                    await self._done(tx, row, delivery)
                case Delayed(unsure=True) if row.op == "post":
                    await outbox.suspend(tx.session, row, seconds=delivery.seconds, error=delivery.reason)
                case Delayed():
                    at = clock.now() + timedelta(seconds=delivery.seconds)
                    await outbox.retry(tx.session, row, at=at, error=delivery.reason, counts=False)
                case Refused():
                    await self._refused(tx, row, delivery)

    async def _done(self, tx: Tx, row: OutboxRow, delivery: Sent | Skipped) -> None:
        await outbox.done(
            tx.session,
            row,
            status="sent" if isinstance(delivery, Sent) else "skipped",
            message_id=delivery.message_id if isinstance(delivery, Sent) else None,
            rendered_hash=delivery.rendered_hash or row.rendered_hash,
            next_edit_at=clock.now() + await self._pause(tx, row, delivery),
            now=clock.now(),
        )
        if row.op == "delete":
            await outbox.forget_message(tx.session, row)

    async def _pause(self, tx: Tx, row: OutboxRow, delivery: Sent | Skipped) -> timedelta:
        """Until the next edit of this message. Boards share what their channel allows."""
        if row.kind not in KEPT_POSTED or isinstance(delivery, Skipped):
            return EDIT_EVERY
        posted = row.message_id or delivery.message_id
        old = posted is not None and clock.now() - snowflake_time(posted) > AGED
        return (EDIT_EVERY_AGED if old else EDIT_EVERY_BOARD) * await outbox.kept_in_channel(tx.session, row)

    async def _refused(self, tx: Tx, row: OutboxRow, refusal: Refused) -> None:
        if not refusal.permanent and not refusal.target and row.attempts < len(BACK_OFF):
            at = clock.now() + BACK_OFF[row.attempts]
            await outbox.retry(tx.session, row, at=at, error=refusal.reason, counts=True)
            return
        await outbox.fail(tx.session, row, error=refusal.reason)
        if row.op == "delete":
            await outbox.forget_message(tx.session, row)
            return
        if not refusal.target and row.op != "post":
            return
        if refusal.target == "message" and row.kind in KEPT_POSTED:
            if await outbox.post_again(tx.session, row, clock.now()):
                await tx.notify(NOTIFY)
                return
            await outbox.lose_message(tx.session, row)
            refusal = replace(refusal, reason="its message was deleted twice within a day")
        lost = await outbox.disable(tx.session, row, reason=refusal.reason, channel=refusal.target == "channel")
        if lost:
            tx.audit("channel.disable", resource=("channel", str(row.channel_id)), reason=refusal.reason, purposes=lost)
            await self._tell_audit_channel(tx, row, refusal.reason, lost)

    async def _tell_audit_channel(self, tx: Tx, row: OutboxRow, reason: str, purposes: list[str]) -> None:
        channel = await outbox.channel_for(tx.session, row.org_id, "audit")
        if channel and channel != row.channel_id:
            await post(
                tx.session,
                org_id=row.org_id,
                channel_id=channel,
                event_type="channel.disabled",
                payload={"channel": str(row.channel_id), "reason": reason, "purposes": purposes},
                dedupe_key=f"channel.disabled:{row.channel_id}:{row.id}",
            )
