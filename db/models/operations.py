"""What the processes need to agree among themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, Moment, Serial, check, newest


class Lease(Base):
    """Who holds a duty, and until when. Writes of the holder check the epoch."""

    __tablename__ = "leases"

    duty: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    epoch: Mapped[BigInt]
    expires_at: Mapped[datetime]
    """A fence: written and compared with PostgreSQL's now()."""

    __table_args__ = (
        {
            "comment": "who leads a duty (scheduler, alerts, outbox …) or holds a Discord shard (shard:N); "
            "taken with UPDATE .. epoch = epoch + 1 WHERE expires_at < now()"
        },
    )


class AppState(Base):
    """A fact about the installation as a whole."""

    __tablename__ = "app_state"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    updated_at: Mapped[Moment]

    __table_args__ = ({"comment": "command tree hash and command ids per application, fingerprint of the secret keys"},)


class CronRun(Base):
    """A tick that did work or failed."""

    __tablename__ = "cron_runs"

    id: Mapped[Serial]
    job_name: Mapped[str]
    status: Mapped[str]
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    meta_json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        check("cron_runs_status_check", "status IN ('running','success','failure')"),
        Index("ix_cron_runs_job", "job_name", newest("started_at")),
        {"comment": "one row per scheduler tick that did work, also when it failed"},
    )
