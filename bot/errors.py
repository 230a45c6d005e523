"""Expected failures. Each carries a sentence for the person who asked and what they can do about it.

Whatever is not an `AppError` is a bug: it is logged with its correlation id and shown as such.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

Outcome = Literal["denied", "failed"]


class AppError(Exception):
    """Something a user may run into. `what` failed and the `remedy`; the gate adds the reference as third line."""

    outcome: ClassVar[Outcome] = "failed"

    def __init__(self, what: str, remedy: str = "Check the command and try again.") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class NotPermitted(AppError):
    """The actor lacks a permission; the only error that is audited as `denied`."""

    outcome: ClassVar[Outcome] = "denied"

    def __init__(self, permission: str, roles: Sequence[str] = (), *, exception: str = "") -> None:
        """`roles`: those that have it; with an `exception` that takes it away: those that can change that."""
        names = ", ".join(roles)
        if exception:
            who = f"Roles that can change that: {names}" if names else "The owner can change that"
            remedy = f"{exception} {who}; `/my why` says more."
        elif names:
            remedy = f"Roles that have it here: {names}. Ask an administrator."
        else:
            remedy = "No role here has it. Ask an administrator."
        super().__init__(f"You need the permission `{permission}` for this.", remedy)
        self.permission = permission


class NotFound(AppError):
    """No such thing in this org. An id of another org reads the same."""


class Invalid(AppError):
    """What was entered cannot be right."""


class Conflict(AppError):
    """It cannot be done now because of what is already there or under way."""


class Unsupported(AppError):
    """The game cannot do this; the remedy names what it can."""


class Unavailable(AppError):
    """Something we need does not answer: the database, a host, Discord."""


class AlreadyHandled(Exception):
    """Another delivery of the same interaction has committed; it answers, this one stays silent."""
