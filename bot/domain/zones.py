"""Time zones as people name them."""

from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.words import safe

_USUAL: Final = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo")


@lru_cache
def _names() -> dict[str, str]:
    """Name in lower case -> name. Such as `Europe/Berlin`; not the old names without a place, but for UTC."""
    known = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    }
    return {name.casefold(): name for name in sorted({*known, "UTC"})}


def named(text: str) -> str:
    """The full name of a zone: `europe/berlin` and `Berlin` are `Europe/Berlin`.

    Raises:
        ValueError: with a sentence, where there is no such zone, or several.
    """
    wanted = "_".join(text.split()).casefold()
    if wanted in _names():
        return _names()[wanted]
    places = [name for key, name in _names().items() if key.rpartition("/")[2] == wanted]
    if len(places) == 1:
        return places[0]
    known = ", ".join(places) or "such as Europe/Berlin or America/New_York"
    raise ValueError(f"{safe(text, 40)} is no time zone; it takes the name of one: {known}.")


def zone(name: str) -> tzinfo:
    """The zone with this full name.

    Raises:
        ValueError: this machine does not know it, or no longer.
    """
    if name == "UTC":
        return UTC  # known without any file
    if name.casefold() not in _names():
        raise ValueError(f"The time zone {safe(name, 40)} is not known here.")
    return ZoneInfo(name)


def suggested(words: str) -> list[str]:
    """Names of zones that contain the words; without any, the usual ones."""
    wanted = "_".join(words.split()).casefold()
    return [name for key, name in _names().items() if wanted in key][:25] if wanted else list(_USUAL)
