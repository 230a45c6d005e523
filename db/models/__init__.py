"""The tables, one file per group."""

from db.base import Base
from db.models.audit import AuditLog, PendingConfirmation
from db.models.events import Event
from db.models.hosts import ApiKey, Host, PairingToken
from db.models.jobs import Job, JobRun
from db.models.messages import BotMessage, NotificationChannel, NotificationJob
from db.models.operations import AppState, CronRun, Lease
from db.models.players import Player, PlayerIdentity, PlayerName, PlayerSession
from db.models.servers import GameType, Server, ServerTag
from db.models.tenancy import Org, OrgCounter, Permission, Role, RoleBinding, RolePermission, User, UserOrg

__all__ = [
    "ApiKey",
    "AppState",
    "AuditLog",
    "Base",
    "BotMessage",
    "CronRun",
    "Event",
    "GameType",
    "Host",
    "Job",
    "JobRun",
    "Lease",
    "NotificationChannel",
    "NotificationJob",
    "Org",
    "OrgCounter",
    "PairingToken",
    "PendingConfirmation",
    "Permission",
    "Player",
    "PlayerIdentity",
    "PlayerName",
    "PlayerSession",
    "Role",
    "RoleBinding",
    "RolePermission",
    "Server",
    "ServerTag",
    "User",
    "UserOrg",
]
