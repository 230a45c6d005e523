"""How a walk over all commands and buttons fills what they ask for: with ids and names of some guild's things, and with
what is no id at all. What it cannot fill is an error with a sentence, so that nothing new stays unwalked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import discord
from discord import app_commands

from db.models import (
    AlertRule,
    AuditLog,
    AuditSeal,
    BotMessage,
    CommandMacro,
    Host,
    Incident,
    Job,
    JobBatch,
    MaintenanceWindow,
    ModArtifact,
    NotificationChannel,
    OrgBan,
    Player,
    PowerPlan,
    Role,
    Schedule,
    Server,
    ServerTag,
)
from tests.e2e.neighbours import Neighbour

Kind = discord.AppCommandOptionType
Refs = Callable[[Neighbour], Sequence[str]]


class Unfillable(Exception):
    """The walk meets something that it has no rule for."""


def named(model: Any, *columns: str) -> Refs:
    """By id, and by these columns."""

    def refs(of: Neighbour) -> list[str]:
        one = of.one(model)
        return [str(one.id), *(str(getattr(one, column)) for column in columns)]

    return refs


def _only(model: Any, *columns: str, prefix: str = "") -> Refs:
    return lambda of: [f"{prefix}{getattr(of.one(model), column)}" for column in columns]


THINGS: Final[Mapping[str, Refs]] = {
    "batch": _only(JobBatch, "number", prefix="W-"),
    "case": _only(OrgBan, "number", prefix="B-"),
    "entry": _only(AuditLog, "id", "correlation_id"),
    "host": named(Host, "name"),
    "incident": lambda of: [*named(Incident)(of), *_only(Incident, "number")(of)],
    "job": _only(Job, "number", prefix="J-"),
    "like": named(Role, "name"),
    "macro": named(CommandMacro, "name"),
    "mod": _only(ModArtifact, "name"),
    "panel": named(BotMessage),
    "plan": named(PowerPlan),
    "player": named(Player, "name"),
    "preset": named(Role, "name"),
    "role": named(Role, "name"),
    "rule": named(AlertRule, "name"),
    "schedule": named(Schedule, "name"),
    "seal": lambda of: [of.one(AuditSeal).hash.hex(), *_only(AuditSeal, "number")(of)],
    "server": named(Server, "name", "slug"),
    "tag": _only(ServerTag, "tag"),
    "target": lambda of: [f"server:{of.one(Server).id}", *named(Server, "name")(of), *named(Host, "name")(of)],
    "version": _only(ModArtifact, "version"),
    "window": named(MaintenanceWindow),
}
"""Option or argument -> what names such a thing."""
SPECIAL: Final[Mapping[tuple[str, str], Refs]] = {
    ("notify test", "name"): named(NotificationChannel, "name"),
    ("notify remove", "name"): named(NotificationChannel, "name"),
    ("fleet tag", "remove"): _only(ServerTag, "tag"),
    ("mod rollback", "to"): _only(ModArtifact, "version"),
}
"""The same where a name alone does not tell."""
PLAIN: Final[Mapping[str, str]] = {
    "action": "server.restart",
    "command": "status",
    "description": "For the night",
    "duration": "7d",
    "game": "7dtd",
    "key": "log_retention_days",
    "name": "Something new",
    "note": "none",
    "permission": "servers.view",
    "reason": "because",
    "sha256": "0" * 64,
    "since": "30d",
    "start": "tomorrow 18:00",
    "text": "hello",
    "topic": "server",
    "until": "2d",
    "url": "https://files.invalid/mod.zip",
    "value": "9",
    "warn": "5",
    "when": "every day at 4",
    "window": "02:00-06:00",
    "zone": "Europe/Berlin",
}
"""Options that name nothing of a guild."""
GIVEN: Final[Mapping[tuple[str, str], str]] = {
    ("alert add", "type"): "server_down",
    ("batch start", "mod"): "Bigger",
    ("batch start", "version"): "1.0",
    ("fleet tag", "add"): "night",
    ("macro add", "name"): "prize",
    ("mod upload", "version"): "1.0",
    ("schedule add", "window"): "02:00-06:00",
    ("schedule edit", "window"): "02:00-06:00",
}
"""The same where a name alone does not tell, or where it has to be a certain choice."""

_ENTITIES: Final = (Kind.user, Kind.channel, Kind.role, Kind.mentionable, Kind.attachment)


@dataclass(frozen=True)
class Slot:
    """An option: what names something of a guild there, or the one value that it gets."""

    name: str
    refs: Refs | None = None
    plain: Any = None
    whole: bool = False
    """A number, not a text."""
    needed: bool = True

    def own(self, of: Neighbour) -> Any:
        """What a member of the guild itself would enter."""
        return self.entered(self.refs(of)[0]) if self.refs else self.plain

    def named_by(self, of: Neighbour) -> Sequence[str]:
        """All the ways to name the thing of a guild."""
        return self.refs(of) if self.refs else ()

    def entered(self, ref: str) -> Any:
        return int(ref) if self.whole else ref


def slot(path: str, option: app_commands.Parameter, of: Neighbour) -> Slot:
    """How to fill an option of a command; `of` is the guild in which the command is given.

    Raises:
        Unfillable: with what to do about it.
    """
    name, needed = option.name, option.required
    if given := GIVEN.get((path, name)):
        return Slot(name, plain=given, needed=needed)
    if option.choices:
        return Slot(name, plain=option.choices[0].value, needed=needed)
    if option.type in _ENTITIES:
        return Slot(name, plain=_entity(option.type, of), needed=needed)
    if option.type is Kind.boolean:
        return Slot(name, plain=False, needed=needed)
    if refs := SPECIAL.get((path, name)) or THINGS.get(name):
        return Slot(name, refs, whole=option.type is Kind.integer, needed=needed)
    if option.type in (Kind.integer, Kind.number):
        return Slot(name, plain=option.min_value or 0, needed=needed)
    if name not in PLAIN:
        raise Unfillable(
            f"/{path}: nobody says what goes into the option {name!r}. If it names something of a guild, add it to "
            f"THINGS (or SPECIAL) in {__file__}, else to PLAIN."
        )
    return Slot(name, plain=PLAIN[name], needed=needed)


def _entity(kind: Kind, of: Neighbour) -> Any:
    if kind is Kind.channel:
        return of.channel
    if kind is Kind.role:
        return of.role
    if kind is Kind.attachment:
        return ("mod.zip", b"PK\x05\x06" + bytes(18))
    return of.owner
