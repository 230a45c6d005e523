"""Backups of saved games, kept on their host."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, Key, Moment, check, newest, partial


class Backup(Base):
    """A copy of a server's saved games, kept on its host."""

    __tablename__ = "backups"

    id: Mapped[Key]
    org_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="full-world", server_default="full-world")
    status: Mapped[str] = mapped_column(default="running", server_default="running")
    storage_ref: Mapped[str | None]
    size_bytes: Mapped[BigInt | None]
    checksum: Mapped[str | None]
    is_locked: Mapped[bool] = mapped_column(default=False, server_default=false())
    facts: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict, server_default=text("'{}'"))
    job_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("server_instance_id", "name", name="uq_backups_server_name"),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_backups_server",
            ondelete="CASCADE",
        ),
        check("backups_status_check", "status IN ('running','complete','failed','deleted')"),
        Index("ix_backups_server", "server_instance_id", newest("created_at")),
        partial("ix_backups_job", "job_id", where="job_id IS NOT NULL"),
        {
            "comment": "save backups held on the host; retention keeps server_instances.backup_keep, locked ones "
            "are skipped"
        },
    )
