"""Power actions that wait for their time or for an empty server."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, Moment, check, newest, partial


class PowerPlan(Base):
    """The when of a stop or restart: a countdown, or a wait for an empty server."""

    __tablename__ = "power_plans"

    id: Mapped[Key]
    org_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    action: Mapped[str]
    mode: Mapped[str]
    due_at: Mapped[datetime | None]
    give_up_at: Mapped[datetime | None]
    warn_minutes: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list, server_default=text("'{}'"))
    next_step_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default="planned", server_default="planned")
    job_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    outcome: Mapped[str | None] = mapped_column(
        comment="why it ended so, in words; NULL = it is live, or nothing has to be said"
    )
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    __table_args__ = (
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_power_plans_server",
            ondelete="CASCADE",
        ),
        check("power_plans_action_check", "action IN ('stop','restart')"),
        check("power_plans_mode_check", "mode IN ('at','when_empty')"),
        check("power_plans_status_check", "status IN ('planned','running','done','cancelled','expired')"),
        check("power_plans_check", "(mode = 'at') = (due_at IS NOT NULL)"),
        check("power_plans_check1", "(mode = 'when_empty') = (give_up_at IS NOT NULL)"),
        partial("uq_power_plans_live", "server_instance_id", where="status IN ('planned','running')", unique=True),
        partial("ix_power_plans_due", "next_step_at", where="status IN ('planned','running')"),
        partial("ix_power_plans_job", "job_id", where="job_id IS NOT NULL"),
        Index("ix_power_plans_org", "org_id", newest("created_at")),
        {
            "comment": "the when of /server stop and restart: countdown or wait for empty; Postpone and Cancel on "
            "its card, /server cancel; one live plan per server"
        },
    )
