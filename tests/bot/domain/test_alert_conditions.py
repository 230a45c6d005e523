"""Conditions of rules: read as they are stored, and refused where they cannot be."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import alert_entry
from bot.domain.alert_conditions import (
    DEFAULTS,
    KEYWORD_MAX,
    TYPES,
    Condition,
    HostOffline,
    JobRunFailed,
    LogKeyword,
    ServerDown,
    read,
    stored,
)
from bot.domain.alerts_past import apart, bursts, streaks

AT = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("host_offline", HostOffline(120)),
        ("server_down", ServerDown(0)),
        ("job_run_failed", JobRunFailed(("SERVER_RESTART",), 3)),
        ("log_keyword", LogKeyword("Out of memory", True, True, 4, 60)),
        *((kind, condition) for _, kind, condition in DEFAULTS),
    ],
)
def test_what_is_stored_is_read_again(kind: str, condition: Condition) -> None:
    assert read(kind, stored(condition)) == condition


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("host_offline", {"for_seconds": 29}),
        ("host_offline", {"for_seconds": "120"}),
        ("host_offline", {"for_seconds": True}),
        ("host_offline", {"for_seconds": 1e99}),
        ("server_down", {"for_seconds": -1}),
        ("server_down", {"for_seconds": None}),
        ("job_run_failed", {"consecutive": 0}),
        ("job_run_failed", {"job_types": "SERVER_RESTART"}),
        ("job_run_failed", {"job_types": [1]}),
        ("job_run_failed", {"job_types": ["x" * 41]}),
        ("log_keyword", {}),
        ("log_keyword", {"keyword": "  "}),
        ("log_keyword", {"keyword": "x" * (KEYWORD_MAX + 1)}),
        ("log_keyword", {"keyword": "x", "threshold": 0}),
        ("log_keyword", {"keyword": "x", "window_minutes": 1441}),
        ("log_keyword", {"keyword": "x", "regex": "yes"}),
        ("backup_missing", {}),
    ],
)
def test_what_cannot_be_a_condition_is_refused_with_a_sentence(kind: str, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read(kind, values)


_names = st.sampled_from(
    ["for_seconds", "job_types", "consecutive", "keyword", "regex", "case_sensitive", "threshold", "window_minutes"]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from(list(TYPES)), st.dictionaries(_names, _json))
def test_whatever_is_stored_is_a_condition_or_a_sentence(kind: str, values: dict[str, Any]) -> None:
    """Anything else would end the look at every other rule as well."""
    with contextlib.suppress(ValueError):
        condition = read(kind, values)
        assert read(kind, stored(condition)) == condition


@pytest.mark.parametrize(
    ("kind", "typed", "match", "wanted"),
    [
        ("host_offline", {"for": "2m"}, "text", {"for_seconds": 120}),
        ("server_down", {"for": " 45 "}, "text", {"for_seconds": 45}),
        ("server_down", {"for": ""}, "text", {}),
        (
            "job_run_failed",
            {"jobs": "server_restart, mod_install", "consecutive": "2"},
            "text",
            {"job_types": ["SERVER_RESTART", "MOD_INSTALL"], "consecutive": 2},
        ),
        (
            "log_keyword",
            {"keyword": "a+", "threshold": "3", "window_minutes": ""},
            "regex",
            {"keyword": "a+", "case_sensitive": True, "regex": True, "threshold": 3},
        ),
    ],
)
def test_what_people_type(kind: str, typed: dict[str, str], match: str, wanted: dict[str, Any]) -> None:
    assert alert_entry.values(kind, typed, match) == wanted


@pytest.mark.parametrize("typed", [{"threshold": "many"}, {"threshold": "-1"}, {"window_minutes": "9" * 10}])
def test_what_is_no_number(typed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        alert_entry.values("log_keyword", typed, "text")


def test_streaks_count_once_each() -> None:
    runs = [("a", wrong) for wrong in (True, True, True, False, True, True)] + [("b", True)]
    assert [streaks(runs, n) for n in (1, 2, 3, 4)] == [3, 2, 1, 0]


def test_bursts_need_the_threshold_within_a_window_and_a_quiet_window_between() -> None:
    window = timedelta(minutes=5)
    minutes = [0, 1, 2, 3, 20, 21, 40]
    moments = [AT + timedelta(minutes=minute) for minute in minutes]
    assert [bursts(moments, n, window) for n in (1, 2, 3, 5)] == [3, 2, 1, 0]
    assert bursts([], 1, window) == 0


def test_crashes_within_the_cooldown_are_one_incident() -> None:
    moments = [("a", AT), ("a", AT + timedelta(minutes=4)), ("b", AT), ("a", AT + timedelta(minutes=9))]
    assert apart(moments, timedelta(minutes=5)) == 3
