"""Events: what happened on hosts and servers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event


@dataclass(frozen=True)
class Happened:
    """One event. `source_type`: host, server_instance, job_run …"""

    org_id: UUID
    source_type: str
    source_id: str
    event_type: str
    payload: dict[str, Any]
    ts: datetime


async def write(session: AsyncSession, events: Sequence[Happened]) -> None:
    """Writes events in one statement."""
    if events:
        statement = insert(Event).execution_options(name="events.write")
        await session.execute(statement, [{**asdict(event), "received_at": event.ts} for event in events])
