"""What people can let the bot do to servers by itself, to many at once, or under a name of their own."""

from dataclasses import dataclass
from typing import Final

from bot.domain.jobs import JobType


@dataclass(frozen=True)
class Action:
    """Something that schedules, batches and macros can do."""

    name: str
    job_type: JobType
    capability: str
    """What the game must be able to do."""
    text: str = ""
    """What its text is called; empty: it takes none."""


ACTIONS: Final = {
    action.name: action
    for action in (
        Action("restart", JobType.SERVER_RESTART, "restart"),
        Action("stop", JobType.SERVER_STOP, "stop"),
        Action("start", JobType.SERVER_START, "start"),
        Action("announce", JobType.ANNOUNCE, "say", text="The text"),
        Action("backup", JobType.SAVE_BACKUP, "backup"),
        Action("console", JobType.CONSOLE_COMMAND, "console", text="The command"),
    )
}
OF_JOB_TYPE: Final = {action.job_type.value: action for action in ACTIONS.values()}
POWER: Final = frozenset({JobType.SERVER_RESTART, JobType.SERVER_STOP, JobType.SERVER_START})
"""Of these one at a time is under way on a server."""
