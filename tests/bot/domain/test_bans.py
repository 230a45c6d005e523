"""Decisions about bans."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ban_ids import decisive, foremost, usable
from bot.domain.bans import (
    KICK_TEXT_MAX,
    REASON_MAX,
    Entry,
    Standing,
    Wish,
    after_receipt,
    after_silence,
    backoff,
    change,
    kick_text,
    later,
    lifted,
    nothing_to_send,
    shown,
    to_send,
)

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
JOB, OTHER = UUID(int=1), UUID(int=2)

moments = st.none() | st.datetimes(timezones=st.just(UTC))
servers = st.frozensets(st.builds(UUID, int=st.integers(1, 6)), max_size=6)
identity = st.tuples(st.sampled_from(["steam", "eos", "ip", "name"]), st.sampled_from("abc"))
identities = st.frozensets(identity, max_size=6)
wishes = st.builds(Wish, st.sampled_from(["x", "y"]), moments, servers, st.booleans(), identities)
standings = st.builds(Standing, st.just(1), st.sampled_from(["x", "y"]), moments, servers, st.booleans(), identities)
entries = st.builds(
    Entry,
    id=st.just(UUID(int=9)),
    revision=st.integers(1, 3),
    desired_state=st.sampled_from(["banned", "unbanned"]),
    sync_status=st.sampled_from(["pending", "syncing", "synced", "failed", "unsupported"]),
    applied_state=st.sampled_from([None, "banned", "unbanned"]),
    attempts=st.integers(0, 50),
    job_id=st.sampled_from([None, JOB, OTHER]),
)
outcomes = st.sampled_from(["applied", "refused", "unsupported", "waiting"])


def merged(case: Standing, wish: Wish) -> Standing:
    """A case after a second ban."""
    made = change(case, wish)
    if made is None:
        return case
    return Standing(
        case.number,
        made.reason,
        made.until,
        case.servers | made.new_servers,
        made.everywhere,
        case.identities | made.new_identities,
    )


@given(standings, wishes)
def test_a_second_ban_adds_and_never_takes_away(case: Standing, wish: Wish) -> None:
    after = merged(case, wish)
    assert after.servers == case.servers | wish.servers and after.identities == case.identities | wish.identities
    assert after.everywhere == (case.everywhere or wish.everywhere)
    assert after.until is None or (case.until is not None and after.until >= case.until)
    assert after.reason == wish.reason


@given(standings, wishes)
def test_the_same_ban_twice_changes_nothing_the_second_time(case: Standing, wish: Wish) -> None:
    assert change(merged(case, wish), wish) is None


@given(moments, moments)
def test_never_is_later_than_any_end(one: datetime | None, other: datetime | None) -> None:
    assert later(one, other) == later(other, one)
    assert (later(one, other) is None) == (one is None or other is None)


@given(entries, st.integers(1, 3), outcomes, st.sampled_from([JOB, OTHER]))
def test_a_receipt_counts_only_for_the_wish_it_is_about(entry: Entry, revision: int, outcome: str, job: UUID) -> None:
    after = after_receipt(entry, job, revision, outcome, "words")  # type: ignore[arg-type]  # drawn from the literal
    if revision != entry.revision:
        assert after is None
    elif outcome == "applied":
        assert after and (after.sync_status, after.applied_state) == ("synced", entry.desired_state)
    elif job != entry.job_id or entry.sync_status != "syncing":
        assert after is None, "what went wrong counts only for the job that is at it"
    else:
        assert after and after.sync_status != "synced"


@given(entries, st.sampled_from([JOB, OTHER]))
def test_silence_puts_back_what_that_job_was_at(entry: Entry, job: UUID) -> None:
    after = after_silence(entry, job, "its host died")
    assert (after is not None) == (entry.job_id == job and entry.sync_status == "syncing")
    assert after is None or (after.sync_status, after.attempts) == ("pending", entry.attempts + 1)


def test_silence_is_answered_soon_the_first_time() -> None:
    entry = Entry(UUID(int=9), 1, "banned", "syncing", None, 0, JOB)
    waits: list[float] = []
    for _ in range(4):
        after = after_silence(entry, JOB, "its agent died")
        assert after
        waits.append(after.wait.total_seconds())
        entry = replace(entry, attempts=after.attempts)
    assert waits == [5, 60, 120, 240]


def test_a_case_that_is_full_of_addresses_takes_only_what_lasts() -> None:
    addresses = frozenset(("ip", f"192.0.2.{n}") for n in range(15))
    case = Standing(1, "x", None, frozenset(), False, addresses)
    again = change(case, Wish("y", None, frozenset(), False, frozenset({("ip", "192.0.2.99"), ("steam", "a")})))
    assert again and again.new_identities == {("steam", "a")}


def test_a_host_is_told_what_lasts_first() -> None:
    many = [*(("ip", f"192.0.2.{n}") for n in range(30)), ("steam", "a")]
    assert foremost(many)[0] == ("steam", "a") and len(foremost(many)) == 20


@pytest.mark.parametrize(
    ("kinds", "by"), [(["ip"], ["ip"]), (["ip", "steam"], ["steam"]), (["steam", "eos"], ["eos", "steam"]), ([], [])]
)
def test_a_game_bans_by_an_address_only_whom_it_does_not_know_better(kinds: list[str], by: list[str]) -> None:
    assert decisive(kinds) == by


@given(entries, st.booleans())
def test_whatever_was_told_is_taken_back(entry: Entry, sent: bool) -> None:
    after = lifted(entry, sent=sent)
    if after.sync_status == "synced":
        assert not sent and entry.applied_state is None and after.applied_state == "unbanned"
    else:
        assert after.sync_status == ("unsupported" if entry.sync_status == "unsupported" else "pending")


@given(entries)
def test_every_state_has_one_word(entry: Entry) -> None:
    word = shown(entry.desired_state, entry.sync_status, entry.applied_state)
    assert (word == "refused") == (entry.sync_status == "failed")
    assert word != "applied" or entry.applied_state == entry.desired_state


@given(identities, identities, st.frozensets(st.sampled_from(["steam", "eos", "ip", "name"])))
def test_only_what_no_other_case_holds_is_unbanned(
    own: frozenset[tuple[str, str]], elsewhere: frozenset[tuple[str, str]], kinds: frozenset[str]
) -> None:
    told = set(to_send("unbanned", own, elsewhere, kinds))
    assert told == {one for one in own - elsewhere if one[0] in kinds}
    assert set(to_send("banned", own, elsewhere, kinds)) == {one for one in own if one[0] in kinds}


@given(entries, st.booleans())
def test_who_was_let_in_is_not_forgotten(entry: Entry, able: bool) -> None:
    after = nothing_to_send(entry.desired_state, entry.applied_state, entry.attempts, able=able)
    assert (after.sync_status == "synced") == able
    if not able and (entry.desired_state, entry.applied_state) == ("unbanned", "banned"):
        assert after.sync_status == "failed", "it is tried again"


@given(st.integers(0, 10_000))
def test_waits_double_from_a_minute_to_six_hours(attempts: int) -> None:
    assert timedelta(minutes=1) <= backoff(attempts) <= backoff(attempts + 1) <= timedelta(hours=6)


def test_waits() -> None:
    minutes = [backoff(n) / timedelta(minutes=1) for n in (1, 2, 3, 8, 9, 10, 100)]
    assert minutes == [1, 2, 4, 128, 256, 360, 360]


@given(st.integers(1, 10**15), st.text(min_size=1, max_size=REASON_MAX))
def test_a_kick_text_fits_and_keeps_its_number(number: int, reason: str) -> None:
    text = kick_text(number, reason)
    assert text.startswith(f"B-{number}: ") and len(text) <= KICK_TEXT_MAX


@pytest.mark.parametrize(
    ("kinds", "ban_by", "capabilities", "by"),
    [
        (["steam", "eos"], ["eos", "steam", "xuid"], ["kick", "ban"], ["eos", "steam"]),
        (["name"], ["ip"], ["ban"], []),
        (["steam"], ["steam"], ["kick"], []),
        ([], ["ip"], ["ban"], []),
    ],
)
def test_by_what_a_game_can_ban(kinds: list[str], ban_by: list[str], capabilities: list[str], by: list[str]) -> None:
    assert usable(kinds, ban_by, capabilities) == by
