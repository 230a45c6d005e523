"""What alert rules watch: a condition of each type, checked once where it is read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, cast

NAME_MAX: Final = 64
KEYWORD_MAX: Final = 200
LONGEST_WAIT: Final = 86_400
MOST_RUNS: Final = 10
MOST_LINES: Final = 10_000
LONGEST_WINDOW: Final = 1_440

Severity = Literal["low", "med", "high"]
SEVERITIES: Final[dict[Severity, str]] = {"low": "low", "med": "medium", "high": "high"}


@dataclass(frozen=True)
class HostOffline:
    """No heartbeat for so long."""

    for_seconds: int = 120


@dataclass(frozen=True)
class ServerDown:
    """It should run and does not, for so long; a crash counts at once."""

    for_seconds: int = 10


@dataclass(frozen=True)
class JobRunFailed:
    """The last runs of a server's jobs failed or were lost. No types: any."""

    job_types: tuple[str, ...] = ()
    consecutive: int = 1


@dataclass(frozen=True)
class LogKeyword:
    """So many lines of a game's log within a window hold a text, or match an expression."""

    keyword: str
    case_sensitive: bool = False
    regex: bool = False
    threshold: int = 1
    window_minutes: int = 5


Condition = HostOffline | ServerDown | JobRunFailed | LogKeyword
TYPES: Final[dict[str, type[Condition]]] = {
    "host_offline": HostOffline,
    "server_down": ServerDown,
    "job_run_failed": JobRunFailed,
    "log_keyword": LogKeyword,
}


def read(kind: str, values: Mapping[str, Any]) -> Condition:
    """The condition of a rule as it is stored or was entered.

    Raises:
        ValueError: with a sentence, for what cannot be a condition of this type.
    """
    match kind:
        case "host_offline":
            return HostOffline(_number(values, "for_seconds", 120, 30, LONGEST_WAIT))
        case "server_down":
            return ServerDown(_number(values, "for_seconds", 10, 0, LONGEST_WAIT))
        case "job_run_failed":
            return JobRunFailed(_words(values, "job_types"), _number(values, "consecutive", 1, 1, MOST_RUNS))
        case "log_keyword":
            return LogKeyword(
                _keyword(values),
                _flag(values, "case_sensitive"),
                _flag(values, "regex"),
                _number(values, "threshold", 1, 1, MOST_LINES),
                _number(values, "window_minutes", 5, 1, LONGEST_WINDOW),
            )
        case _:
            raise ValueError(f"There is no rule type `{kind[:40]}`.")


def stored(condition: Condition) -> dict[str, Any]:
    """The condition as it is stored."""
    values = asdict(condition)
    if isinstance(condition, JobRunFailed):
        values["job_types"] = list(condition.job_types)
    return values


#: The rules that every org starts with: name, type, condition.
DEFAULTS: Final[tuple[tuple[str, str, Condition], ...]] = (
    ("Host offline", "host_offline", HostOffline()),
    ("Server down", "server_down", ServerDown()),
)


def _number(values: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = values.get(name, default)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"`{name}` is a whole number from {least} to {most}.")
    return value


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name, False)
    if type(value) is not bool:
        raise ValueError(f"`{name}` is yes or no.")
    return value


def _words(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value: Any = values.get(name, ())
    if not isinstance(value, list | tuple):
        raise ValueError(f"`{name}` is a list of words.")
    given = cast("list[Any] | tuple[Any, ...]", value)
    if not all(isinstance(word, str) and 0 < len(word) <= 40 for word in given):
        raise ValueError(f"`{name}` is a list of words.")
    return tuple(dict.fromkeys(given))


def _keyword(values: Mapping[str, Any]) -> str:
    value = values.get("keyword")
    if not isinstance(value, str) or not value.strip():
        raise ValueError("The text to look for is empty.")
    if len(value) > KEYWORD_MAX:
        raise ValueError(f"The text to look for has at most {KEYWORD_MAX} characters.")
    return value
