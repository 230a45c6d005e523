"""The card of `/setup check`: what is broken comes first, all can be read, and buttons are for who may press them."""

from discord import ui

from bot.domain.checks import Fix, Mend, State, Topic, broken, fine, note, problems
from bot.ui.checks import check_card
from tests.bot.ui.check_samples import everything, no, yes
from tests.bot.ui.limits import ids_of, parts_of, text_of


def labels(view: ui.LayoutView) -> list[str]:
    return [part["label"] for part in parts_of(view) if part["type"] == 2]


def test_what_is_fine_takes_a_line_for_each_topic() -> None:
    view = check_card([fine(Topic.BOT, "one"), fine(Topic.BOT, "two"), fine(Topic.DATABASE, "three")], yes)
    assert text_of(view) == "### Everything is fine\n✓ **The bot here** · one · two\n✓ **Database** · three"
    assert labels(view) == ["Check again"]


def test_a_problem_has_its_remedy_and_its_button() -> None:
    fix = Fix(Mend.LET_IN, "Let me in", "42")
    findings = [note(Topic.BOT, "Noted.", "Do that."), broken(Topic.CHANNELS, "Broken.", "Do this.", fix)]
    shown = check_card(findings, yes, done="Done.")
    assert text_of(shown).splitlines() == [
        "### 1 thing is broken, 1 thing is worth knowing",
        "**Done.**",
        "✗ Broken.",
        "-# Do this.",
        "⚠ Noted.",
        "-# Do that.",
    ]
    assert labels(shown) == ["Let me in", "Check again"]
    assert ids_of(shown)[0] == "gk:check.fix:let:42:0"
    assert labels(check_card(findings, no)) == ["Check again"], "nobody is shown what would refuse them"


def test_pages_hold_all_problems_once_and_in_order() -> None:
    findings = everything("EU #1")
    wanted = [f"{one.state.value} {one.what}" for one in problems(findings)]
    assert len(wanted) > 20
    seen: list[str] = []
    for page in range(20):
        view = check_card(findings, yes, page=page)
        seen += [line for line in text_of(view).splitlines() if line[:1] in (State.BROKEN.value, State.NOTE.value)]
        if next(part for part in parts_of(view) if str(part.get("label", "")).startswith("Next"))["disabled"]:
            break
    assert seen == wanted
    assert "✓" in text_of(check_card(findings, yes)) and "✓" not in text_of(check_card(findings, yes, page=1))


def test_a_page_that_is_no_more_shows_the_last() -> None:
    assert "Everything is fine" in text_of(check_card([], yes, page=9))
