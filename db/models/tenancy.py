"""Orgs, users, and who may do what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, false, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Key, Moment, check, partial


class Org(Base):
    """A Discord guild."""

    __tablename__ = "orgs"

    id: Mapped[Key]
    discord_guild_id: Mapped[BigInt] = mapped_column(unique=True)
    name: Mapped[str]
    owner_discord_id: Mapped[BigInt | None]
    status: Mapped[str] = mapped_column(default="active", server_default="active")
    timezone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    ephemeral_replies: Mapped[bool] = mapped_column(default=True, server_default=true())
    log_retention_days: Mapped[int] = mapped_column(default=7, server_default=text("7"))
    event_retention_days: Mapped[int] = mapped_column(default=90, server_default=text("90"))
    metric_retention_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    audit_retention_days: Mapped[int] = mapped_column(default=365, server_default=text("365"))
    health_interval_sec: Mapped[int] = mapped_column(default=15, server_default=text("15"))
    host_offline_after_sec: Mapped[int] = mapped_column(default=120, server_default=text("120"))
    avoid_risky_restart: Mapped[bool] = mapped_column(default=False, server_default=false())
    audit_live: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Every audit row is shown in the audit channel."""
    setup_settled: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default=text("'{}'"))
    """Steps of `/setup start` that somebody has decided, those included that were left out."""
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    left_at: Mapped[datetime | None]

    __table_args__ = (
        check("orgs_discord_guild_id_check", "discord_guild_id > 0"),
        check("orgs_status_check", "status IN ('active','left')"),
        check("orgs_log_retention_days_check", "log_retention_days BETWEEN 1 AND 365"),
        check("orgs_event_retention_days_check", "event_retention_days BETWEEN 1 AND 730"),
        check("orgs_metric_retention_days_check", "metric_retention_days BETWEEN 1 AND 365"),
        check("orgs_audit_retention_days_check", "audit_retention_days >= 90"),
        check("orgs_health_interval_sec_check", "health_interval_sec IN (5,10,15,30,60)"),
        check("orgs_host_offline_after_sec_check", "host_offline_after_sec BETWEEN 15 AND 3600"),
        {
            "comment": "org = Discord guild; row created on guild join, soft-left on guild remove; "
            "its setting columns are the keys of /config"
        },
    )


class OrgCounter(Base):
    """The last short number an org has given out, per kind."""

    __tablename__ = "org_counters"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))

    __table_args__ = (
        {
            "comment": "per-guild short numbers (J-340, I-12, B-1042, A-7, W-3): "
            "INSERT..ON CONFLICT DO UPDATE value=value+1 RETURNING"
        },
    )


class User(Base):
    """A Discord account, whichever orgs it belongs to."""

    __tablename__ = "users"

    id: Mapped[Key]
    discord_user_id: Mapped[BigInt | None] = mapped_column(unique=True)
    username: Mapped[str]
    display_name: Mapped[str | None]
    notify: Mapped[JsonObject]
    forgotten_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        check("users_discord_user_id_check", "discord_user_id > 0"),
        check("users_notify_check", "jsonb_typeof(notify) = 'object'"),
        check("users_check", "(discord_user_id IS NULL) = (forgotten_at IS NOT NULL)"),
        {
            "comment": "user = Discord account; upserted on first interaction; no email, no password, no session; "
            "notify = choices of /my notify; never deleted, /my forget anonymises"
        },
    )


class Role(Base):
    """A bundle of permissions that an org binds to Discord roles."""

    __tablename__ = "roles"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="", server_default="")
    is_preset: Mapped[bool] = mapped_column(default=False, server_default=false())
    priority: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_roles_id_org"),
        UniqueConstraint("org_id", "name", name="uq_roles_org_name"),
        {
            "comment": "the presets are instantiated per guild at join (is_preset), "
            "so that a guild may edit them and add its own"
        },
    )


