"""Servers that the bot leaves alone: held, or in maintenance."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, Moment, check, partial


class ServerHold(Base):
    """Somebody has asked that a server be left alone."""

    __tablename__ = "server_holds"

    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    reason: Mapped[str]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_server_holds_server",
            ondelete="CASCADE",
        ),
        partial("ix_server_holds_expiry", "expires_at", where="expires_at IS NOT NULL"),
        {
            "comment": "/server hold: the reconciler, schedules and batches leave the server alone; kill and "
            "look-ups still work"
        },
    )


class MaintenanceWindow(Base):
    """A time in which something is worked on: no alerts, no schedules."""

    __tablename__ = "maintenance_windows"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    host_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    tag: Mapped[str | None]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="NULL = planned or under way; without begun_at it was cancelled, or nobody was up to tell of it"
    )
    ended_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_maintenance_host", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_maintenance_server",
            ondelete="CASCADE",
        ),
        check("maintenance_windows_tag_check", "tag ~ '^[a-z0-9_-]{1,32}$'"),
        check("maintenance_windows_check", "num_nonnulls(host_id, server_instance_id, tag) <= 1"),
        check("maintenance_windows_check1", "ends_at > starts_at"),
        partial("ix_maintenance_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_maintenance_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        partial("ix_maintenance_live", "org_id", "starts_at", where="ended_at IS NULL"),
        {"comment": "of a host, a server or a tag; all NULL = the whole org"},
    )
