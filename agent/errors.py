"""What ends a task early. Anything else that a task raises is a bug and is logged as one."""


class TaskFailed(Exception):
    """The task cannot be done; the text is a sentence for the person who asked and holds no secret."""


class Cancelled(Exception):
    """The bot asked to cancel the run; raised by a progress report, so only between two steps."""


class ConfigError(Exception):
    """The configuration file cannot be used; the text names the file and the key and says what to write instead."""
