"""Backups of saved games: saved by the game, packed, read back, and kept below the agent's own directory."""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from agent import wire
from agent.errors import TaskFailed
from agent.runtime.instance import Instance
from agent.runtime.saves_packing import Content, Packing, Stopped, part_of
from agent.runtime.starting import Report
from agent.wire import Step
from games.resolved import ResolvedTemplate
from games.sections.backup import Backup

T = TypeVar("T")

DIRECTORY: Final = "backups"
"""Of the state directory; below it one for each server."""
SAVE_SECONDS: Final = 60.0
_SUFFIX: Final = ".tar.gz"


def directory_of(server: Instance) -> Path:
    """Where a server's backups are; they outlive the server."""
    return server.config.state_dir / DIRECTORY / str(server.spec.id)


def clear_up(server: Instance) -> None:
    """Removes what an earlier agent has not finished."""
    for left in directory_of(server).glob(part_of(Path(f"*{_SUFFIX}")).name):
        with contextlib.suppress(OSError):
            left.unlink()


async def backup(server: Instance, params: wire.SaveBackup, report: Report) -> wire.SaveBackupResult:
    """One backup, during which nobody starts or stops the game.

    Raises:
        TaskFailed: nothing of it was kept.
    """
    described = server.template().backup
    if described is None:
        raise TaskFailed(f"{server.template().name} has nothing that a backup would hold.")
    if params.backup_id is None:
        raise TaskFailed("The backup has no name.")
    async with server.lock.hold("backing up"):
        await report(Step.SAVING, "")
        await _save(server, described)
        await report(Step.PACKING, "")
        clear_up(server)
        packing = Packing(_content(server, described), directory_of(server) / f"{params.backup_id}{_SUFFIX}")
        try:
            if not await _in_a_thread(packing, packing.fits):
                # nobody wants them any more; else a full disk would keep them, and they would keep it full
                _drop(directory_of(server), params.drop, params.backup_id)
            await _in_a_thread(packing, packing.write)
            await report(Step.VERIFYING, "")
            packed = await _in_a_thread(packing, packing.finish)
        except BaseException:  # cancelled, or broken off: the bot will not know that it is there
            packing.discard()
            raise
        dropped = _drop(directory_of(server), params.drop, params.backup_id)
    return wire.SaveBackupResult(
        size_bytes=packed.size_bytes, sha256=packed.sha256, files=packed.files, changed=packed.changed, dropped=dropped
    )


async def _save(server: Instance, described: Backup) -> None:
    """What is played now is on the disk; a game that is down has saved before."""
    if not server.process.alive:
        return
    for action in described.before:
        answer = await server.console().action(action, timeout=SAVE_SECONDS)
        if answer.outcome != "answered":
            raise TaskFailed(f"The game did not save, so nothing was packed: {answer.reason or 'it said nothing'}")


def _content(server: Instance, described: Backup) -> Content:
    running = server.run()
    resolved: ResolvedTemplate = running.resolved if running is not None else server.resolve()
    return Content(server.created_home().path, resolved.backup_paths, described.exclude)


async def _in_a_thread(packing: Packing, work: Callable[[], T]) -> T:
    """A thread that ends soon when this is cancelled."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        packing.stop()
        await asyncio.wait([thread])
        if not thread.cancelled():
            thread.exception()  # `Stopped`, which nobody else asks for
        raise
    except Stopped:
        raise TaskFailed("It was broken off; nothing was kept.") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = "is full" if full else f"does not take it ({error.strerror or error})"
        raise TaskFailed(f"The host's disk {words}. Nothing of the backup was kept.") from None


def _drop(directory: Path, given_up: Sequence[UUID], new: UUID) -> list[UUID]:
    """Those that are gone now; what cannot be removed is named again with the next backup."""
    gone: list[UUID] = []
    for one in given_up:
        if one == new:
            continue
        with contextlib.suppress(OSError):
            (directory / f"{one}{_SUFFIX}").unlink(missing_ok=True)
            gone.append(one)
    return gone
