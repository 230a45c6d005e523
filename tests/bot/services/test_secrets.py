"""The secret keys of an installation."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.errors import Invalid
from bot.services.secrets import FILE, SecretKeys, check_fingerprint, new_agent_key
from db.engine import Database


def text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def test_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    first, second = SecretKeys.load(tmp_path / "data"), SecretKeys.load(tmp_path / "data")
    assert first.digest("x") == second.digest("x")
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(SecretKeys.load, [tmp_path] * 8))
    assert len({key.fingerprints for key in keys}) == 1


def test_a_file_that_others_can_read_is_closed(tmp_path: Path) -> None:
    SecretKeys.load(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    SecretKeys.load(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_new_key_in_front_still_recognises(tmp_path: Path) -> None:
    old, new = text(b"o" * 32), text(b"n" * 32)
    before, after = SecretKeys.load(tmp_path, old), SecretKeys.load(tmp_path, f"{new}, {old}")
    assert after.matches("x", before.digest("x"))
    assert after.digest("x") != before.digest("x")
    assert not before.matches("x", after.digest("x"))
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("given", ["short", text(b"x" * 31), "ä" * 44, text(b"x" * 32) + ",nonsense"])
def test_what_is_no_key_is_refused_without_being_shown(tmp_path: Path, given: str) -> None:
    with pytest.raises(Invalid) as refusal:
        SecretKeys.load(tmp_path, given)
    assert given not in refusal.value.what + refusal.value.remedy


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("\n")
    with pytest.raises(Invalid, match="no secret key"):
        SecretKeys.load(tmp_path)


def test_keys_of_agents_differ() -> None:
    made = [new_agent_key() for _ in range(50)]
    assert len({key for key, _ in made}) == 50
    assert all(key.startswith(prefix) and len(key) == len(prefix) + 43 for key, prefix in made)


async def test_a_database_remembers_its_keys(db: Database) -> None:
    old, new = b"o" * 32, b"n" * 32
    assert await check_fingerprint(db, SecretKeys([old])) == "new"
    assert await check_fingerprint(db, SecretKeys([old])) == "same"
    assert await check_fingerprint(db, SecretKeys([new])) == "differs"
    assert await check_fingerprint(db, SecretKeys([new, old])) == "same"
    assert await check_fingerprint(db, SecretKeys([new])) == "same"  # the old one may be retired now
