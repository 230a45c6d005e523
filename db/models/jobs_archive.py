"""Finished jobs that left the queue. The views `all_jobs` and `all_job_runs` have both sides."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, check, newest, partial


class ArchivedJob(Base):
    """A job as it was when it left the queue, under its old id and number."""

    __tablename__ = "jobs_archive"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    number: Mapped[BigInt]
    batch_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    host_id: Mapped[UUID | None]
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    is_exclusive: Mapped[bool]
    priority: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    source: Mapped[str]
    schedule_id: Mapped[UUID | None]
    macro_id: Mapped[UUID | None]
    after_job_id: Mapped[UUID | None]
    after_any: Mapped[bool]
    dedupe_key: Mapped[str | None]
    max_attempts: Mapped[int]
    backoff_sec: Mapped[int]
    timeout_sec: Mapped[int]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_jobs_archive_id_org"),
        UniqueConstraint("org_id", "number", name="uq_jobs_archive_org_number"),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_jobs_archive_server",
            ondelete="SET NULL (server_instance_id)",
        ),
        ForeignKeyConstraint(
            ["host_id", "org_id"],
            ["hosts.id", "hosts.org_id"],
            name="fk_jobs_archive_host",
            ondelete="SET NULL (host_id)",
        ),
        check("jobs_archive_status_check", "status IN ('success','failed','cancelled','expired')"),
        Index("ix_jobs_archive_org_created", "org_id", newest("created_at")),
        partial(
            "ix_jobs_archive_server_created",
            "server_instance_id",
            newest("created_at"),
            where="server_instance_id IS NOT NULL",
        ),
        partial("ix_jobs_archive_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_jobs_archive_batch", "batch_id", where="batch_id IS NOT NULL"),
        Index("ix_jobs_archive_finished", "finished_at"),
        {"comment": "finished jobs that left the queue; all_jobs has both"},
    )


class ArchivedRun(Base):
    """An attempt at an archived job."""

    __tablename__ = "job_runs_archive"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    job_id: Mapped[UUID]
    host_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    attempt: Mapped[int]
    status: Mapped[str]
    is_exclusive: Mapped[bool]
    claim_token: Mapped[UUID]
    lease_expires_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    last_progress_at: Mapped[datetime | None]
    progress_phase: Mapped[str | None]
    progress_message: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    duration_ms: Mapped[int | None]
    error_message: Mapped[str | None]
    output: Mapped[str | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    log_ref: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("job_id", "attempt", name="uq_job_runs_archive_attempt"),
        ForeignKeyConstraint(
            ["job_id", "org_id"],
            ["jobs_archive.id", "jobs_archive.org_id"],
            name="fk_job_runs_archive_job",
            ondelete="CASCADE",
        ),
        {"comment": "the attempts at archived jobs; all_job_runs has both"},
    )
