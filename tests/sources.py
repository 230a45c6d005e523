"""The project's own files, as the convention checks read them."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent", "bot", "cogs", "db", "games", "migrations")


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: str
    """Relative to the checkout, with slashes."""
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @functools.cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def within(self, *places: str) -> bool:
        """Is it one of these files, or below one of these folders?"""
        return any(self.path == place or self.path.startswith(f"{place}/") for place in places)

    def at(self, node: ast.stmt | ast.expr | ast.excepthandler) -> str:
        return f"{self.path}:{node.lineno}"


def _listed_by_git() -> list[str] | None:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return listing.stdout.split("\0") if listing.returncode == 0 else None


def _found_on_disk() -> list[str]:
    names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    made = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"}
    return [str(name) for name in names if not set(name.parts) & made and "egg-info" not in str(name)]


@functools.cache
def files() -> tuple[str, ...]:
    """Every file that is committed or about to be; without git (an unpacked archive), every file."""
    names = _listed_by_git()
    names = _found_on_disk() if names is None else names
    return tuple(sorted(name for name in set(names) if (ROOT / name).is_file()))


@functools.cache
def sources(*folders: str) -> tuple[Source, ...]:
    """The Python files below these folders; of the whole project if none is named."""
    names = [name for name in files() if name.endswith(".py")]
    wanted = [name for name in names if not folders or name.split("/", 1)[0] in folders]
    return tuple(Source(name, (ROOT / name).read_text()) for name in wanted)


def texts() -> Iterator[tuple[str, str]]:
    """Path and content of every text file."""
    for name in files():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            yield name, data.decode()
