"""When something is done by itself, and what."""

from datetime import datetime, time
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, JsonObject, Key, Moment, check, partial


class Schedule(Base):
    """When something is done by itself."""

    __tablename__ = "schedules"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    server_instance_id: Mapped[UUID | None]
    tag: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    cron_expression: Mapped[str]
    timezone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    paused_until: Mapped[datetime | None]
    skip_next: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    only_when_online: Mapped[bool] = mapped_column(default=False, server_default=false())
    only_when_empty: Mapped[bool] = mapped_column(default=False, server_default=false())
    overlap: Mapped[str] = mapped_column(default="skip", server_default="skip")
    catch_up: Mapped[bool] = mapped_column(default=False, server_default=false())
    execution_window_start: Mapped[time | None]
    execution_window_end: Mapped[time | None]
    lead_sec: Mapped[int] = mapped_column(
        default=0,
        server_default=text("0"),
        comment="next_run_at is so long before the time that the cron expression says; steps count from next_run_at",
    )
    max_retries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    backoff_sec: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    last_run_at: Mapped[datetime | None]
    last_run_for: Mapped[datetime | None] = mapped_column(
        comment="the time that the cron expression said of the last due run; with a lead later than last_run_at"
    )
    next_run_at: Mapped[datetime | None]
    last_run_status: Mapped[str | None]
    last_run_reason: Mapped[str | None] = mapped_column(
        comment="why the last run was left out; of a tag it may name a server"
    )
    last_run_job_id: Mapped[UUID | None]
    run_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    failure_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_schedules_id_org"),
        UniqueConstraint("org_id", "name", name="uq_schedules_org_name"),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_schedules_server",
            ondelete="CASCADE",
        ),
        check("schedules_tag_check", "tag ~ '^[a-z0-9_-]{1,32}$'"),
        check("schedules_skip_next_check", "skip_next >= 0"),
        check("schedules_overlap_check", "overlap IN ('skip','queue')"),
        check("schedules_lead_sec_check", "lead_sec BETWEEN 0 AND 3600"),
        check("schedules_max_retries_check", "max_retries BETWEEN 0 AND 10"),
        check("schedules_backoff_sec_check", "backoff_sec BETWEEN 1 AND 3600"),
        check(
            "schedules_last_run_status_check",
            "last_run_status IN ('enqueued','success','failed','skipped','skipped_busy',"
            "'skipped_window','skipped_offline', 'skipped_players','skipped_missed',"
            "'scheduler_failed')",
        ),
        check("schedules_check", "num_nonnulls(server_instance_id, tag) = 1"),
        check("schedules_check1", "(execution_window_start IS NULL) = (execution_window_end IS NULL)"),
        partial("ix_schedules_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        partial("ix_schedules_due", "next_run_at", where="enabled"),
        partial("ix_schedules_last_job", "last_run_job_id", where="last_run_job_id IS NOT NULL"),
        {"comment": "when; what is in schedule_tasks"},
    )


class ScheduleTask(Base):
    """A step of a schedule."""

    __tablename__ = "schedule_tasks"

    id: Mapped[Key]
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    job_type: Mapped[str]
    payload: Mapped[JsonObject]
    time_offset_sec: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    continue_on_failure: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        UniqueConstraint("schedule_id", "sequence", name="uq_schedule_tasks_seq"),
        check("schedule_tasks_sequence_check", "sequence >= 1"),
        check("schedule_tasks_time_offset_sec_check", "time_offset_sec BETWEEN 0 AND 3600"),
        {
            "comment": "the steps of a schedule (warn, backup, restart), at least one; a run makes one chain of "
            "jobs of them"
        },
    )


class ScheduleExclusion(Base):
    """A schedule of a tag leaves a server out."""

    __tablename__ = "schedule_exclusions"

    org_id: Mapped[UUID]
    schedule_id: Mapped[UUID] = mapped_column(primary_key=True)
    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["schedule_id", "org_id"],
            ["schedules.id", "schedules.org_id"],
            name="fk_schedule_exclusions_schedule",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_schedule_exclusions_server",
            ondelete="CASCADE",
        ),
        Index("ix_schedule_exclusions_server", "server_instance_id"),
        {"comment": "servers that a schedule of a tag leaves out: whoever saved or resumed it might not do it there"},
    )
