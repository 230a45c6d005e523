"""Who did what, and the questions that wait for an answer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import INET, INT8MULTIRANGE, JSONB, Range
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Key, Moment, Serial, check, newest, partial


class AuditLog(Base):
    """One row per interaction, and per change by an agent or the bot itself. Never changed: triggers see to it."""

    __tablename__ = "audit_logs"

    id: Mapped[Serial]
    org_id: Mapped[UUID | None] = mapped_column(ForeignKey("orgs.id", ondelete="SET NULL"))
    discord_guild_id: Mapped[BigInt | None]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_type: Mapped[str] = mapped_column(default="user", server_default="user")
    actor_discord_id: Mapped[BigInt | None]
    action: Mapped[str]
    outcome: Mapped[str]
    resource_type: Mapped[str]
    resource_id: Mapped[str | None]
    command: Mapped[str | None]
    options: Mapped[JsonObject]
    details: Mapped[JsonObject]
    error: Mapped[str | None]
    correlation_id: Mapped[str | None]
    interaction_id: Mapped[BigInt | None]
    channel_id: Mapped[BigInt | None]
    ip: Mapped[str | None] = mapped_column(INET)
    duration_ms: Mapped[int | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        check("audit_logs_actor_type_check", "actor_type IN ('user','agent','api_key','system')"),
        check("audit_logs_outcome_check", "outcome IN ('success','denied','failed')"),
        partial("uq_audit_interaction", "interaction_id", where="interaction_id IS NOT NULL", unique=True),
        Index("ix_audit_org", "org_id", newest("id")),
        # an order that no other index has: else the log might be read from its end, in the hope of meeting rows soon
        Index("ix_audit_org_action", "org_id", "action", newest("id").nulls_last()),
        Index("ix_audit_org_actor", "org_id", "actor_id", newest("id").nulls_last()),
        Index("ix_audit_resource", "org_id", "resource_type", "resource_id", newest("id").nulls_last()),
        Index("ix_audit_created", "created_at", postgresql_using="brin"),
        partial("ix_audit_refused", "org_id", "outcome", newest("id").nulls_last(), where="outcome <> 'success'"),
        {
            "comment": "one row per interaction, also when denied or failed; append-only by trigger; paged by id; "
            "duration_ms = until this row was written"
        },
    )


class AuditSeal(Base):
    """What an org's audit log was at a moment: a hash over some of its rows and the seal before."""

    __tablename__ = "audit_seals"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[BigInt] = mapped_column(primary_key=True)
    ids: Mapped[list[Range[int]]] = mapped_column(INT8MULTIRANGE)
    """Exactly the rows that it covers: ids commit out of order, and those of other orgs lie between."""
    row_count: Mapped[int]
    hash: Mapped[bytes]
    sealed_at: Mapped[Moment]
    purged_at: Mapped[datetime | None]
    rows_hash: Mapped[bytes] = mapped_column(server_default="")
    """Part of what `hash` is made of; it stays when the rows go."""

    __table_args__ = (
        check("audit_seals_ids_check", "NOT isempty(ids)"),
        check("audit_seals_row_count_check", "row_count > 0"),
        Index("ix_audit_seals_top", "org_id", text("upper(ids)")),
        partial("ix_audit_seals_kept", "org_id", "number", where="purged_at IS NULL"),
        {
            "comment": "hash over exactly these rows and the previous seal, posted to the audit channel; "
            "no FK: seals outlive their rows (purged_at) and their org"
        },
    )


class PendingConfirmation(Base):
    """A question with buttons, waiting for the person who was asked."""

    __tablename__ = "pending_confirmations"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    action: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    message_id: Mapped[BigInt | None]
    expires_at: Mapped[datetime]
    """A fence: written and compared with PostgreSQL's now()."""
    consumed_at: Mapped[datetime | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        partial("ix_pending_confirmations_open", "expires_at", where="consumed_at IS NULL"),
        Index("ix_pending_confirmations_org", "org_id"),
        Index("ix_pending_confirmations_user", "user_id"),
        {
            "comment": "confirmation buttons survive a bot restart; consumed with UPDATE .. SET consumed_at WHERE "
            "consumed_at IS NULL AND expires_at > now() AND user_id = $1 RETURNING"
        },
    )
