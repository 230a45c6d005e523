"""Rules that watch, what they have seen, and the incidents that came of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, BigInt, JsonObject, Key, Moment, Serial, check, newest, partial


class AlertRule(Base):
    """What is watched, and when it is worth a message."""

    __tablename__ = "alert_rules"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    condition: Mapped[dict[str, Any]]
    host_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    severity: Mapped[str]
    enabled: Mapped[bool] = mapped_column(default=True, server_default=true())
    creates_incident: Mapped[bool] = mapped_column(default=True, server_default=true())
    auto_resolve: Mapped[bool] = mapped_column(default=True, server_default=true())
    cooldown_seconds: Mapped[int] = mapped_column(default=300, server_default=text("300"))
    mention_role_id: Mapped[BigInt | None]
    last_evaluated_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_alert_rules_id_org"),
        UniqueConstraint("org_id", "name", name="uq_alert_rules_org_name"),
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_alert_rules_host", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_alert_rules_server",
            ondelete="CASCADE",
        ),
        check(
            "alert_rules_type_check",
            "type IN ('host_offline','server_down','server_restarted','restart_loop',"
            "'resource_threshold','error_count','log_keyword', "
            "'deployment_failure','job_run_failed','batch_failed','schedule_failed','backup_missing',"
            "'ban_sync_failed','mod_deploy_failed','player_activity')",
        ),
        check("alert_rules_condition_check", "jsonb_typeof(condition) = 'object'"),
        check("alert_rules_severity_check", "severity IN ('low','med','high')"),
        check("alert_rules_cooldown_seconds_check", "cooldown_seconds BETWEEN 0 AND 86400"),
        partial("ix_alert_rules_enabled", "org_id", "type", where="enabled"),
        partial("ix_alert_rules_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_alert_rules_server", "server_instance_id", where="server_instance_id IS NOT NULL"),
        {"comment": "condition validated by a pydantic union discriminated on type"},
    )


class AlertRuleChannel(Base):
    """Where a rule's messages go, if not to the usual place."""

    __tablename__ = "alert_rule_channels"

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(
            ["rule_id", "org_id"], ["alert_rules.id", "alert_rules.org_id"], name="fk_arc_rule", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["channel_id", "org_id"],
            ["notification_channels.id", "notification_channels.org_id"],
            name="fk_arc_channel",
            ondelete="CASCADE",
        ),
        Index("ix_arc_channel", "channel_id"),
        {"comment": "per-rule routing; no row = the default alerts channels"},
    )


class Incident(Base):
    """Something that is wrong until somebody, or the rule itself, says that it is not."""

    __tablename__ = "incidents"

    id: Mapped[Key]
    org_id: Mapped[UUID] = mapped_column(ForeignKey("orgs.id", ondelete="CASCADE"))
    number: Mapped[BigInt]
    host_id: Mapped[UUID | None]
    server_instance_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str | None]
    severity: Mapped[str]
    status: Mapped[str] = mapped_column(default="open", server_default="open")
    source: Mapped[str]
    rule_id: Mapped[UUID | None]
    fingerprint: Mapped[str | None]
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    acknowledged_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("id", "org_id", name="uq_incidents_id_org"),
        UniqueConstraint("org_id", "number", name="uq_incidents_number"),
        ForeignKeyConstraint(
            ["host_id", "org_id"], ["hosts.id", "hosts.org_id"], name="fk_incidents_host", ondelete="SET NULL (host_id)"
        ),
        ForeignKeyConstraint(
            ["server_instance_id", "org_id"],
            ["server_instances.id", "server_instances.org_id"],
            name="fk_incidents_server",
            ondelete="SET NULL (server_instance_id)",
        ),
        ForeignKeyConstraint(
            ["rule_id", "org_id"],
            ["alert_rules.id", "alert_rules.org_id"],
            name="fk_incidents_rule",
            ondelete="SET NULL (rule_id)",
        ),
        check("incidents_title_check", "length(title) BETWEEN 1 AND 200"),
        check("incidents_severity_check", "severity IN ('low','med','high')"),
        check("incidents_status_check", "status IN ('open','investigating','resolved')"),
        check("incidents_source_check", "source IN ('alert','manual','deployment')"),
        check("incidents_check", "(status = 'resolved') = (resolved_at IS NOT NULL)"),
        partial(
            "uq_incidents_live",
            "org_id",
            "rule_id",
            "fingerprint",
            where="status IN ('open','investigating') AND rule_id IS NOT NULL",
            unique=True,
        ),
        Index("ix_incidents_org_status", "org_id", "status", newest("created_at")),
        partial(
            "ix_incidents_server", "server_instance_id", newest("created_at"), where="server_instance_id IS NOT NULL"
        ),
        partial("ix_incidents_rule", "rule_id", where="rule_id IS NOT NULL"),
        partial("ix_incidents_host", "host_id", where="host_id IS NOT NULL"),
        partial("ix_incidents_assignee", "assignee_id", where="assignee_id IS NOT NULL AND status <> 'resolved'"),
        {
            "comment": "what people work on; the scope is nullable: an org-wide rule can open one, and a manual "
            "one may name nothing"
        },
    )


