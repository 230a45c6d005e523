"""Games and the servers that run them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonList, JsonObject, Key, Moment, check, partial


class GameType(Base):
    """A game, as far as people can choose it."""

    __tablename__ = "game_types"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    capabilities: Mapped[JsonList]
    created_at: Mapped[Moment]

    __table_args__ = (
        check("game_types_slug_check", "slug ~ '^[a-z0-9_-]{2,32}$'"),
        check("game_types_capabilities_check", "jsonb_typeof(capabilities) = 'array'"),
        {
            "comment": "one per game template (7dtd, teeworlds); a game known only to a host gets its row from the "
            "host's report; for a server the report of its host (hosts.games) decides what works"
        },
    )


class Server(Base):
    """A game server on a host: what is wanted of it and what was last seen of it."""

    __tablename__ = "server_instances"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    host_id: Mapped[UUID]
    game_type_id: Mapped[UUID] = mapped_column(ForeignKey("game_types.id", ondelete="RESTRICT"))
    name: Mapped[str]
    slug: Mapped[str]
    template_sha256: Mapped[bytes | None]
    vars: Mapped[JsonObject]
    config_revision: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    bans_revision: Mapped[BigInt] = mapped_column(default=0, server_default=text("0"))
    status: Mapped[str] = mapped_column(default="unknown", server_default="unknown")
    desired_state: Mapped[str] = mapped_column(default="unmanaged", server_default="unmanaged")
    restart_policy: Mapped[str] = mapped_column(default="on_crash", server_default="on_crash")
    status_changed_at: Mapped[datetime | None]
    observed: Mapped[JsonObject]
    port: Mapped[int | None]
    players_online: Mapped[int | None]
    backup_keep: Mapped[int] = mapped_column(default=7, server_default=text("7"))
    last_seen_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_servers_id_org"),
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_servers_host", ondelete="NO ACTION"
        ),
        check("server_instances_name_check", "length(name) BETWEEN 1 AND 128"),
        check("server_instances_slug_check", "slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'"),
        check("server_instances_template_sha256_check", "octet_length(template_sha256) = 32"),
        check("server_instances_vars_check", "jsonb_typeof(vars) = 'object'"),
        check(
            "server_instances_status_check",
            "status IN ('unknown','installing','install_failed','stopped','starting','running','stopping','crashed')",
        ),
        check("server_instances_desired_state_check", "desired_state IN ('unmanaged','running','stopped')"),
        check("server_instances_restart_policy_check", "restart_policy IN ('never','on_crash','always')"),
        check("server_instances_port_check", "port BETWEEN 1 AND 65535"),
        check("server_instances_backup_keep_check", "backup_keep BETWEEN 1 AND 365"),
        partial("uq_servers_org_name", "org_id", text("lower(name)"), where="deleted_at IS NULL", unique=True),
        partial("uq_servers_host_slug", "host_id", "slug", where="deleted_at IS NULL", unique=True),
        partial(
            "uq_servers_host_port", "host_id", "port", where="port IS NOT NULL AND deleted_at IS NULL", unique=True
        ),
        Index("ix_servers_host", "host_id"),
        Index("ix_servers_org_status", "org_id", "status"),
        Index("ix_servers_game_type", "game_type_id"),
        {
            "comment": "game server; slug = directory below the agent's allowed root; vars never hold secrets; "
            "observed = version, map, ports, reachability as reported"
        },
    )


class ServerTag(Base):
    """A word that a server shares with others."""

    __tablename__ = "server_tags"

    org_id: Mapped[UUID]
    server_instance_id: Mapped[UUID] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_server_tags_server",
            ondelete="CASCADE",
        ),
        check("server_tags_tag_check", "tag ~ '^[a-z0-9_-]{1,32}$'"),
        Index("ix_server_tags_tag", "org_id", "tag"),
        {"comment": "/fleet tag; read wherever a command, schedule, binding or maintenance window takes a tag"},
    )
