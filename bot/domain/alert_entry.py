"""What people type into the form of a rule, as the values of its condition."""

from collections.abc import Mapping
from typing import Any, Final

from bot.domain import durations

MATCHES: Final[dict[str, str]] = {"text": "text", "case": "text in this case", "regex": "regular expression"}
"""How a log rule reads what it looks for."""


def values(kind: str, typed: Mapping[str, str], match: str) -> dict[str, Any]:
    """The condition of a rule of this type. What is left empty keeps its default.

    Raises:
        ValueError: with a sentence, for what is no number or duration.
    """
    match kind:
        case "host_offline" | "server_down":
            return _given(for_seconds=_seconds(typed.get("for", "")))
        case "job_run_failed":
            words = typed.get("jobs", "").replace(",", " ").upper().split()
            return {"job_types": words, **_given(consecutive=_whole(typed.get("consecutive", "")))}
        case "log_keyword":
            numbers = {name: _whole(typed.get(name, "")) for name in ("threshold", "window_minutes")}
            how = {"case_sensitive": match != "text", "regex": match == "regex"}
            return {"keyword": typed.get("keyword", ""), **how, **_given(**numbers)}
        case _:
            return {}


def _given(**numbers: int | None) -> dict[str, int]:
    return {name: number for name, number in numbers.items() if number is not None}


def _seconds(text: str) -> int | None:
    whole = text.strip()
    if not whole or (whole.isascii() and whole.isdigit()):
        return _whole(whole)
    return int(durations.parse(whole).total_seconds())


def _whole(text: str) -> int | None:
    """None where nothing was typed."""
    whole = text.strip()
    if not whole:
        return None
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 9:
        raise ValueError(f"`{whole[:40]}` is no whole number.")
    return int(whole)
