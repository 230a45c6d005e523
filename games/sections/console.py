"""How a game's console is reached and understood."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.patterns import Regex
from games.sections.base import Section
from games.sections.process import Seconds


class Login(Section):
    """What the console says, and what it is sent, until it takes commands."""

    prompt: Regex
    send: str
    ok: Regex
    bad: Regex
    """The password is wrong."""
    locked: Regex
    """Too many attempts."""
    ready: Regex | None = None
    """The last line of the greeting; without it, `ok` is."""
    no_password_ready: Regex | None = None
    """The last line of the greeting when the console asks for no password; without it, it always asks."""
    timeout: Seconds = 10
    retry: Seconds = 60
    """After a refused password, how long no further attempt is made: the game counts them and locks us out."""


class Fence(Section):
    """A command that cannot exist, sent after the real one. Its complaint marks the end of the answer."""

    send: str
    """With `{nonce}`, so that nobody can say it in advance."""
    expect: Regex
    """With the group `fence`, which must equal what was sent."""

    @model_validator(mode="after")
    def _nonce(self) -> Self:
        if "{nonce}" not in self.send or "fence" not in self.expect.names:
            raise ValueError("a fence has {nonce} in `send` and the group `fence` in `expect`")
        return self


class End(Section):
    """How the end of an answer is found."""

    fence: Fence


class Pace(Section):
    """How fast the console may be written to."""

    burst: Annotated[int, Field(ge=1, le=1000)]
    per_second: Annotated[float, Field(gt=0, le=1000)]


class Quoting(Section):
    """How the game reads a line."""

    style: Literal["double_quote_doubled", "double_quote_backslash"]
    separator: Annotated[str, Field(max_length=1)] = ""
    """A character that, outside quotes, begins another command."""
    comment: Annotated[str, Field(max_length=1)] = ""
    """A character that, outside quotes, ends the line."""


class ConsoleSpec(Section):
    """A console of lines over TCP."""

    driver: Literal["line_tcp"]
    address: str
    record_end: Annotated[str, Field(min_length=1, max_length=8)]
    strip: tuple[Annotated[str, Field(min_length=1, max_length=1)], ...] = ()
    """Characters to drop wherever they come."""
    login: Login
    log_record: Regex | None = None
    """What belongs to the log wherever it comes; without it, what comes outside of an answer."""
    end: End
    echo: Regex | None = None
    """The game's own record of a command; the group `command` must equal what was sent. The answer follows it."""
    says: Regex | None = None
    """What stands around the words of a line; the group `text` is shown to people as the reason of a refusal."""
    errors: tuple[Regex, ...] = ()
    """What the game says when it refuses a command, whichever it is."""
    pace: Pace
    max_command: Annotated[int, Field(ge=16, le=8192)]
    """Bytes of one line: beyond, the game cuts it or hangs up."""
    forbid: tuple[Regex, ...] = ()
    """Commands that reach files or secrets of the host; each part of a line is looked at."""
    quoting: Quoting

    @model_validator(mode="after")
    def _strip_apart(self) -> Self:
        if set(self.strip) & set(self.record_end):
            raise ValueError("a character of `record_end` cannot be stripped")
        if self.echo is not None and "command" not in self.echo.names:
            raise ValueError("`echo` needs the group `command`")
        if self.says is not None and "text" not in self.says.names:
            raise ValueError("`says` needs the group `text`")
        return self
