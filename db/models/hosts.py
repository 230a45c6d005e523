"""Machines that run game servers, and how their agents prove who they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, CIDR, INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Key, Moment, check, partial


class Host(Base):
    """A machine with one agent."""

    __tablename__ = "hosts"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    name: Mapped[str]
    hostname: Mapped[str | None]
    location: Mapped[str | None]
    ip_address: Mapped[str | None] = mapped_column(INET)
    status: Mapped[str] = mapped_column(default="unknown", server_default="unknown")
    last_heartbeat_at: Mapped[datetime | None]
    offline_since: Mapped[datetime | None]
    agent_version: Mapped[str | None]
    games: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """What its agent can run, as reported: id, version, hash and capabilities of each template."""
    resources: Mapped[JsonObject]
    last_metrics: Mapped[JsonObject]
    servers_revision: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    key_rotation_requested_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_hosts_id_org"),
        check("hosts_name_check", "length(name) BETWEEN 1 AND 128"),
        check("hosts_status_check", "status IN ('unknown','online','offline')"),
        check("hosts_games_check", "jsonb_typeof(games) = 'array'"),
        partial("uq_hosts_org_name", "org_id", text("lower(name)"), where="deleted_at IS NULL", unique=True),
        partial("ix_hosts_org_status", "org_id", "status", where="deleted_at IS NULL"),
        partial(
            "ix_hosts_heartbeat",
            "last_heartbeat_at",
            where="status IN ('unknown','online') AND deleted_at IS NULL",
        ),
        {
            "comment": "one agent per host; games = what its agent reports; "
            "servers_revision grows with every change that the agent must fetch"
        },
    )


class PairingToken(Base):
    """A one-time proof that lets an agent become a host."""

    __tablename__ = "pairing_tokens"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    host_name: Mapped[str]
    host_id: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    """A fence: written and compared with PostgreSQL's now()."""
    used_at: Mapped[datetime | None]
    used_by_host_id: Mapped[UUID | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_pairing_tokens_host", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["used_by_host_id", "org_id"],
            ["hosts.id", "hosts.org_id"],
            name="fk_pairing_tokens_used_by",
            ondelete="SET NULL (used_by_host_id)",
        ),
        check("pairing_tokens_host_name_check", "length(host_name) BETWEEN 1 AND 128"),
        Index("ix_pairing_tokens_org", "org_id"),
        partial("ix_pairing_tokens_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_pairing_tokens_used_by", "used_by_host_id", where="used_by_host_id IS NOT NULL"),
        partial("ix_pairing_tokens_open", "expires_at", where="used_at IS NULL"),
        {
            "comment": "single use, 15 min default; consumed with UPDATE .. WHERE used_at IS NULL "
            "AND expires_at > now() RETURNING; host_id = pair an existing host again"
        },
    )


class ApiKey(Base):
    """A revocable key, kept as a keyed hash with a visible prefix."""

    __tablename__ = "api_keys"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    key_prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    host_id: Mapped[UUID | None]
    allowed_cidrs: Mapped[list[str]] = mapped_column(ARRAY(CIDR), default=list, server_default=text("'{}'"))
    rate_limit_per_min: Mapped[int] = mapped_column(default=1200, server_default=text("1200"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    confirmed_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    __table_args__ = (
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_api_keys_host", ondelete="CASCADE"
        ),
        check("api_keys_kind_check", "kind IN ('agent')"),
        check("api_keys_rate_limit_per_min_check", "rate_limit_per_min > 0"),
        check("api_keys_check", "kind = 'agent' AND host_id IS NOT NULL"),
        partial(
            "uq_api_keys_agent_live",
            "host_id",
            where="kind = 'agent' AND revoked_at IS NULL AND expires_at IS NULL AND confirmed_at IS NOT NULL",
            unique=True,
        ),
        partial(
            "uq_api_keys_agent_next",
            "host_id",
            where="kind = 'agent' AND revoked_at IS NULL AND confirmed_at IS NULL",
            unique=True,
        ),
        partial("ix_api_keys_host", "host_id", where="host_id IS NOT NULL"),
        Index("ix_api_keys_org", "org_id"),
        {
            "comment": "HMAC-SHA-256(pepper, key); per host one confirmed live key and at most one unconfirmed "
            "successor; the old key gets expires_at at the successors first use"
        },
    )
