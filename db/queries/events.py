"""Events: what happened on hosts and servers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

_WRITE = text("""/* events.write */
    insert into events (org_id, source_type, source_id, event_type, payload, ts, received_at)
    select org_id, source_type, source_id, event_type, payload, ts, ts
      from jsonb_to_recordset(:events) as e(
        org_id uuid, source_type text, source_id text, event_type text, payload jsonb, ts timestamptz)""").bindparams(
    bindparam("events", type_=JSONB)
)


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
        rows = [{**asdict(event), "org_id": str(event.org_id), "ts": event.ts.isoformat()} for event in events]
        await session.execute(_WRITE, {"events": rows})
