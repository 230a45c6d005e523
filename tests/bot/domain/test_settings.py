"""Settings as people write and read them."""

import pytest

from bot.domain.permissions import PERMISSIONS
from bot.domain.settings import SETTINGS, Value, allowed, offered, read, shown
from db.models import Org


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("timezone", "america/new york", "America/New_York"),
        ("log_retention_days", "14", 14),
        ("log_retention_days", " 14 days ", 14),
        ("log_retention_days", "1 month", 30),
        ("host_offline_after_sec", "2m 30s", 150),
        ("audit_live", "YES", True),
        ("audit_live", "off", False),
    ],
)
def test_what_people_type(key: str, typed: str, value: Value) -> None:
    assert read(SETTINGS[key], typed) == value


@pytest.mark.parametrize(("key", "typed"), [("log_retention_days", "36h"), ("log_retention_days", "-1"),
    ("log_retention_days", "٣x"), ("audit_live", ""), ("timezone", ""), ("health_interval_sec", "1e2")])  # fmt: skip
def test_what_cannot_be(key: str, typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read(SETTINGS[key], typed)


@pytest.mark.parametrize("key", SETTINGS)
def test_what_is_offered_can_be_set(key: str) -> None:
    setting = SETTINGS[key]
    values = offered(setting, "")
    assert 2 <= len(values) <= 25
    for value in values:
        assert shown(setting, read(setting, value)) == value


def test_what_is_offered_goes_with_what_is_typed() -> None:
    assert offered(SETTINGS["log_retention_days"], "3") == ["3 days", "30 days"]
    assert offered(SETTINGS["log_retention_days"], "2w") == ["14 days"]
    assert offered(SETTINGS["log_retention_days"], "400") == []
    assert offered(SETTINGS["log_retention_days"], "1") == ["1 day", "14 days"]
    assert offered(SETTINGS["audit_live"], "o") == ["on", "off"]
    assert "Europe/Berlin" in offered(SETTINGS["timezone"], "berl")


def test_settings_are_columns_and_say_what_they_are() -> None:
    for key, setting in SETTINGS.items():
        assert key == setting.key and hasattr(Org, key) and setting.permission in PERMISSIONS
        assert setting.words and allowed(setting)
        assert all(setting.lowest <= usual <= setting.highest for usual in setting.usual)
