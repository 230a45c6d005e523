"""Settings as operators write them: read, or refused in a sentence."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config import Settings


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", []),
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.0.0.1, 10.0.0.0/8,", ["127.0.0.1", "10.0.0.0/8"]),
        ("::1,fd00::/8", ["::1", "fd00::/8"]),
    ],
)
def test_proxies_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch, written: str, read: list[str]) -> None:
    monkeypatch.setenv("GAMEKEEPER_TRUSTED_PROXIES", written)
    assert Settings().trusted_proxies == read


@pytest.mark.parametrize(
    ("name", "value"),
    [("TRUSTED_PROXIES", "proxy.example"), ("TRUSTED_PROXIES", "10.0.0.1/8"), ("BIND", "8377"), ("SHARDS", "0")],
)
def test_what_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GAMEKEEPER_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_home_directory_is_meant_and_not_a_directory_called_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GAMEKEEPER_DATA_DIR", "~/gamekeeper")
    assert Settings().data_dir == tmp_path / "gamekeeper"
