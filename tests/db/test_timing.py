"""Slow statements are remembered by name, the worst first."""

import time

import pytest

from db import timing


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of this process's own."""
    monkeypatch.setattr(timing, "_slow", {})


def took(name: str, ms: float) -> None:
    timing.report(name, "took", time.perf_counter() - ms / 1000)


def test_what_is_quick_is_not_remembered() -> None:
    took("servers.list", timing.SLOW_MS / 2)
    assert timing.slowest(5) == []


def test_the_worst_come_first_and_are_counted() -> None:
    for name, ms in (("a.one", 300), ("b.two", 900), ("a.one", 500), ("a.one", 250), ("c.three", 400)):
        took(name, ms)
    found = [(one.name, one.times, round(one.worst_ms, -2)) for one in timing.slowest(2)]
    assert found == [("b.two", 1, 900), ("a.one", 3, 500)]
