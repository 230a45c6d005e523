"""The user that runs PostgreSQL. It refuses to run as root, so root lends it another one."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import Conflict, Unavailable

_NAME: Final = "gamekeeper-postgres"
_LAST_RESORT: Final = "nobody"
_SEARCH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


@dataclass(frozen=True)
class Account:
    """Somebody who runs the server; `lent` when that is not who we are."""

    name: str
    uid: int
    gid: int
    lent: bool

    @property
    def user(self) -> int | None:
        """For `subprocess`: None means as ourselves."""
        return self.uid if self.lent else None

    @property
    def group(self) -> int | None:
        return self.gid if self.lent else None

    @property
    def groups(self) -> list[int] | None:
        return [] if self.lent else None

    def own(self, path: Path) -> None:
        if self.lent:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, directory: Path) -> bool:
        found = directory.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


_STRANGER: Final = Account(_NAME, uid=-1, gid=-1, lent=True)
"""The account before it exists."""


def _of(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, lent=entry.pw_uid != os.geteuid())


def _named(name: str) -> Account | None:
    try:
        return _of(pwd.getpwnam(name))
    except KeyError:
        return None


def _made() -> Account | None:
    useradd = shutil.which("useradd", path=_SEARCH)
    if useradd is None:
        return None
    command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME]
    subprocess.run(command, check=False, capture_output=True)
    return _named(_NAME)


def _owner(data: Path) -> Account | None:
    """Who owns existing data; None where there is none yet, or root made the directory in advance."""
    if not data.exists() or (uid := data.stat().st_uid) == 0:
        return None
    try:
        return _of(pwd.getpwuid(uid))
    except KeyError:
        raise Conflict(
            f"{data} belongs to user id {uid}, which has no name here, so PostgreSQL cannot run as it.",
            f"Give it to another user: chown -R {_NAME} {data}",
        ) from None


def account_for(data: Path) -> Account:
    """Who shall run the server on this data: ourselves; for root the owner of the data, else an account without rights.

    Raises:
        Conflict: the data belongs to somebody else.
        Unavailable: there is nobody to run it as.
    """
    owner = _owner(data)
    if os.geteuid() != 0:
        if owner is not None and owner.uid != os.geteuid():
            raise Conflict(
                f"{data} belongs to {owner.name}.",
                "Run Gamekeeper as that user, or choose another GAMEKEEPER_DATA_DIR.",
            )
        return _of(pwd.getpwuid(os.geteuid()))
    if known := owner or _named(_NAME):
        return known
    check_reachable(data, _STRANGER)
    if lent := _made() or _named(_LAST_RESORT):
        return lent
    raise Unavailable("PostgreSQL cannot run as root, and there is no other user.", f"Create one: useradd {_NAME}")


def check_reachable(path: Path, account: Account) -> None:
    """Checks, before anything is made, that the account can get to `path`.

    Raises:
        Unavailable: naming the directory in the way.
    """
    for directory in _existing_parents(path):
        if not account.may_enter(directory):
            raise Unavailable(
                f"The database cannot live in {path}: its user {account.name} may not enter {directory}.",
                "Choose a GAMEKEEPER_DATA_DIR outside of it, for example /var/lib/gamekeeper.",
            )


def _existing_parents(path: Path) -> Iterator[Path]:
    return (parent for parent in reversed(path.parents) if parent.exists())