class Permission(Base):
    """A name that guards something a person can do."""

    __tablename__ = "permissions"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str]
    resource: Mapped[str]
    action: Mapped[str]
    description: Mapped[str]
    created_at: Mapped[Moment]

    __table_args__ = (
        check("permissions_name_check", r"name ~ '^[a-z]+(\.[a-z_]+)+$'"),
        Index("ix_permissions_category", "category"),
        {"comment": "code-owned catalogue, upserted by the seed step"},
    )


class RolePermission(Base):
    """A role has a permission."""

    __tablename__ = "role_permissions"

    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission_id: Mapped[UUID] = mapped_column(ForeignKey("permissions.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (
        Index("ix_role_permissions_permission", "permission_id"),
        {"comment": "what a role may do; read by the permission check, edited by /access role"},
    )


class UserOrg(Base):
    """A user was seen in an org, and may hold a role there."""

    __tablename__ = "user_orgs"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[UUID | None]
    created_at: Mapped[Moment]
    last_seen_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["role_id", "org_id"], ["roles.id", "roles.org_id"], name="fk_user_orgs_role", ondelete="NO ACTION"
        ),
        Index("ix_user_orgs_org", "org_id"),
        partial("ix_user_orgs_role", "role_id", where="role_id IS NOT NULL"),
        {"comment": "explicit role; NULL = derive from role_bindings only"},
    )


class RoleBinding(Base):
    """Members with a Discord role have a role of ours: everywhere, on one server, or on the servers with a tag."""

    __tablename__ = "role_bindings"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    discord_role_id: Mapped[BigInt]
    role_id: Mapped[UUID]
    server_instance_id: Mapped[UUID | None]
    tag: Mapped[str | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint(
            "org_id",
            "discord_role_id",
            "server_instance_id",
            "tag",
            name="uq_role_bindings",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(
            ["role_id", "org_id"], ["roles.id", "roles.org_id"], name="fk_role_bindings_role", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_role_bindings_server",
            ondelete="CASCADE",
        ),
        check("role_bindings_tag_check", "tag ~ '^[a-z0-9_-]{1,32}$'"),
        check("role_bindings_check", "num_nonnulls(server_instance_id, tag) <= 1"),
        Index("ix_role_bindings_role", "role_id"),
        partial("ix_role_bindings_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        {
            "comment": "Discord role -> bot role, for the guild, one server or one tag; "
            "@everyone (discord_role_id = guild id) may be bound to the player preset"
        },
    )


class UserServerRole(Base):
    """A person's role on one server, in place of what they are in the org."""

    __tablename__ = "user_server_roles"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    role_id: Mapped[UUID]
    granted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["role_id", "org_id"], ["roles.id", "roles.org_id"], name="fk_user_server_roles_role", ondelete="NO ACTION"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_user_server_roles_server",
            ondelete="CASCADE",
        ),
        Index("ix_user_server_roles_org", "org_id"),
        Index("ix_user_server_roles_server", "server_instance_id"),
        Index("ix_user_server_roles_role", "role_id"),
        {"comment": "replaces the org role on that server"},
    )


class UserPermission(Base):
    """A permission that a person was given, or denied, whatever their roles say."""

    __tablename__ = "user_permissions"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    permission_id: Mapped[UUID] = mapped_column(ForeignKey("permissions.id", ondelete="CASCADE"))
    server_instance_id: Mapped[UUID | None]
    granted: Mapped[bool] = mapped_column(default=True, server_default=true())
    reason: Mapped[str | None]
    granted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint(
            "org_id",
            "user_id",
            "permission_id",
            "server_instance_id",
            name="uq_user_permissions",
            postgresql_nulls_not_distinct=True,
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_user_permissions_server",
            ondelete="CASCADE",
        ),
        Index("ix_user_permissions_user", "user_id", "org_id"),
        Index("ix_user_permissions_permission", "permission_id"),
        partial("ix_user_permissions_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        {"comment": "granted=false is an explicit DENY and wins over any role"},
    )
