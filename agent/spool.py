"""Which runs this agent has begun and how they ended, on disk.

One run passes through `<run>.started`, `<run>.result` and `<run>.sent`. The first is there before the bot is told that
the run starts, and says so before anything is done: a run that was begun is never begun again, whatever happens to this
process. A beginning without an end means that the agent died in between, and nobody can say what was done; unless the
task undoes what it left and says that it may go on. What was not begun, the next agent does if the bot wants it.
"""

import logging
import os
import time
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent import wire
from agent.files import make_private, write_private

log = logging.getLogger(__name__)

KEEP: Final = 7 * 86400.0
"""Seconds that a run is remembered; nobody offers it again after that."""
STARTED, RESULT, SENT = ".started", ".result", ".sent"


class Marker(BaseModel):
    """A run that was begun."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: UUID
    claim_token: UUID
    number: int
    type: str
    server_id: UUID | None
    began_at: float
    """Seconds since the epoch."""
    resumable: wire.ClaimedJob | None = None
    """All that is needed to do it from its beginning, where nothing was done or that is the same as going on."""
    begun: bool = True
    """False: the bot may take it for begun, but nothing was done."""
    resumed: int = 0
    """How often an agent has gone on with it."""


class Spool:
    """The runs of one state directory. Methods block for as long as the disk takes."""

    def __init__(self, state_dir: Path) -> None:
        self.directory = state_dir / "runs"
        self._unsaved: dict[UUID, wire.Result] = {}  # the disk refused them; they live as long as this process

    def open(self) -> None:
        """Make the directory. Raises `OSError`."""
        make_private(self.directory)

    def knows(self, run_id: UUID) -> bool:
        """Was this run begun, ever?"""
        return run_id in self._unsaved or any(self._path(run_id, end).exists() for end in (STARTED, RESULT, SENT))

    def expect(self, job: wire.ClaimedJob) -> None:
        """Remember that this run may be begun. Raises `OSError`. A power cut may forget it: its lease passes then."""
        marker = self._marker(job, resumable=True).model_copy(update={"begun": False})
        write_private(self._path(job.run_id, STARTED), marker.model_dump_json(), durable=False)

    def begin(self, job: wire.ClaimedJob, *, resumable: bool = False) -> None:
        """Remember that this run is begun. Raises `OSError`; then it must not be."""
        self._write(self._path(job.run_id, STARTED), self._marker(job, resumable=resumable).model_dump_json())

    @staticmethod
    def _marker(job: wire.ClaimedJob, *, resumable: bool) -> Marker:
        return Marker(
            run_id=job.run_id,
            claim_token=job.claim_token,
            number=job.number,
            type=job.params.type,
            server_id=job.server_id,
            began_at=time.time(),
            resumable=job if resumable else None,
        )

    def forget(self, run_id: UUID) -> None:
        """It was not begun after all."""
        self._path(run_id, STARTED).unlink(missing_ok=True)

    def resume(self, marker: Marker) -> None:
        """Remember that this run is gone on with. Raises `OSError`; then it must not be."""
        again = marker.model_copy(update={"resumed": marker.resumed + 1})
        self._write(self._path(marker.run_id, STARTED), again.model_dump_json())

    def end(self, run_id: UUID, result: wire.Result) -> None:
        """Remember how it ended, until the bot has acknowledged it."""
        try:
            self._write(self._path(run_id, RESULT), result.model_dump_json(by_alias=True))
        except OSError as error:
            log.error("the result of run %s cannot be written (%s); it is kept in memory", run_id, error.strerror)
            self._unsaved[run_id] = result
        else:
            self._unsaved.pop(run_id, None)

    def result(self, run_id: UUID) -> wire.Result | None:
        """How a run ended, acknowledged or not; None: it runs, or it was interrupted."""
        if run_id in self._unsaved:
            return self._unsaved[run_id]
        for end in (RESULT, SENT):
            if (result := self._read(self._path(run_id, end))) is not None:
                return result
        return None

    def pending(self) -> list[tuple[UUID, wire.Result]]:
        """Results that the bot has not acknowledged, the oldest first."""
        paths = sorted(self.directory.glob(f"*{RESULT}"), key=lambda path: path.stat().st_mtime)
        stored = [(run, result) for path in paths if (run := _run_of(path)) and (result := self._read(path))]
        return stored + [one for one in self._unsaved.items() if not self._path(one[0], RESULT).exists()]

    def acknowledge(self, run_id: UUID) -> None:
        """The bot has it, or does not want it."""
        self._unsaved.pop(run_id, None)
        sent = self._path(run_id, SENT)
        for end in (STARTED, RESULT):  # renaming needs no space on the disk; the result wins where there is one
            if (path := self._path(run_id, end)).exists():
                path.replace(sent)

    def interrupted(self) -> list[Marker]:
        """Runs that were begun and have no readable end. To be asked before the first run of this process."""
        markers: list[Marker] = []
        for path in sorted(self.directory.glob(f"*{STARTED}")):
            try:
                marker = Marker.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                log.error("%s cannot be read; the bot will report its run as lost", path)
                continue
            if self.result(marker.run_id) is None:
                markers.append(marker)
        return markers

    def prune(self, keep: float = KEEP) -> None:
        """Forget what is older than `keep` seconds; never a result that the bot has not got, for the clock may jump."""
        limit = time.time() - keep
        for path in self.directory.iterdir():
            if path.suffix != RESULT and path.is_file() and path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)

    def _path(self, run_id: UUID, end: str) -> Path:
        return self.directory / f"{run_id}{end}"

    def _write(self, path: Path, text: str) -> None:
        write_private(path, text)
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)  # the file's new name, too, has to outlive a power cut
        finally:
            os.close(directory)

    def _read(self, path: Path) -> wire.Result | None:
        try:
            return wire.Result.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.error("%s cannot be read", path)
            return None


def _run_of(path: Path) -> UUID | None:
    """None for a file that somebody else put there."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None
