"""What people read about bans, and what they do not."""

from dataclasses import replace

import pytest

from bot.services.bans_sharing import Sharing
from bot.services.bans_words import Target
from bot.services.servers import Page
from bot.ui import bans, bans_public
from db.queries.ban_addresses import Sharer
from tests.bot.ui import ban_samples as samples
from tests.bot.ui.limits import text_of
from tests.bot.ui.samples import LONG_AGO, number


def test_what_is_public_has_no_ids_no_addresses_and_no_words_of_games() -> None:
    shown = text_of(bans_public.notice_card(samples.file("bob")))
    mine = text_of(bans_public.own_card(Page([samples.own("bob")], 0, more=False), everywhere=True))
    for secret in (samples.STEAM, samples.ADDRESS, "note", "“"):
        assert secret not in shown and secret not in mine, secret
    staff = text_of(bans.case_card(samples.file("bob")))
    assert samples.STEAM in staff and samples.ADDRESS in staff


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (samples.receipt("EU1"), "✓ **EU1** · applied <t:"),
        (samples.receipt("EU1", "syncing", applied_state="banned"), "being applied anew"),
        (samples.receipt("EU1", desired_state="unbanned", applied_state="unbanned"), "✓ **EU1** · taken back"),
        (samples.receipt("EU1", "pending", host_online=False), "waiting for a host that is offline since <t:"),
        (samples.receipt("EU1", "pending", server_status="stopped"), "waiting: server is stopped"),
        (samples.receipt("EU1", "syncing"), "waiting: its host is at it"),
        (samples.receipt("EU1", "failed", error="Unknown player"), "✗ **EU1** · refused: “Unknown player”"),
        (samples.receipt("EU1", "unsupported", error=None), "○ **EU1** · unsupported: EU1 cannot hold it"),
    ],
)
def test_a_receipt_says_how_a_server_stands(receipt: samples.Receipt, words: str) -> None:
    assert words in bans.receipt_line(receipt)


def test_the_notice_sums_up_the_servers() -> None:
    receipts = [
        samples.receipt("EU1"),
        samples.receipt("EU2"),
        samples.receipt("US3", "pending", host_online=False, host_offline_since=LONG_AGO),
    ]
    file = samples.CaseFile(samples.case("bob"), receipts, [])
    shown = text_of(bans_public.notice_card(file))
    assert "applied on EU1, EU2 · waits for US3 (its host is offline since <t:" in shown and "bob is banned" in shown
    ended = samples.CaseFile(
        samples.over("bob"), [samples.receipt("EU1", desired_state="unbanned", applied_state="unbanned")], []
    )
    shown = text_of(bans_public.notice_card(ended))
    assert "bob may play again" in shown and "taken back on EU1" in shown


def test_the_preview_says_everything_before_it_is_done() -> None:
    shown = text_of(bans.preview_card(samples.preview("bob", again=True)))
    for words in (
        "also known as bob", "online on bob", f"steam `{samples.STEAM}`", "10 cases", "Europe/Berlin",
        "**Now on** bob (by steam)", "it is stopped", "its host is offline since", "bob cannot ban",
        "it bans by eos, which is not known", "Left out", "The player reads:",
        "`/ban lift` undoes it", "**This changes that case**", "1 server more",
    ):  # fmt: skip
        assert words in shown, words


@pytest.mark.parametrize(
    ("cases", "players", "words"),
    [
        (["eve"], [], "**Same address** it is banned in `B-1` eve, too. Nobody comes in from it on EU1."),
        ([], ["ann", "bo"], "2 other players were seen from it: ann, bo. Nobody comes in from it on EU1."),
        ([], ["@everyone"], "1 other player was seen from it: @\u200beveryone."),
    ],
)
def test_the_preview_says_who_shares_the_address(cases: list[str], players: list[str], words: str) -> None:
    sharing = Sharing(tuple(Sharer(n + 1, name) for n, name in enumerate(cases)), tuple(players))
    targets = (Target(samples.place("EU1"), ("ip",)), Target(samples.place("EU2"), ("steam",)))
    shown = text_of(bans.preview_card(replace(samples.preview("bob"), sharing=sharing, targets=targets)))
    assert words in shown


def test_somebody_never_seen_has_no_name_in_public() -> None:
    shown = text_of(bans_public.notice_card(samples.file("", samples.case(""))))
    assert "A player who was never seen is banned" in shown and samples.STEAM not in shown


def test_suggestions_are_short() -> None:
    assert bans.short(samples.case("bob", number=12, reason="x")) == "B-12 · bob · active · x"
    assert len(bans.short(samples.case("x" * 500))) == 100
    assert number(5) == samples.case("bob").id