class IncidentEvent(Base):
    """A line in an incident's timeline."""

    __tablename__ = "incident_events"

    id: Mapped[Serial]
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    type: Mapped[str]
    message: Mapped[str]
    meta_json: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[Moment]

    __table_args__ = (
        check(
            "incident_events_type_check",
            "type IN ('created','trigger','status_change','assigned','comment','notified',"
            "'auto_resolved','reopened', 'silenced','folded','escalated','severity')",
        ),
        Index("ix_incident_events_incident", "incident_id", "created_at"),
        {"comment": "timeline"},
    )


class AlertFiring(Base):
    """What a rule has seen of one entity."""

    __tablename__ = "alert_firings"

    id: Mapped[Serial]
    org_id: Mapped[UUID]
    rule_id: Mapped[UUID]
    fingerprint: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    incident_id: Mapped[UUID | None]
    context: Mapped[JsonObject]
    fire_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    pending_since: Mapped[datetime | None]
    fired_at: Mapped[datetime | None]
    last_seen_at: Mapped[Moment]
    clear_since: Mapped[datetime | None]
    silenced_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    last_notified_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("rule_id", "fingerprint", name="uq_alert_firings"),
        ForeignKeyConstraint(
            ["rule_id", "org_id"],
            ["alert_rules.id", "alert_rules.org_id"],
            name="fk_alert_firings_rule",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["incident_id", "org_id"],
            ["incidents.id", "incidents.org_id"],
            name="fk_alert_firings_incident",
            ondelete="SET NULL (incident_id)",
        ),
        check("alert_firings_status_check", "status IN ('pending','firing','resolved')"),
        check("alert_firings_check", "(status = 'resolved') = (resolved_at IS NOT NULL)"),
        check("alert_firings_check1", "status = 'pending' OR fired_at IS NOT NULL"),
        partial("ix_alert_firings_live", "org_id", "last_seen_at", where="status IN ('pending','firing')"),
        partial("ix_alert_firings_resolved", "resolved_at", where="status = 'resolved'"),
        partial("ix_alert_firings_incident", "incident_id", where="incident_id IS NOT NULL"),
        {"comment": "edge and cooldown state per rule and entity; a folded one points at the incident of its host"},
    )


class AlertCount(Base):
    """Matches of a rule within ten seconds."""

    __tablename__ = "alert_counts"

    rule_id: Mapped[UUID] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"), primary_key=True)
    entity_id: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[datetime] = mapped_column(primary_key=True)
    n: Mapped[int]

    __table_args__ = (
        check("alert_counts_n_check", "n > 0"),
        Index("ix_alert_counts_bucket", "bucket"),
        {"comment": "10 s buckets of the lines that a rule matches, written in the transaction of the lines"},
    )
