"""What `/setup check` says about a prerequisite: how it is, in words, with its remedy in one line.

The judges beside this module (`checks_discord`, `checks_commands`, `checks_access` and so on) take facts and give
findings. They ask nobody: what could not be found out is a fact of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class State(Enum):
    """How a prerequisite is; the worst first."""

    BROKEN = "✗"
    NOTE = "⚠"
    FINE = "✓"


class Topic(Enum):
    """What a finding is about, in the order in which they are shown."""

    BOT = "The bot here"
    CHANNELS = "Channels"
    COMMANDS = "Commands"
    ROLES = "Roles"
    AUDIT = "Audit"
    HOSTS = "Hosts"
    MESSAGES = "Messages and jobs"
    WORK = "Background work"
    PROCESSES = "Processes"
    DATABASE = "Database"


class Mend(StrEnum):
    """What the bot can mend by itself."""

    TRY_CHANNEL = "try"
    """Switch a channel on again, with a test message. Target: the row of the channel."""
    TRY_PANEL = "panel"
    """The same for a board."""
    LET_IN = "let"
    """Give the bot its rights in a channel. Target: the Discord channel."""
    MAKE = "make"
    """Make the channel of a purpose, in place of one that is gone too. Target: the purpose."""
    COMMANDS = "commands"
    """Register the commands with Discord again."""
    SEND = "send"
    """Try messages again that failed."""
    TICK = "tick"
    """Do now what should have been done by itself. Target: its name."""


PERMISSION: Final[dict[Mend, str]] = {
    Mend.TRY_CHANNEL: "notifications.manage",
    Mend.TRY_PANEL: "servers.edit",
    Mend.LET_IN: "settings.edit",
    Mend.MAKE: "settings.edit",
    Mend.COMMANDS: "settings.edit",
    Mend.SEND: "notifications.manage",
    Mend.TICK: "settings.edit",
}
"""What somebody needs to have it done."""


@dataclass(frozen=True)
class Fix:
    """A button that mends a problem."""

    mend: Mend
    label: str
    """A verb: what the button does."""
    target: str = ""


@dataclass(frozen=True)
class Finding:
    """One prerequisite. `what` and `remedy` are ready to be shown: foreign words in them are made safe."""

    topic: Topic
    state: State
    what: str
    remedy: str = ""
    fix: Fix | None = None


def fine(topic: Topic, what: str) -> Finding:
    """Nothing to do."""
    return Finding(topic, State.FINE, what)


def note(topic: Topic, what: str, remedy: str, fix: Fix | None = None) -> Finding:
    """Worth knowing: something works less well than it could."""
    return Finding(topic, State.NOTE, what, remedy, fix)


def broken(topic: Topic, what: str, remedy: str, fix: Fix | None = None) -> Finding:
    """Something that people count on does not work."""
    return Finding(topic, State.BROKEN, what, remedy, fix)


def problems(findings: Iterable[Finding]) -> list[Finding]:
    """All that is not fine, the worst first, by topic."""
    states, topics = list(State), list(Topic)
    found = [finding for finding in findings if finding.state is not State.FINE]
    return sorted(found, key=lambda one: (states.index(one.state), topics.index(one.topic)))


def folded(findings: Sequence[Finding]) -> list[tuple[Topic, str]]:
    """What is fine, a line for each topic."""
    lines = [
        (topic, [one.what for one in findings if one.topic is topic and one.state is State.FINE]) for topic in Topic
    ]
    return [(topic, " · ".join(what)) for topic, what in lines if what]
