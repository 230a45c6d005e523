"""Actions as their jobs carry them."""

from uuid import UUID

from agent import wire
from bot.domain.actions import POWER, Action
from bot.domain.jobs import JobType
from bot.errors import Invalid
from bot.services.consoles import one_line


def text_of(action: Action, text: str) -> str:
    """The text of an action, as one line that a console takes.

    Raises:
        Invalid: it is missing, too long, or the action takes none.
    """
    if action.text:
        return one_line(text, action.text)
    if text.strip():
        raise Invalid(f"The action {action.name} takes no `text`.", "Leave it out; nothing was done.")
    return ""


def params(action: Action, text: str) -> wire.Params:
    """What a job of this action carries."""
    match action.job_type:
        case JobType.ANNOUNCE:
            return wire.Announce(text=text)
        case JobType.CONSOLE_COMMAND:
            return wire.ConsoleCommand(command=text)
        case JobType.SERVER_STOP:
            return wire.ServerStop()
        case JobType.SERVER_START:
            return wire.ServerStart()
        case JobType.SAVE_BACKUP:
            return wire.SaveBackup()
        case _:
            return wire.ServerRestart()


def dedupe_key(action: Action, server_id: UUID) -> str | None:
    """Keeps a second power action from a server on which one waits or is under way."""
    return f"power:{server_id}" if action.job_type in POWER else None
