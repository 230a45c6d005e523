"""The tables, one file per group."""

from db.base import Base
from db.models.alerts import AlertCount, AlertFiring, AlertRule, AlertRuleChannel, Incident, IncidentEvent
from db.models.audit import AuditLog, AuditSeal, PendingConfirmation
from db.models.backups import Backup
from db.models.bans import BanEntry, BanEvent, BanIdentifier, OrgBan
from db.models.batches import CommandMacro, JobBatch
from db.models.events import Event
from db.models.hosts import ApiKey, Host, PairingToken
from db.models.jobs import Job, JobRun
from db.models.jobs_archive import ArchivedJob, ArchivedRun
from db.models.logs import Log, LogCursor
from db.models.maintenance import MaintenanceWindow, ServerHold
from db.models.messages import BotMessage, NotificationChannel, NotificationJob
from db.models.mods import ModArtifact, ModDeployment, ServerMod
from db.models.operations import AppState, CronRun, Lease
from db.models.players import Player, PlayerIdentity, PlayerName, PlayerSession
from db.models.power import PowerPlan
from db.models.schedules import Schedule, ScheduleExclusion, ScheduleTask
from db.models.servers import GameType, Server, ServerTag
from db.models.tenancy import (
    Org,
    OrgCounter,
    Permission,
    Role,
    RoleBinding,
    RolePermission,
    User,
    UserOrg,
    UserPermission,
    UserServerRole,
)

__all__ = [
    "AlertCount",
    "AlertFiring",
    "AlertRule",
    "AlertRuleChannel",
    "ApiKey",
    "AppState",
    "ArchivedJob",
    "ArchivedRun",
    "AuditLog",
    "AuditSeal",
    "Backup",
    "BanEntry",
    "BanEvent",
    "BanIdentifier",
    "Base",
    "BotMessage",
    "CommandMacro",
    "CronRun",
    "Event",
    "GameType",
    "Host",
    "Incident",
    "IncidentEvent",
    "Job",
    "JobBatch",
    "JobRun",
    "Lease",
    "Log",
    "LogCursor",
    "MaintenanceWindow",
    "ModArtifact",
    "ModDeployment",
    "NotificationChannel",
    "NotificationJob",
    "Org",
    "OrgBan",
    "OrgCounter",
    "PairingToken",
    "PendingConfirmation",
    "Permission",
    "Player",
    "PlayerIdentity",
    "PlayerName",
    "PlayerSession",
    "PowerPlan",
    "Role",
    "RoleBinding",
    "RolePermission",
    "Schedule",
    "ScheduleExclusion",
    "ScheduleTask",
    "Server",
    "ServerHold",
    "ServerMod",
    "ServerTag",
    "User",
    "UserOrg",
    "UserPermission",
    "UserServerRole",
]
