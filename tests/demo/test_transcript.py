"""The tour as text."""

from datetime import UTC, datetime

import pytest

from bot.demo.people import NotSeen
from bot.demo.transcript import StepFailed, Transcript, plain

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("### Restart · EU\n`J-3` · **done**", "Restart · EU\nJ-3 · done"),
        (f"<t:{SECONDS - 5}:R>", "5 s ago"),
        (f"<t:{SECONDS + 900}:R>", "in 15 min"),
        (f"<t:{SECONDS}:R>", "now"),
        (f"<t:{SECONDS - 7200}:R>", "2 h ago"),
        (f"<t:{SECONDS}:f>", "2026-11-21 04:00 UTC"),
        ("see <#7>, not <#8>", "see #ops, not #deleted-channel"),
        ("Marla is <@8>, not <@9>", "Marla is @Pia, not @somebody"),
        (r"eve' score\=9 \*x\* 1\.2", r"eve' score\=9 *x* 1.2"),
        ("-# small", "small"),
        ("```\ngettime\n```", "\ngettime\n"),
    ],
)
def test_markup_becomes_what_a_person_reads(markup: str, text: str) -> None:
    assert plain(markup, {7: "ops"}, {8: "Pia"}, now=NOW) == text


def test_steps_are_numbered_and_timed() -> None:
    lines: list[str] = []
    tell = Transcript(lines.append)
    for title in ("First", "Second"):
        with tell.step(title):
            tell.shows("**hello**", private=True)
            tell.shell("ls", "a\nb")
    assert "\n".join(lines).startswith(
        "\n 1. First\n    Gamekeeper (only they see it):\n      │ hello\n    host $ ls\n        a\n        b"
    )
    assert " 2. Second" in lines
    assert lines[-1].endswith(" s")


@pytest.mark.parametrize("error", [NotSeen("nothing came"), AssertionError("nothing came")])
def test_what_goes_wrong_names_its_step(error: Exception) -> None:
    tell = Transcript(lambda _line: None)
    with pytest.raises(StepFailed, match=r"^A restart: nothing came$") as failed, tell.step("A restart"):
        raise error
    assert failed.value.title == "A restart"


def test_bugs_stay_bugs() -> None:
    with pytest.raises(ZeroDivisionError), Transcript(lambda _line: None).step("x"):
        raise ZeroDivisionError
