"""The 65 permissions, the presets that bundle them, and what a job of each type needs.

Source: the panel's 36 names verbatim, and 29 that bans, jobs, mods, alerts and the rest need.
"""

from dataclasses import dataclass
from typing import Final

#: name -> what it guards, in words that `/help` and `/access` can show.
PERMISSIONS: Final[dict[str, str]] = {
    "users.view": "See who holds which role",
    "users.create": "Give a first role to a member",
    "users.edit": "Bind roles and change a member's role",
    "users.delete": "Clear a member's roles and exceptions",
    "users.permissions": "Allow or deny single permissions and edit roles",
    "servers.view": "See servers, their state and who is online",
    "servers.create": "Add game servers and accept discovered ones",
    "servers.edit": "Edit game servers, tags, panels and variables",
    "servers.delete": "Remove game servers",
    "servers.start": "Start servers",
    "servers.stop": "Stop, hold and release servers",
    "servers.restart": "Restart servers and postpone restarts",
    "servers.console": "Send console commands and announcements",
    "files.view": "Read mod configuration files",
    "files.edit": "Edit mod configuration files",
    "files.upload": "Attach files to uploads and imports",
    "files.delete": "Delete artifacts and evidence",
    "files.download": "Download exports and whole outputs",
    "nodes.view": "See hosts",
    "nodes.create": "Pair new hosts",
    "nodes.edit": "Rename hosts",
    "nodes.delete": "Remove hosts",
    "monitoring.view": "See the health of agents and queues",
    "monitoring.metrics": "See the load of hosts",
    "api.keys.view": "See API keys",
    "api.keys.create": "Create API keys",
    "api.keys.delete": "Revoke API keys",
    "workshop.view": "See mods and their versions",
    "workshop.manage": "Upload, quarantine and restore mods",
    "audit.view": "Search and verify the audit log",
    "audit.export": "Export the audit log",
    "settings.view": "See settings",
    "settings.edit": "Change settings and run the set-up",
    "security.sessions": "Rotate and revoke agent keys",
    "security.logs": "See denied attempts",
    "security.config": "Change security settings",
    "servers.kill": "Kill server processes",
    "servers.wipe": "Wipe a server's world",
    "bans.view": "See bans and their history",
    "bans.create": "Ban players",
    "bans.revoke": "Lift bans and decide appeals",
    "players.view": "See player profiles and ids",
    "players.kick": "Kick, warn and message players",
    "players.admin": "Merge players and edit whitelists",
    "jobs.view": "See jobs and their output",
    "jobs.cancel": "Cancel and retry jobs",
    "schedules.view": "See schedules",
    "schedules.manage": "Edit schedules and maintenance",
    "macros.run": "Run macros",
    "macros.manage": "Edit macros",
    "batches.run": "Run actions over many servers",
    "mods.deploy": "Deploy, roll back and remove mods",
    "alerts.view": "See alert rules",
    "alerts.manage": "Edit alert rules and silences",
    "incidents.view": "See incidents",
    "incidents.manage": "Handle incidents",
    "backups.view": "See backups",
    "backups.create": "Create and lock backups",
    "backups.restore": "Restore and delete backups",
    "templates.view": "See configuration templates",
    "templates.manage": "Edit configuration templates",
    "deployments.view": "See deployments",
    "integrations.manage": "Manage services and integrations",
    "notifications.manage": "Manage notification channels",
    "logs.view": "Search logs",
}


@dataclass(frozen=True)
class Preset:
    """A role as it is instantiated for every new org, which may then edit it."""

    name: str
    priority: int
    description: str
    permissions: frozenset[str]


_VIEWER: Final = frozenset(
    "servers.view nodes.view monitoring.view workshop.view settings.view bans.view players.view jobs.view "
    "schedules.view alerts.view incidents.view backups.view templates.view deployments.view logs.view".split()
)
_MODERATOR: Final = _VIEWER | frozenset(
    "servers.start servers.stop servers.restart servers.console players.kick bans.create bans.revoke jobs.cancel "
    "macros.run incidents.manage backups.create users.view audit.view files.view".split()
)
_OPERATOR: Final = _MODERATOR | frozenset(
    "servers.create servers.edit servers.kill files.edit files.upload files.delete files.download nodes.edit "
    "monitoring.metrics workshop.manage mods.deploy schedules.manage macros.manage batches.run alerts.manage "
    "backups.restore templates.manage notifications.manage api.keys.view".split()
)

#: Owner is no stored role: the guild's owner and Discord Administrators may do everything.
PRESETS: Final = (
    Preset("admin", 100, "Everything", frozenset(PERMISSIONS)),
    Preset("operator", 60, "Runs servers, mods, schedules and alerts", _OPERATOR),
    Preset("moderator", 40, "Starts, stops and restarts servers; kicks and bans players", _MODERATOR),
    Preset("viewer", 10, "Sees everything that is not secret", _VIEWER),
    Preset("player", 0, "Sees servers and who is online", frozenset({"servers.view"})),
)

#: What changes nothing and takes nothing along: all that @everyone may be given.
LOOKING: Final = frozenset(name for name in PERMISSIONS if name.endswith(".view")) | {"monitoring.metrics"}
