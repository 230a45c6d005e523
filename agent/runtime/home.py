"""Where a server's files are: a directory that this host's configuration allows, and nowhere else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agent.config import AgentConfig
from agent.errors import TaskFailed

_OURS: Final = {"backups", "instances", "records", "runs"}
"""Directories of the state directory."""


@dataclass(frozen=True)
class Home:
    """A server's directory."""

    path: Path
    adopted: bool
    """It was there before us: it is used where it is, and never removed."""


def find_home(slug: str, config: AgentConfig) -> Home:
    """Where the server with this slug lives or will live. Raises `TaskFailed` when the configuration forbids it."""
    if slug in config.adopt:
        return Home(_adopted(slug, config.adopt[slug]), adopted=True)
    if not slug or slug != Path(slug).name or slug.startswith("."):
        raise TaskFailed(f"`{slug[:64]}` is not a name for a directory; a server is named in one word.")
    candidates = [root / slug for root in config.roots]
    path = next((one for one in candidates if one.exists() or one.is_symlink()), candidates[0])
    _check_inside(path)
    _check_not_ours(path, config.state_dir)
    return Home(path, adopted=False)


def _adopted(slug: str, path: Path) -> Path:
    if not path.is_dir():
        raise TaskFailed(f"The agent's configuration says that `{slug}` is in {path}, but that is not a directory.")
    return path.resolve()


def _check_inside(path: Path) -> None:
    if path.is_symlink():
        raise TaskFailed(
            f"{path} is a symbolic link; list what it points to under [adopt] in the agent's configuration."
        )
    if path.exists() and not path.is_dir():
        raise TaskFailed(f"{path} is in the way: it is not a directory.")


def _check_not_ours(path: Path, state_dir: Path) -> None:
    """Where a root is the state directory or above it, a slug could name what the agent itself lives on."""
    if state_dir.is_relative_to(path) or (path.parent == state_dir and path.name in _OURS):
        raise TaskFailed(f"{path} is the agent's own; choose another name, or another root in its configuration.")


def check_file(home: Home, file: Path) -> None:
    """Refuse a configuration file that a link would place outside of the server's directory."""
    inside = home.path.resolve()
    if file.is_symlink() or not file.parent.resolve().is_relative_to(inside):
        raise TaskFailed(f"{file.name} is reached through a symbolic link out of its directory; it is not written.")


def put_aside(home: Home, now: datetime) -> Path | None:
    """Rename the directory so that its name can be used again; returns the new one, None when there was nothing."""
    if not home.path.exists():
        return None
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return home.path.rename(home.path.with_name(f"{home.path.name}.removed-{stamp}"))
