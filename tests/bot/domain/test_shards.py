"""Who has which shard: fair, bounded in time, and nothing moves without need."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.shards import Share, share

NOBODY = None


@pytest.mark.parametrize(
    ("me", "others", "holders", "free", "most", "leave"),
    [
        ("a", [], [NOBODY], (0,), 1, ()),
        ("a", [], [NOBODY] * 3, (0, 1, 2), 3, ()),
        ("b", ["a"], ["a"], (), 0, ()),  # a standby
        ("a", ["b"], ["a"], (), 0, ()),  # nothing moves although both have the same right to it
        ("a", ["b"], ["a"] * 4, (), 0, (2, 3)),  # a newcomer gets its half
        ("b", ["a"], ["a", "a", NOBODY, NOBODY], (3, 2), 2, ()),
        ("a", ["b"], ["a"] * 3, (), 0, (2,)),  # the odd one stays where it is
        ("a", ["b", "c"], ["a", "a", "b", "b"], (), 0, ()),  # a third one comes: one of the two gives
        ("b", ["a", "c"], ["a", "a", "b", "b"], (), 0, (3,)),
        ("a", ["b"], ["a", "gone"], (), 0, ()),  # it has not lapsed yet
        ("b", ["a"], ["a", NOBODY], (1,), 1, ()),  # somebody died
    ],
)
def test_the_share_of_one(
    me: str, others: list[str], holders: list[str | None], free: tuple[int, ...], most: int, leave: tuple[int, ...]
) -> None:
    decided = share(me, others, holders)
    assert (decided.most, decided.leave) == (most, leave)
    assert decided.most == 0 or decided.free == free


class Fleet:
    """Processes that take turns in any order. Each decides from the leases as they are, or as they were a round ago."""

    def __init__(self, shards: int, seed: int) -> None:
        self.holders: list[str | None] = [NOBODY] * shards
        self.members: set[str] = set()
        self.moves = 0
        self._seen: dict[str, tuple[list[str | None], frozenset[str]]] = {}
        self._chance = random.Random(seed)

    def dies(self, name: str) -> None:
        self.members.discard(name)
        self.holders = [NOBODY if holder == name else holder for holder in self.holders]

    def round(self, *, late: bool = False) -> None:
        for name in self._chance.sample(sorted(self.members), len(self.members)):
            now = list(self.holders), frozenset(self.members)
            old, members = self._seen.get(name, now) if late and self._chance.random() < 0.5 else now
            self._seen[name] = now
            # what is its own it always knows
            view = [
                now if now == name else was if was != name else NOBODY for now, was in zip(now[0], old, strict=True)
            ]
            self._does(name, share(name, members - {name}, view))

    def _does(self, name: str, plan: Share) -> None:
        for shard in plan.leave:
            assert self.holders[shard] == name
            self.holders[shard] = NOBODY
        free = [shard for shard in plan.free if self.holders[shard] is NOBODY][: plan.most]  # the lease decides
        for shard in free:
            self.holders[shard] = name
        self.moves += len(plan.leave) + len(free)


EVENTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.integers(0, 2)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(shards=st.integers(1, 16), events=EVENTS, seed=st.integers(0, 2**16), late=st.booleans())
def test_all_are_held_soon_and_stay_where_they_are(
    shards: int, events: list[tuple[str, bool, int]], seed: int, late: bool
) -> None:
    """Whoever comes and goes, whenever: some rounds after the last change everything is held, fairly, and rests."""
    fleet = Fleet(shards, seed)
    for name, comes, rounds in [("a", True, 1), *events, ("b", True, 0)]:
        fleet.members.add(name) if comes else fleet.dies(name)
        for _ in range(rounds):
            fleet.round(late=late)
    for _ in range(6):
        fleet.round()
    moved = fleet.moves
    counts = Counter(fleet.holders)
    assert NOBODY not in counts
    assert {counts[name] for name in fleet.members} <= {shards // len(fleet.members), -(-shards // len(fleet.members))}
    for _ in range(5):
        fleet.round()
    assert fleet.moves == moved


@given(shards=st.integers(1, 32), members=st.integers(1, 6), seed=st.integers(0, 2**16))
def test_a_newcomer_moves_no_more_than_its_own_share(shards: int, members: int, seed: int) -> None:
    fleet = Fleet(shards, seed)
    fleet.members = {f"m{number}" for number in range(members)}
    for _ in range(6):
        fleet.round()
    moved = fleet.moves
    fleet.members.add("new")
    for _ in range(6):
        fleet.round()
    had = Counter(fleet.holders)["new"]
    assert fleet.moves - moved == 2 * had, "given up once and taken once"
    assert had >= shards // (members + 1)
