"""What ends a task early. Anything else that a task raises is a bug and is logged as one."""


class TaskFailed(Exception):
    """The task cannot be done; the text is one sentence for the person who asked, without paths' contents or secrets."""


class Cancelled(Exception):
    """The bot asked to cancel the run; raised by a progress report, so only between two steps."""


class ConfigError(Exception):
    """The configuration file cannot be used; the text names the file and the key and says what to write instead."""
