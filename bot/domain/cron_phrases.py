"""Turns of speech about times, put into the few words that `cron_words` reads: `half past 4` becomes `4:30`."""

import re
from collections.abc import Callable, Sequence
from typing import Final

DAY_NAMES: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTH_NAMES: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS: Final = {form: n for n, name in enumerate(MONTH_NAMES, 1) for form in (name, name[:3])} | {"sept": 9}
_COUNTS: Final = {"twice": 2, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "twelve": 12}
_ORDINALS: Final = {"first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "last": "L"}
_DAY: Final = r"(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?)(?:days?)?"
_MONTH: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
_NTH: Final = r"(?P<nth>first|second|third|fourth|fifth|last|[1-5](?:st|nd|rd|th))"
_TH: Final = "(?:st|nd|rd|th)?"
_COUNT: Final = r"(?P<count>twice|\d{1,2}(?= times)|two|three|four|six|eight|twelve)(?: times)?"
_OF_MONTH: Final = r"(?:\s+(?:of|in)(?:\s+(?:the|a|each|every))?\s+month)"
_LATE: Final = re.compile(r"\b(?:(?:in|on) the )?(?:afternoon|evening)s?\b")
_BARE_TIME: Final = re.compile(r"(?<![\d:.-])([1-9]|1[01])(:\d{2})?(?![\d:.]|\s*[ap]m\b|st|nd|rd|th|-)\b")


def _nth(match: re.Match[str]) -> str:
    """`first sunday`: a word that says the day and which one of the month."""
    ordinal = _ORDINALS.get(match["nth"]) or match["nth"][0]
    day = next(n for n, name in enumerate(DAY_NAMES) if name.startswith(match["day"][:3]))
    return f" {day}l " if ordinal == "L" else f" {day}#{ordinal} "


def _date(match: re.Match[str]) -> str:
    """`24 december`: a word that says day and month."""
    return f" d{int(match['number'])}m{MONTHS[match['month']]} "


def _quarter_to(match: re.Match[str]) -> str:
    return f"{(int(match[1]) - 1) % 24}:45"


def _times_a_day(match: re.Match[str]) -> str:
    count = _COUNTS.get(match["count"]) or int(match["count"])
    return f"every {24 // count} hours" if count and 24 % count == 0 else match[0]


Said = str | Callable[[re.Match[str]], str]
_SAID: Final[Sequence[tuple[re.Pattern[str], Said]]] = [
    (re.compile(pattern), said)
    for pattern, said in (
        (r"\bhalf past (\d{1,2})\b", r"\1:30"),
        (r"\b(?:a )?quarter past (\d{1,2})\b", r"\1:15"),
        (r"\b(?:a )?quarter to (\d{1,2})\b", _quarter_to),
        (r"\b(\d{1,2})h(\d{2})\b", r"\1:\2"),
        (r"\b(?:every|each) half(?: an|-)? hour\b|\bhalf[- ]hourly\b", "every 30 minutes"),
        (r"\b(?:every|each) quarter(?: of an)? hour\b", "every 15 minutes"),
        (r"\bhourly\b", "every hour"),
        (_COUNT + r"(?: (?:a|per|each))? da(?:y|ily)$", _times_a_day),
        (r"\b(?:once|twice|\w+ times) (?:a|per|each) day\b|\b(?:once|twice) daily\b", "daily"),
        (r"\b(?:once (?:a|per|each)|every|each) week\b", "weekly"),
        (r"\bonce (?:a|per|each) month\b", "monthly"),
        (r"\blast (?:week|work|working|business) ?day" + _OF_MONTH, "lw"),
        (r"\b(?:working|business|work) ?days?\b", "weekdays"),
        (r"\bfirst day" + _OF_MONTH, "1st"),
        (r"\bday (\d{1,2})" + _OF_MONTH, r"\1th"),
        (rf"\b({_DAY}) (?:to|through|thru|until|till) ({_DAY})\b", r"\1-\2"),
        (rf"\b(?:the )?{_NTH}\s+(?P<day>{_DAY})\b{_OF_MONTH}?", _nth),
        (rf"\b(?P<number>\d{{1,2}}){_TH},? (?:and|&) (?=\d{{1,2}}{_TH}\.? (?:of )?(?P<month>{_MONTH})\b)", _date),
        (rf"\b(?P<number>\d{{1,2}}){_TH}\.? (?:of )?(?P<month>{_MONTH})\b", _date),
        (rf"\b(?P<month>{_MONTH}) (?:the )?(?P<number>\d{{1,2}}){_TH}\b(?![:.]\d|\s*[ap]m\b)", _date),
        (r"\b(?:in the )?mornings?\b", ""),
    )
]  # fmt: skip


def plain(text: str) -> str:
    """The same in lower case, with what is said in many ways said in one."""
    words = " ".join(text.lower().split())
    for pattern, said in _SAID:
        words = pattern.sub(said, words)
    if _LATE.search(words):
        words = _BARE_TIME.sub(r"\1\2pm", _LATE.sub("", words))
    return " ".join(words.split())
