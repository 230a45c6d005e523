"""Who says what when, without a socket: logging in, and one command with its answer."""

from typing import Final, Literal

from games.patterns import Pattern
from games.sections.console import ConsoleSpec, Login

LINES_MAX: Final = 1000
CHARACTERS_MAX: Final = 64 * 1024
"""Of one answer; what comes beyond is dropped and the answer says so."""
LONG: Final = 50_000, 8 * 1024 * 1024
"""Lines and characters of a list that has to be whole to be of any use."""
_CUT: Final = "… (the answer was longer and has been cut)"
_ECHO_CUT: Final = 64
"""Games cut the echo of a long command, never before this many characters."""


class LoginTalk:
    """Feed it records; send `reply` when there is one; look at `state`."""

    def __init__(self, spec: Login, password: str) -> None:
        self._spec = spec
        self._password = password
        self._accepted = False
        self._asked = False
        self.reply: str | None = None
        self.state: Literal["waiting", "in", "bad", "locked"] = "waiting"

    def feed(self, record: str) -> None:
        """Take what the console said. Before we are in, nobody but the console itself can speak."""
        spec = self._spec
        if spec.locked.matches(record):
            self.state = "locked"
        elif spec.bad.matches(record):
            self.state = "bad"
        elif spec.prompt.matches(record):
            self._answer_prompt()
        elif self._accepted or (not self._asked and spec.no_password_ready is not None):
            self._greeted(record)
        elif spec.ok.matches(record):
            self._accepted = True
            self.state = "in" if spec.ready is None else "waiting"

    def _answer_prompt(self) -> None:
        if self._asked or not self._password:
            self.state = "bad"  # an empty password would be a failed attempt that the game counts
        self._asked = True
        self.reply = self._password

    def _greeted(self, record: str) -> None:
        last = self._spec.ready if self._accepted else self._spec.no_password_ready
        if last is not None and last.matches(record):
            self.state = "in"


class Exchange:
    """One command, its fence, and what comes back. `send` first, then feed records until `done`."""

    def __init__(
        self,
        spec: ConsoleSpec,
        command: str,
        nonce: str,
        enough: Pattern | None = None,
        most: tuple[int, int] = (LINES_MAX, CHARACTERS_MAX),
    ) -> None:
        """`enough`: a line after which no more is waited for, because the game may end before the fence.

        `most`: lines and characters of the answer.
        """
        self._spec = spec
        self._command = command
        self._fence = spec.end.fence.send.replace("{nonce}", nonce)
        self._enough = enough
        self._most = most
        self._echoed = False
        self._answer: list[str] = []
        self._size = 0
        self._cut = False
        self.done = False
        self.fenced = False
        """The answer is complete and nothing more can come of it."""

    @property
    def send(self) -> tuple[str, str]:
        """The lines to write, in order."""
        return self._command, self._fence

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer so far, without blank lines around it."""
        answer = [*self._answer, _CUT] if self._cut else list(self._answer)
        while answer and not answer[0].strip():
            del answer[0]
        while answer and not answer[-1].strip():
            del answer[-1]
        return tuple(answer)

    def feed(self, record: str) -> tuple[str, ...]:
        """Take a record; gives back those that are no part of the answer but of the log."""
        if self.done:
            return (record,)
        if self._is_fence(record):
            self.done = self.fenced = True
            return ()
        if (echo := self._echo_of(record)) is not None:
            return self._after_echo(echo, record)
        if self._spec.log_record is not None and self._spec.log_record.matches(record):
            return (record,)
        self._add(record)
        self.done = self._enough is not None and self._enough.matches(record)
        return ()

    def _is_fence(self, record: str) -> bool:
        found = self._spec.end.fence.expect.groups(record)
        return found is not None and found["fence"] == self._fence

    def _echo_of(self, record: str) -> str | None:
        found = self._spec.echo.groups(record) if self._spec.echo is not None else None
        return None if found is None else found["command"].rstrip("\ufffd")

    def _after_echo(self, echo: str, record: str) -> tuple[str, ...]:
        """What came before the echo of our command was not its answer. Commands of others are log."""
        if echo == self._fence:
            return ()
        ours = echo == self._command or (len(echo) >= _ECHO_CUT and self._command.startswith(echo))
        if not ours or self._echoed:
            return (record,)
        self._echoed = True
        before, self._answer = tuple(self._answer), []
        self._size, self._cut = 0, False
        return before

    def _add(self, record: str) -> None:
        if len(self._answer) >= self._most[0] or self._size + len(record) > self._most[1]:
            self._cut = True
            return
        self._answer.append(record)
        self._size += len(record)
