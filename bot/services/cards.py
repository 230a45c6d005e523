"""Reads what a card shows."""

from uuid import UUID

from db.engine import Database
from db.queries import cards, outbox
from db.queries.cards import JobCard, ServerCard


class Cards:
    """For messages that are rendered when they are sent, by whoever sends them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def job(self, org_id: UUID, *, job_id: UUID | str | None = None, number: int | None = None) -> JobCard | None:
        async with self._db.read() as session:
            return await cards.job(session, org_id, job_id=job_id, number=number)

    async def is_ops(self, org_id: UUID, channel_id: int) -> bool:
        """Is it the org's channel for operations, which only staff reads? Elsewhere a game's output is not shown."""
        async with self._db.read() as session:
            return await outbox.channel_for(session, org_id, "ops") == channel_id

    async def server(self, org_id: UUID, server_id: UUID) -> ServerCard | None:
        async with self._db.read() as session:
            return await cards.server(session, org_id, server_id=server_id)
