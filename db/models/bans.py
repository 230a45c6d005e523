"""Cases about people: who is banned, where, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Key, Moment, Serial, check, newest, partial


class OrgBan(Base):
    """A case about one person."""

    __tablename__ = "org_bans"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    number: Mapped[BigInt]
    player_id: Mapped[UUID | None]
    player_name: Mapped[str | None]
    reason: Mapped[str | None]
    applies_to_all: Mapped[bool] = mapped_column(default=True, server_default=true())
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    banned_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    ended_at: Mapped[datetime | None]
    revoked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    revoke_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_org_bans_id_org"),
        UniqueConstraint("org_id", "number", name="uq_org_bans_number"),
        ForeignKeyConstraint(
            ["player_id", "org_id"],
            ["players.id", "players.org_id"],
            name="fk_org_bans_player",
            ondelete="SET NULL (player_id)",
        ),
        check("org_bans_status_check", "status IN ('active','expired','revoked')"),
        check("org_bans_check", "expires_at IS NULL OR expires_at > banned_at"),
        check("org_bans_check1", "(status = 'active') = (ended_at IS NULL)"),
        Index("ix_org_bans_list", "org_id", "status", newest("number")),
        partial("ix_org_bans_player", "player_id", where="player_id IS NOT NULL"),
        partial("ix_org_bans_expiry", "expires_at", where="status = 'active' AND expires_at IS NOT NULL"),
        {"comment": "a case (B-1042) about one person; identities in ban_identifiers, servers in ban_entries"},
    )


class BanIdentifier(Base):
    """An identity that a case is about."""

    __tablename__ = "ban_identifiers"

    org_ban_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())

    __table_args__ = (
        ForeignKeyConstraint(
            ["org_ban_id", "org_id"],
            ["org_bans.id", "org_bans.org_id"],
            name="fk_ban_identifiers_ban",
            ondelete="CASCADE",
        ),
        check("ban_identifiers_kind_check", "kind ~ '^[a-z][a-z0-9_]{1,31}$'"),
        check("ban_identifiers_value_check", "value = btrim(value) AND length(value) BETWEEN 1 AND 128"),
        partial(
            "uq_ban_identifiers_active", "org_id", "kind", "value", where="is_active AND kind <> 'ip'", unique=True
        ),
        Index("ix_ban_identifiers_lookup", "org_id", "kind", "value"),
        {
            "comment": "every identity of the case, the first included; is_active follows the case, so that an "
            "identity is in one active case only, except an address, which several people may share"
        },
    )


class BanEntry(Base):
    """What one server shall have of a case, and what it has."""

    __tablename__ = "ban_entries"

    id: Mapped[Key]
    org_id: Mapped[UUID]
    org_ban_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    desired_state: Mapped[str] = mapped_column(default="banned", server_default="banned")
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    sync_status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    applied_state: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_attempt_at: Mapped[Moment]
    synced_at: Mapped[datetime | None]
    last_sync_error: Mapped[str | None]
    last_sync_job_id: Mapped[UUID | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("org_ban_id", "server_instance_id", name="uq_ban_entries"),
        ForeignKeyConstraint(
            ["org_ban_id", "org_id"], ["org_bans.id", "org_bans.org_id"], name="fk_ban_entries_ban", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_ban_entries_server",
            ondelete="CASCADE",
        ),
        check("ban_entries_desired_state_check", "desired_state IN ('banned','unbanned')"),
        check("ban_entries_sync_status_check", "sync_status IN ('pending','syncing','synced','failed','unsupported')"),
        check("ban_entries_applied_state_check", "applied_state IN ('banned','unbanned')"),
        check("ban_entries_check", "sync_status <> 'synced' OR applied_state IS NOT DISTINCT FROM desired_state"),
        Index("ix_ban_entries_server", "server_instance_id", "sync_status"),
        partial("ix_ban_entries_due", "next_attempt_at", where="sync_status IN ('pending','failed')"),
        partial("ix_ban_entries_job", "last_sync_job_id", where="last_sync_job_id IS NOT NULL"),
        {
            "comment": "desired vs applied state per server (reconciler); a receipt counts only for the "
            "revision that it was sent for"
        },
    )


class BanEvent(Base):
    """A line in the history of a case."""

    __tablename__ = "ban_events"

    id: Mapped[Serial]
    org_ban_id: Mapped[UUID]
    org_id: Mapped[UUID]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    type: Mapped[str]
    details: Mapped[JsonObject]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["org_ban_id", "org_id"], ["org_bans.id", "org_bans.org_id"], name="fk_ban_events_ban", ondelete="CASCADE"
        ),
        check(
            "ban_events_type_check",
            "type IN ('created','edited','lifted','expired','voided','evidence','note','appealed',"
            "'appeal_decided','evaded', 'retried','imported','applied_everywhere')",
        ),
        Index("ix_ban_events_case", "org_ban_id", "created_at"),
        {"comment": "append-only history of a case: nothing about a ban is ever overwritten without a line here"},
    )
