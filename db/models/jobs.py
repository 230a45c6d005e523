"""Work for hosts: the queue, and one row per attempt."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from bot.domain.jobs import HEAD_START
from db.base import Base, BigInt, JsonObject, Key, Moment, check, newest, partial

TURN = f"(timezone('UTC'::text, not_before) - priority::double precision * '0{HEAD_START}'::interval)"
"""In this order a host takes its jobs: when they are due, with a head start for each step of priority. As
PostgreSQL itself writes it, for the comparison of models and database."""
_SOURCES = "'command','schedule','macro','batch','alert','ban_sync','mod_deploy','reconcile','system'"


class Job(Base):
    """Something a host shall do."""

    __tablename__ = "jobs"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    number: Mapped[BigInt]
    batch_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    host_id: Mapped[UUID | None]
    type: Mapped[str]
    payload: Mapped[JsonObject]
    is_exclusive: Mapped[bool] = mapped_column(default=False, server_default=false())
    priority: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    status: Mapped[str] = mapped_column(default="queued", server_default="queued")
    source: Mapped[str] = mapped_column(default="command", server_default="command")
    schedule_id: Mapped[UUID | None]
    macro_id: Mapped[UUID | None]
    after_job_id: Mapped[UUID | None]
    after_any: Mapped[bool] = mapped_column(default=False, server_default=false())
    dedupe_key: Mapped[str | None]
    max_attempts: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    backoff_sec: Mapped[int] = mapped_column(default=2, server_default=text("2"))
    timeout_sec: Mapped[int] = mapped_column(default=900, server_default=text("900"))
    not_before: Mapped[Moment]
    expires_at: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_jobs_id_org"),
        UniqueConstraint("org_id", "number", name="uq_jobs_org_number"),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_jobs_server",
            ondelete="SET NULL (server_instance_id)",
        ),
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_jobs_host", ondelete="SET NULL (host_id)"
        ),
        ForeignKeyConstraint(
            ["batch_id", "org_id"],
            ["job_batches.id", "job_batches.org_id"],
            name="fk_jobs_batch",
            ondelete="SET NULL (batch_id)",
        ),
        ForeignKeyConstraint(
            ["macro_id", "org_id"],
            ["command_macros.id", "command_macros.org_id"],
            name="fk_jobs_macro",
            ondelete="SET NULL (macro_id)",
        ),
        ForeignKeyConstraint(
            ["schedule_id", "org_id"],
            ["schedules.id", "schedules.org_id"],
            name="fk_jobs_schedule",
            ondelete="SET NULL (schedule_id)",
        ),
        ForeignKeyConstraint(
            ["after_job_id", "org_id"],
            ["jobs.id", "jobs.org_id"],
            name="fk_jobs_after",
            ondelete="SET NULL (after_job_id)",
        ),
        check("jobs_status_check", "status IN ('held','queued','running','success','failed','cancelled','expired')"),
        check("jobs_source_check", f"source IN ({_SOURCES})"),
        check("jobs_max_attempts_check", "max_attempts BETWEEN 1 AND 11"),
        check("jobs_priority_check", "priority BETWEEN 0 AND 3"),
        check("jobs_backoff_sec_check", "backoff_sec BETWEEN 1 AND 3600"),
        check("jobs_timeout_sec_check", "timeout_sec BETWEEN 5 AND 86400"),
        check("jobs_check", "status <> 'held' OR after_job_id IS NOT NULL"),
        check("jobs_check1", "(status IN ('success','failed','cancelled','expired')) = (finished_at IS NOT NULL)"),
        partial(
            "uq_jobs_dedupe_live",
            "org_id",
            "dedupe_key",
            where="dedupe_key IS NOT NULL AND status IN ('held','queued','running')",
            unique=True,
        ),
        Index("ix_jobs_org_created", "org_id", newest("created_at")),
        partial(
            "ix_jobs_server_created", "server_instance_id", newest("created_at"), where="server_instance_id IS NOT NULL"
        ),
        partial("ix_jobs_batch", "batch_id", where="batch_id IS NOT NULL"),
        partial("ix_jobs_macro", "macro_id", where="macro_id IS NOT NULL"),
        partial("ix_jobs_schedule", "schedule_id", where="schedule_id IS NOT NULL"),
        partial("ix_jobs_live_schedule", "schedule_id", where="status IN ('held','queued','running')"),
        partial("ix_jobs_live_server", "server_instance_id", where="status IN ('held','queued','running')"),
        partial("ix_jobs_finished", "finished_at", where="finished_at IS NOT NULL"),
        partial("ix_jobs_after", "after_job_id", where="after_job_id IS NOT NULL"),
        partial("ix_jobs_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_jobs_queue", "host_id", text(TURN), "number", where="status = 'queued'"),
        partial("ix_jobs_expiry", "expires_at", where="status = 'queued' AND expires_at IS NOT NULL"),
        {
            "comment": "the queue itself; payload never holds credentials, paths or host commands; "
            "held = waits for after_job_id (after_any: also when that one failed)"
        },
    )


class JobRun(Base):
    """One attempt at a job, offered to its host under a lease."""

    __tablename__ = "job_runs"

    id: Mapped[Key]
    org_id: Mapped[UUID]
    job_id: Mapped[UUID]
    host_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    status: Mapped[str] = mapped_column(default="claimed", server_default="claimed")
    is_exclusive: Mapped[bool]
    claim_token: Mapped[UUID] = mapped_column(default=uuid4, server_default=func.gen_random_uuid())
    lease_expires_at: Mapped[datetime]
    """A fence: written and compared with PostgreSQL's now()."""
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
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("job_id", "attempt", name="uq_job_runs_attempt"),
        ForeignKeyConstraint(
            ["job_id", "org_id"], ["jobs.id", "jobs.org_id"], name="fk_job_runs_job", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_job_runs_host", ondelete="SET NULL (host_id)"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_job_runs_server",
            ondelete="SET NULL (server_instance_id)",
        ),
        check("job_runs_attempt_check", "attempt >= 1"),
        check("job_runs_status_check", "status IN ('claimed','running','success','failed','cancelled','lost')"),
        check("job_runs_check", "(status IN ('claimed','running')) = (finished_at IS NULL)"),
        check("job_runs_check1", "status IN ('claimed','failed','cancelled') OR started_at IS NOT NULL"),
        # one exclusive run per server at a time; an offered one counts
        partial(
            "uq_job_runs_exclusive",
            "server_instance_id",
            where="status IN ('claimed','running') AND is_exclusive",
            unique=True,
        ),
        Index("ix_job_runs_host", "host_id", newest("created_at")),
        partial("ix_job_runs_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        partial("ix_job_runs_live", "host_id", where="status IN ('claimed','running')"),
        partial("ix_job_runs_lease", "lease_expires_at", where="status IN ('claimed','running')"),
        {
            "comment": "one row per attempt, created at claim time; claimed = offered, "
            "running = the agent has reported started; lease renewed by progress"
        },
    )
