"""What people read of seals: a verdict first, and every finding with its numbers."""

from dataclasses import replace

import pytest

from bot.domain.seals_chain import Fault, Finding
from bot.services.audit_walk import Verified
from bot.ui import seals
from tests.bot.ui.limits import text_of
from tests.bot.ui.seal_samples import LAST, posted, verified

ROW = Finding(Fault.ROW_CHANGED, (7, 7), (1001, 1002), 2)
WAITING = Finding(Fault.ROWS_WAITING, None, (5,), 1)


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (Verified(), "Nothing is sealed yet"),
        (verified(), "The audit log is unchanged"),
        (verified(finished=False, of=900), "Unchanged as far as it was checked"),
        (verified(WAITING), "What is sealed is unchanged, but sealing is behind"),
        (verified(WAITING, ROW), "The audit log is not what was sealed"),
        (verified(ROW, finished=False), "The audit log is not what was sealed"),
        (verified(Finding(Fault.SEALS_MISSING, (1, 3)), newest=None), "The audit log is not what was sealed"),
    ],
)
def test_the_verdict_comes_first(found: Verified, title: str) -> None:
    assert text_of(seals.verified_card(found)).splitlines()[0] == f"### {title}"


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (ROW, "**Seal 7: an entry was changed**, one of `1001`, `1002`."),
        (Finding(Fault.SEALS_MISSING, (5, 7)), "**Seals 5 to 7 are missing.** Somebody removed or renumbered them."),
        (Finding(Fault.SEALS_MISSING, (5, 5)), "**Seal 5 is missing.** Somebody removed or renumbered it."),
        (Finding(Fault.ROWS_MISSING, (7, 7), (1, 2), 5), "**Seal 7: 5 entries are missing**: `1`, `2` and 3 more."),
        (
            Finding(Fault.ROWS_ADDED, None, (9,), 1),
            "**1 entry came in afterwards**: `9`. No seal of that time names it.",
        ),
        (
            Finding(Fault.ACTOR_CHANGED, None, (9, 11), 2),
            "**2 entries have been put down to somebody else**: `9`, `11`. The Discord id there is sealed.",
        ),
        (WAITING, "1 entry of more than 10 minutes ago has no seal yet: `5`."),
    ],
)
def test_findings_name_what_they_are_about(finding: Finding, words: str) -> None:
    assert words in text_of(seals.verified_card(verified(finding)))


def test_many_findings_are_counted() -> None:
    shown = text_of(seals.verified_card(verified(*[ROW] * 14)))
    assert shown.count("an entry was changed") == 12 and "… and 2 more findings." in shown


def test_what_was_checked_and_what_to_compare() -> None:
    shown = text_of(seals.verified_card(verified(purged=1, asked=replace(LAST, number=5, hash=b"\x01" * 32))))
    assert "Checked: 12,345 entries in 812 seals, the oldest of <t:" in shown
    assert "Removed by retention: the entries of 1 older seal." in shown
    assert f"You asked for seal 5 of <t:1795237200:f>: `{'01' * 32}`" in shown and f"`{'9f' * 32}`" in shown
    assert "/notify add" not in shown
    assert "/notify add" in text_of(seals.verified_card(verified(channel=None)))


def test_a_post_names_one_seal_or_several() -> None:
    assert text_of(seals.posted_card(posted(), 7)).startswith(
        "**Seals 405 to 412** · 120 audit entries, up to `1130`\n"
    )
    assert text_of(seals.posted_card(posted(first=412, rows=1), 7)).startswith("**Seal 412** · 1 audit entry, up to")
