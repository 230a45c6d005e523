"""What the bot says outside its replies: where, what it keeps up to date, and the outbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, Key, Moment, Serial, check, partial


class NotificationChannel(Base):
    """Where messages of one purpose go."""

    __tablename__ = "notification_channels"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    name: Mapped[str]
    purpose: Mapped[str]
    type: Mapped[str]
    discord_channel_id: Mapped[BigInt | None]
    config_enc: Mapped[bytes | None]
    min_severity: Mapped[str] = mapped_column(default="low", server_default="low")
    is_default: Mapped[bool] = mapped_column(default=True, server_default=true())
    enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    disabled_reason: Mapped[str | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_notification_channels_id_org"),
        UniqueConstraint("org_id", "name", name="uq_notification_channels_name"),
        check(
            "notification_channels_purpose_check",
            "purpose IN ('ops','alerts','bans','appeals','deployments','audit','players')",
        ),
        check("notification_channels_type_check", "type IN ('discord_channel','discord_webhook','slack_webhook')"),
        check("notification_channels_min_severity_check", "min_severity IN ('low','med','high')"),
        check("notification_channels_check", "(type = 'discord_channel') = (discord_channel_id IS NOT NULL)"),
        check("notification_channels_check1", "(type = 'discord_channel') = (config_enc IS NULL)"),
        partial("ix_notification_channels_purpose", "org_id", "purpose", where="enabled"),
        {
            "comment": "where a purpose goes (/notify, /setup channels); native Discord channel id first; "
            "webhooks optional and encrypted"
        },
    )


class BotMessage(Base):
    """A message that the bot keeps up to date, and its address."""

    __tablename__ = "bot_messages"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subject_id: Mapped[str]
    channel_id: Mapped[BigInt]
    message_id: Mapped[BigInt | None]
    thread_id: Mapped[BigInt | None]
    rendered_hash: Mapped[bytes | None]
    next_edit_at: Mapped[datetime | None]
    fail_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    disabled_reason: Mapped[str | None]
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_bot_messages_id_org"),
        UniqueConstraint("org_id", "kind", "subject_id", "channel_id", name="uq_bot_messages"),
        check(
            "bot_messages_kind_check",
            "kind IN ('panel','incident','ban_notice','job','deployment','appeal','batch','server','setup',"
            "'maintenance','plan')",
        ),
        partial("ix_bot_messages_due", "next_edit_at", where="next_edit_at IS NOT NULL AND disabled_reason IS NULL"),
        {
            "comment": "every message that the bot keeps up to date, and the only place for its address; "
            "edited only when its rendered hash changes"
        },
    )


class NotificationJob(Base):
    """A message that the bot owes. Its id is its order and its nonce."""

    __tablename__ = "notification_jobs"

    id: Mapped[Serial]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    target_kind: Mapped[str]
    discord_channel_id: Mapped[BigInt | None]
    discord_user_id: Mapped[BigInt | None]
    channel_id: Mapped[UUID | None]
    bot_message_id: Mapped[UUID | None]
    op: Mapped[str] = mapped_column(default="post", server_default="post")
    event_type: Mapped[str]
    payload_json: Mapped[dict[str, Any]] = mapped_column(JSONB)
    dedupe_key: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    next_attempt_at: Mapped[Moment]
    locked_until: Mapped[datetime | None]
    """A fence: written and compared with PostgreSQL's now()."""
    last_error: Mapped[str | None]
    created_at: Mapped[Moment]
    sent_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("org_id", "dedupe_key", name="uq_notification_jobs_dedupe"),
        ForeignKeyConstraint(
            ["channel_id", "org_id"],
            ["notification_channels.id", "notification_channels.org_id"],
            name="fk_notification_jobs_channel",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["bot_message_id", "org_id"],
            ["bot_messages.id", "bot_messages.org_id"],
            name="fk_notification_jobs_message",
            ondelete="CASCADE",
        ),
        check("notification_jobs_target_kind_check", "target_kind IN ('channel','user','webhook')"),
        check("notification_jobs_op_check", "op IN ('post','edit','delete')"),
        check("notification_jobs_status_check", "status IN ('pending','processing','sent','skipped','failed')"),
        check("notification_jobs_check", "(target_kind = 'channel') = (discord_channel_id IS NOT NULL)"),
        check("notification_jobs_check1", "(target_kind = 'user') = (discord_user_id IS NOT NULL)"),
        check("notification_jobs_check2", "target_kind <> 'webhook' OR (channel_id IS NOT NULL AND op = 'post')"),
        check("notification_jobs_check3", "op <> 'post' OR dedupe_key IS NOT NULL"),
        check("notification_jobs_check4", "op = 'post' OR bot_message_id IS NOT NULL"),
        partial("uq_notification_jobs_edit", "bot_message_id", where="op = 'edit' AND status = 'pending'", unique=True),
        partial("ix_notification_jobs_due", "next_attempt_at", where="status IN ('pending','processing')"),
        partial("ix_notification_jobs_order", "discord_channel_id", "id", where="status IN ('pending','processing')"),
        partial("ix_notification_jobs_channel", "channel_id", where="channel_id IS NOT NULL"),
        partial("ix_notification_jobs_message", "bot_message_id", where="bot_message_id IS NOT NULL"),
        partial("ix_notification_jobs_done", "created_at", where="status IN ('sent','skipped','failed')"),
        {
            "comment": "transactional outbox for every message the bot owes; payload names the subject, "
            "the text is rendered when it is sent; id = order and nonce"
        },
    )
