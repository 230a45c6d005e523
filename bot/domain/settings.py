"""The settings of an org: what each means, what it may be, and how people write it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from bot.domain import durations, zones
from bot.domain.words import safe

Value = str | int | bool
Unit = Literal["", "days", "seconds"]

_UNITS: Final = {"days": timedelta(days=1), "seconds": timedelta(seconds=1)}
_YES: Final = frozenset({"on", "yes", "true", "1"})
_NO: Final = frozenset({"off", "no", "false", "0"})


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One key of `/config`: a column of `orgs`."""

    key: str
    words: str
    """What it decides."""
    unit: Unit = ""
    lowest: int = 0
    highest: int = 0
    only: tuple[int, ...] = ()
    """The numbers that it may be; without any, all from the lowest to the highest."""
    usual: tuple[int, ...] = ()
    """Offered while somebody types."""
    permission: str = "settings.edit"
    note: str = ""
    """What a change does not do, or does later."""


_LIST: Final = (
    Setting(
        key="timezone",
        words="The clock that schedules and dates go by",
        note="Schedules that are there keep the clock they were made with.",
    ),
    Setting(
        key="log_retention_days",
        words="How long the logs of games are kept",
        unit="days",
        lowest=1,
        highest=365,
        usual=(3, 7, 14, 30, 90),
        note="Older lines go with the next tidying, within a day.",
    ),
    Setting(
        key="health_interval_sec",
        words="How often hosts report",
        unit="seconds",
        only=(5, 10, 15, 30, 60),
        note="Hosts keep to it from their next report on.",
    ),
    Setting(
        key="host_offline_after_sec",
        words="How long a host may be silent before it counts as offline",
        unit="seconds",
        lowest=15,
        highest=3600,
        usual=(60, 120, 300, 600),
    ),
    Setting(
        key="avoid_risky_restart",
        words="Whether a restart at a bad time in the game proposes to wait for an empty server",
        note="Such a time is a blood moon of 7 Days to Die; people can still choose otherwise.",
    ),
    Setting(
        key="audit_retention_days",
        words="How long the audit log is kept",
        unit="days",
        lowest=90,
        highest=3650,
        usual=(90, 180, 365, 730),
        permission="security.config",
        note="What is older goes for good, seal by seal.",
    ),
    Setting(
        key="audit_live",
        words="Whether the audit channel shows every entry as it comes",
        permission="security.config",
    ),
)
SETTINGS: Final = {setting.key: setting for setting in _LIST}


def read(setting: Setting, typed: str) -> Value:
    """What somebody typed: `14`, `2w`, `5 min`, `on`, `Berlin`.

    Raises:
        ValueError: with a sentence, where it cannot be that.
    """
    if setting.key == "timezone":
        return zones.named(typed)
    if not setting.unit:
        return _switch(typed)
    number = _number(setting, typed)
    fits = number in setting.only if setting.only else setting.lowest <= number <= setting.highest
    if not fits:
        raise ValueError(f"`{setting.key}` cannot be {shown(setting, number)}.")
    return number


def allowed(setting: Setting) -> str:
    """What it may be, in words."""
    if setting.key == "timezone":
        return "the name of a time zone, such as Europe/Berlin"
    if not setting.unit:
        return "on or off"
    if setting.only:
        return f"{', '.join(map(str, setting.only[:-1]))} or {setting.only[-1]} {setting.unit}"
    return f"{setting.lowest} to {setting.highest} {setting.unit}"


def shown(setting: Setting, value: Value) -> str:
    """A value with its unit."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value == 1 and setting.unit:
        return f"1 {setting.unit.removesuffix('s')}"
    return f"{value} {setting.unit}".rstrip()


def offered(setting: Setting, words: str) -> list[str]:
    """Values to choose from while somebody types."""
    if setting.key == "timezone":
        return zones.suggested(words)
    usual = [shown(setting, number) for number in setting.only or setting.usual] if setting.unit else ["on", "off"]
    wanted = words.strip().casefold()
    found = [value for value in usual if value.startswith(wanted)]
    try:
        typed = shown(setting, read(setting, words)) if wanted else ""
    except ValueError:
        typed = ""
    return list(dict.fromkeys([*([typed] if typed else []), *found]))


def _switch(typed: str) -> bool:
    wanted = typed.strip().casefold()
    if wanted not in _YES | _NO:
        raise ValueError(f"`{safe(typed, 40)}` is neither on nor off.")
    return wanted in _YES


def _number(setting: Setting, typed: str) -> int:
    text = typed.strip()
    if text.isdecimal() and len(text) <= 6:
        return int(text)
    number, rest = divmod(durations.parse(text.replace("`", "ʼ")), _UNITS[setting.unit])
    if rest:
        raise ValueError(f"`{setting.key}` takes whole {setting.unit}.")
    return number
