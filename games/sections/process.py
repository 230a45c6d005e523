"""How a game's process is started, when it is ready, and how it is ended."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.patterns import Regex
from games.sections.base import Section

Seconds = Annotated[float, Field(gt=0, le=3600)]


class Port(Section):
    """A port that the game listens on, named by the variable that holds it."""

    name: str
    proto: Literal["udp", "tcp"]
    var: str
    expose: Literal["public", "never"] = "public"
    """`never`: only for the agent on the same machine; not shown to people."""


class LogReady(Section):
    """A record of the log says so. Anchored, because players' names and words are in the log as well."""

    log: Regex

    @model_validator(mode="after")
    def _anchored(self) -> Self:
        if not self.log.source.startswith("^"):
            raise ValueError(f"`log` begins with ^, or a player could say it: {self.log.source}")
        return self


class ConsoleReady(Section):
    """The console lets us in."""

    console: Literal[True]


class Ready(Section):
    """When the game counts as up: all of these, within `timeout` seconds."""

    all: Annotated[tuple[LogReady | ConsoleReady, ...], Field(min_length=1)]
    timeout: Seconds


class ActionRung(Section):
    """Ask over the console, then wait: `wait` for the answer, or `wait_exit` for the process to end."""

    action: str
    wait: Seconds | None = None
    wait_exit: Seconds | None = None

    @model_validator(mode="after")
    def _one_wait(self) -> Self:
        if (self.wait is None) == (self.wait_exit is None):
            raise ValueError("a rung with an action has either `wait` or `wait_exit`")
        return self


class SignalRung(Section):
    """Send a signal, then wait for the process to end."""

    signal: Literal["INT", "TERM", "KILL"]
    wait_exit: Seconds = 10


class Process(Section):
    """The command line (a list, never a shell's string), its surroundings, and its end."""

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    cwd: str = "{dir}"
    env: dict[str, str] = Field(default={})
    ready: Ready
    stop: Annotated[tuple[ActionRung | SignalRung, ...], Field(min_length=1)]
    """A ladder: the next rung is taken when the one before did not end the process."""
    ports: tuple[Port, ...] = ()

    @model_validator(mode="after")
    def _ends_for_sure(self) -> Self:
        last = self.stop[-1]
        if not (isinstance(last, SignalRung) and last.signal == "KILL"):
            raise ValueError("the last rung of `stop` is the signal KILL")
        return self

    def texts(self) -> Iterator[str]:
        """Everything in which placeholders are replaced."""
        yield from self.argv
        yield self.cwd
        yield from self.env.values()
