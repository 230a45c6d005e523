"""Records of games' logs, and how far each stream has come."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, Moment, check, newest


class Log(Base):
    """A record of a log. No foreign keys: they would slow every batch down; the purge deletes by org."""

    __tablename__ = "logs"

    id: Mapped[BigInt] = mapped_column(Identity(always=True))
    org_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    ts: Mapped[datetime] = mapped_column()
    level: Mapped[str]
    message: Mapped[str]
    meta_json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    trace_id: Mapped[str | None]
    request_id: Mapped[str | None]
    received_at: Mapped[Moment]

    # the table has no key; (ts, id) is unique by construction
    __mapper_args__ = {"primary_key": [ts, id]}  # noqa: RUF012 - the mapper reads it once, nobody writes it
    __table_args__ = (
        check("logs_level_check", "level IN ('debug','info','warn','error')"),
        Index("ix_logs_org_ts", "org_id", newest("ts"), newest("id")),
        {
            "comment": "log lines of games; when a day closes its partition gets GIN (org_id, "
            "to_tsvector('simple', message)); no key: (ts, id) is unique by construction",
            "postgresql_partition_by": "RANGE (ts)",
        },
    )


class LogCursor(Base):
    """How far a stream has come."""

    __tablename__ = "log_cursors"

    org_id: Mapped[UUID]
    host_id: Mapped[UUID] = mapped_column(primary_key=True)
    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    last_seq: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    updated_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_log_cursors_host", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_log_cursors_server",
            ondelete="CASCADE",
        ),
        check("log_cursors_stream_check", "stream IN ('log','event')"),
        Index("ix_log_cursors_server", "server_instance_id"),
        {
            "comment": "exactly-once streaming: generation = start time of the stream in ms, a batch must have "
            "seq = last_seq + 1; written in the transaction of the COPY"
        },
    )
