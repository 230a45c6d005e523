"""What happened on hosts and servers, as a stream with one partition per UTC day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Moment, check, newest


class Event(Base):
    """Something that happened. No foreign keys: they would slow every batch down; the purge deletes by org."""

    __tablename__ = "events"

    id: Mapped[BigInt] = mapped_column(Identity(always=True))
    org_id: Mapped[UUID]
    source_type: Mapped[str]
    source_id: Mapped[str]
    event_type: Mapped[str]
    payload: Mapped[JsonObject]
    ts: Mapped[datetime] = mapped_column()
    received_at: Mapped[Moment]

    # the table has no key; (ts, id) is unique by construction
    __mapper_args__ = {"primary_key": [ts, id]}  # noqa: RUF012 - the mapper reads it once, nobody writes it
    __table_args__ = (
        check(
            "events_source_type_check",
            "source_type IN ('host','server_instance','job_run','deployment','ban','mod','system')",
        ),
        Index("ix_events_org_ts", "org_id", newest("ts"), newest("id")),
        Index("ix_events_source", "source_type", "source_id", newest("ts")),
        {
            "comment": "joins, leaves, ready, crash, host online/offline …; /server history, alert rules, "
            "feed of the players channel",
            "postgresql_partition_by": "RANGE (ts)",
        },
    )
