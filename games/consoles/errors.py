"""Why a console cannot be used."""


class ConsoleError(Exception):
    """With a sentence for the person who asked. Nothing has been sent to the game."""


class ConsoleUnreachable(ConsoleError):
    """Nobody listens there, or it hung up before we were in."""


class LoginRefused(ConsoleError):
    """The password is wrong, or the console has locked us out."""
