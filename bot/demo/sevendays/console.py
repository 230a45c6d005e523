"""Takes one line from a console to its answer: words, look-up, permission of the moment, echo, errors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.demo.sevendays import tokenizer
from bot.demo.sevendays.server import Server
from bot.demo.sevendays.targets import NoTarget

Answer = Iterable[str]


class Refusal(Exception):
    """A command does not do what it was told; the text is its whole answer."""


@dataclass(frozen=True)
class Command:
    """`run` gets the words behind the command's own name. `in_menu`: works before the world exists."""

    names: tuple[str, ...]
    about: str
    run: Callable[[Server, list[str]], Answer]
    in_menu: bool = False


class Console:
    """The commands of one server. Names are matched without regard to case."""

    def __init__(self, server: Server, commands: Iterable[Command]) -> None:
        self._server = server
        self._commands = {name: command for command in commands for name in command.names}

    def execute(self, line: str, source: str) -> Answer:
        """Answer a line that `source` (`Telnet from 127.0.0.1:50124`) has sent. The lines come as they are made."""
        try:
            words = tokenizer.split(line)
        except tokenizer.Unclosed as unclosed:
            yield f"*** ERROR: {unclosed}"
            return
        if not words:
            return
        command = self._commands.get(words[0].casefold())
        if command is None:
            yield f"*** ERROR: unknown command '{words[0]}'"
        elif not (self._server.world.ready or command.in_menu):
            yield f"*** ERROR: Command '{words[0]}' can only be executed when a game is started."
        else:
            self._echo(line, source)
            yield from self._run(command, words)

    def _echo(self, line: str, source: str) -> None:
        hidden = self._server.config.number("HideCommandExecutionLog")
        if hidden < 3:
            self._server.journal.info(f"Executing command '{line}' by {source}", listeners=hidden < 1)

    def _run(self, command: Command, words: list[str]) -> Answer:
        try:
            yield from command.run(self._server, words[1:])
        except (Refusal, NoTarget) as refusal:
            yield str(refusal)
        except (ValueError, OverflowError) as error:
            self._server.journal.exception(
                f"Error executing command '{words[0]}': {error}", ("SdtdConsole.ExecuteCommand",)
            )
            yield f"*** ERROR: Executing command '{words[0]}' failed: {error}"


def need(words: list[str], at_least: int) -> None:
    """Raises Refusal where words are missing."""
    if len(words) < at_least:
        raise Refusal(f"Wrong number of arguments, expected at least {at_least}, found {len(words)}.")


def number(text: str) -> int:
    """Raises Refusal. The game's integers have 32 bits."""
    digits = text[1:] if text[:1] in {"-", "+"} else text
    if not (digits.isascii() and digits.isdecimal()) or not -(2**31) <= int(text) < 2**31:
        raise Refusal(f'"{text}" is not a valid integer.')
    return int(text)
