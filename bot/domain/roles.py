"""Roles as people make and see them: the areas in which permissions are chosen, and how far a role may go."""

from collections.abc import Collection
from hashlib import sha256
from typing import Final

from bot.domain.permissions import PRESETS

LONGEST_NAME: Final = 32
HIGHEST: Final = 1000
"""The highest priority that a role can be given."""

#: key -> title and permissions, at most as many as Discord takes in one select.
AREAS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "servers": (
        "Servers, jobs and schedules",
        (
            "servers.view", "servers.start", "servers.stop", "servers.restart", "servers.console", "servers.kill",
            "servers.wipe", "servers.create", "servers.edit", "servers.delete", "jobs.view", "jobs.cancel",
            "schedules.view", "schedules.manage", "macros.run", "macros.manage", "batches.run",
        ),
    ),
    "players": (
        "Players and bans",
        ("players.view", "players.kick", "players.admin", "bans.view", "bans.create", "bans.revoke"),
    ),
    "files": (
        "Mods, files and backups",
        (
            "workshop.view", "workshop.manage", "mods.deploy", "files.view", "files.edit", "files.upload",
            "files.delete", "files.download", "backups.view", "backups.create", "backups.restore", "templates.view",
            "templates.manage", "deployments.view",
        ),
    ),
    "alerts": (
        "Alerts, incidents and logs",
        (
            "alerts.view", "alerts.manage", "incidents.view", "incidents.manage", "logs.view", "monitoring.view",
            "monitoring.metrics", "notifications.manage",
        ),
    ),
    "hosts": (
        "Hosts and integrations",
        (
            "nodes.view", "nodes.create", "nodes.edit", "nodes.delete", "integrations.manage", "api.keys.view",
            "api.keys.create", "api.keys.delete",
        ),
    ),
    "people": (
        "People, settings and audit",
        (
            "users.view", "users.create", "users.edit", "users.delete", "users.permissions", "settings.view",
            "settings.edit", "security.sessions", "security.logs", "security.config", "audit.view", "audit.export",
        ),
    ),
}  # fmt: skip


def is_edited(name: str, priority: int, permissions: Collection[str]) -> bool:
    """Has the org changed this preset?"""
    return any(
        preset.name == name and (preset.priority != priority or preset.permissions != frozenset(permissions))
        for preset in PRESETS
    )


def digest(permissions: Collection[str], area: str) -> str:
    """A short name of what a role may in an area: who chooses anew says with it what they have seen."""
    there = ",".join(name for name in AREAS[area][1] if name in permissions)
    return sha256(there.encode()).hexdigest()[:8]
