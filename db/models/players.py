"""Who plays, under which names and ids, and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, Moment, Serial, check, newest, partial


class Player(Base):
    """A person in a guild, whatever the server."""

    __tablename__ = "players"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    name: Mapped[str]
    first_seen_at: Mapped[Moment]
    last_seen_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_players_id_org"),
        Index("ix_players_org_seen", "org_id", newest("last_seen_at")),
        partial("ix_players_user", "user_id", where="user_id IS NOT NULL"),
        Index(
            "ix_players_name_trgm", "org_id", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        ),
        {
            "comment": "one row per person and guild, whatever the server; autocomplete of /ban and /player; "
            "user_id = linked Discord account"
        },
    )


class PlayerIdentity(Base):
    """An id by which a game knows a player."""

    __tablename__ = "player_identities"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    player_id: Mapped[UUID]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["player_id", "org_id"],
            ["players.id", "players.org_id"],
            name="fk_player_identities_player",
            ondelete="CASCADE",
        ),
        check("player_identities_kind_check", "kind ~ '^[a-z][a-z0-9_]{1,31}$'"),
        check("player_identities_value_check", "value = btrim(value) AND length(value) BETWEEN 1 AND 128"),
        Index("ix_player_identities_player", "player_id"),
        {"comment": "steam, eos, xuid, minecraft …; verified_at = the owner typed a link code in the game"},
    )


class PlayerName(Base):
    """A name that a player has used."""

    __tablename__ = "player_names"

    player_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(primary_key=True)
    last_seen_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["player_id", "org_id"], ["players.id", "players.org_id"], name="fk_player_names_player", ondelete="CASCADE"
        ),
        Index(
            "ix_player_names_trgm", "org_id", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
        ),
        {"comment": "former names; /player find and show, ban preview"},
    )


class PlayerSession(Base):
    """One stay of a player on a server; open while they are online."""

    __tablename__ = "player_sessions"

    id: Mapped[Serial]
    org_id: Mapped[UUID]
    player_id: Mapped[UUID]
    server_instance_id: Mapped[UUID]
    slot: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ip: Mapped[str | None] = mapped_column(INET)

    __table_args__ = (
        ForeignKeyConstraint(
            ["player_id", "org_id"],
            ["players.id", "players.org_id"],
            name="fk_player_sessions_player",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_player_sessions_server",
            ondelete="CASCADE",
        ),
        partial("uq_player_sessions_open", "server_instance_id", "player_id", where="ended_at IS NULL", unique=True),
        Index("ix_player_sessions_player", "player_id", newest("started_at")),
        Index("ix_player_sessions_server", "server_instance_id", newest("started_at")),
        partial("ix_player_sessions_ip", "started_at", where="ip IS NOT NULL"),
        partial("ix_player_sessions_address", "org_id", "ip", where="ip IS NOT NULL"),
        {"comment": "an open row = online now; playtime is their sum; /players, /player show, /graph; ip only 30 days"},
    )
