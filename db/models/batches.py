"""Many jobs that belong together, and commands that people have put together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonList, JsonObject, Key, Moment, check, newest, partial


class JobBatch(Base):
    """One action on many servers."""

    __tablename__ = "job_batches"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    number: Mapped[BigInt]
    action: Mapped[str]
    targets: Mapped[dict[str, Any]]
    payload: Mapped[JsonObject]
    status: Mapped[str] = mapped_column(default="running", server_default="running")
    total_count: Mapped[int]
    max_parallel: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    stop_on_failure: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    """It begins nothing more from then on."""
    stopped_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """None where it was stopped because a job failed."""

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_job_batches_id_org"),
        UniqueConstraint("org_id", "number", name="uq_job_batches_number"),
        check("job_batches_action_check", "action IN ('restart','stop','start','announce','deploy')"),
        check("job_batches_targets_check", "jsonb_typeof(targets) = 'object'"),
        check("job_batches_status_check", "status IN ('running','done','cancelled')"),
        check("job_batches_total_count_check", "total_count > 0"),
        check("job_batches_max_parallel_check", "max_parallel BETWEEN 1 AND 50"),
        check("job_batches_check", "(status = 'running') = (completed_at IS NULL)"),
        check("job_batches_stopped_check", "status <> 'cancelled' OR stopped_at IS NOT NULL"),
        Index("ix_job_batches_org_created", "org_id", newest("created_at")),
        partial("ix_job_batches_running", "status", where="status = 'running'"),
        {"comment": "W-3; max_parallel chains of jobs; counts are derived by a GROUP BY over jobs, not stored"},
    )


class CommandMacro(Base):
    """A command under a name, with parameters that are asked for."""

    __tablename__ = "command_macros"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    server_instance_id: Mapped[UUID | None]
    name: Mapped[str]
    description: Mapped[str | None]
    job_type: Mapped[str]
    payload_template: Mapped[dict[str, Any]]
    param_definitions: Mapped[JsonList]
    required_permission: Mapped[str] = mapped_column(default="macros.run", server_default="macros.run")
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_command_macros_id_org"),
        UniqueConstraint("org_id", "name", name="uq_command_macros_org_name"),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_command_macros_server",
            ondelete="CASCADE",
        ),
        check("command_macros_name_check", "name ~ '^[a-z0-9_-]{1,32}$'"),
        check("command_macros_param_definitions_check", "jsonb_typeof(param_definitions) = 'array'"),
        partial("ix_command_macros_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        {"comment": "/macro run <name>; only {{param}} literal substitution"},
    )
