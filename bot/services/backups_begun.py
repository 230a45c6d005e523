"""The row of a backup, from its job to the end of it, whatever wanted the job."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import ValidationError

from agent import wire
from bot import clock
from db.queries import backups
from db.queries.jobs import LockedJob
from db.queries.schedules_jobs import NewJob
from db.uow import Tx

_TYPE: Final = "SAVE_BACKUP"


async def wanted(tx: Tx, org_id: UUID, server_id: UUID | None, params: wire.Params) -> wire.Params:
    """What a new job carries: of a backup its own id, and which older ones its host drops afterwards. A schedule and
    `/job retry` begin with the parameters of an earlier one."""
    if not isinstance(params, wire.SaveBackup) or server_id is None:
        return params
    given_up = await backups.given_up(tx.session, org_id, server_id, wire.DROPS_MAX)
    return wire.SaveBackup(backup_id=uuid4(), drop=given_up)


async def wanted_of_many(tx: Tx, org_id: UUID, jobs: Sequence[NewJob]) -> list[NewJob]:
    """`wanted` for jobs that are written at once."""
    found: list[NewJob] = []
    for job in jobs:
        carried = await wanted(tx, org_id, job.server_id, wire.SaveBackup()) if job.type == _TYPE else None
        found.append(replace(job, payload=carried.dump()) if carried else job)
    return found


async def begun_of_many(tx: Tx, org_id: UUID, jobs: Sequence[NewJob], numbers: Sequence[int]) -> None:
    """`begun` for jobs that were written at once."""
    for job, number in zip(jobs, numbers, strict=True):
        if job.type == _TYPE:
            params = wire.SaveBackup.model_validate(job.payload)
            await begun(tx, org_id, job.server_id, params, job.id, number)


async def begun(tx: Tx, org_id: UUID, server_id: UUID | None, params: wire.Params, job_id: UUID, number: int) -> None:
    """A job was written; of a backup there is a row from now on."""
    if not isinstance(params, wire.SaveBackup) or server_id is None:
        return
    now = clock.now()
    values = {
        "id": params.backup_id,
        "org": org_id,
        "server": server_id,
        "name": f"{now.astimezone(UTC):%Y-%m-%d %H:%M} J-{number}",
        "job": job_id,
        "author": tx.actor.user_id,
        "now": now,
    }
    await backups.begin(tx.session, values)


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """Complete with what the host has measured, or failed. A result that comes late counts."""
    if status == "queued":
        return
    values: dict[str, Any] = {"org": job.org_id, "job": job.id, "now": clock.now()}
    made = _result_of(result) if status == "success" else None
    if made is None:
        words = reason or ("the host did not say what it packed" if status == "success" else status)
        await backups.fail(tx.session, {**values, "facts": {"error": words[:1000]}})
        return
    facts = {"files": made.files, "changed": made.changed}
    server_id = await backups.complete(
        tx.session, {**values, "size": made.size_bytes, "sha256": made.sha256, "facts": facts}
    )
    if server_id is not None:
        await backups.dropped(tx.session, job.org_id, server_id, made.dropped)
        await backups.supersede(tx.session, job.org_id, server_id)


def _result_of(result: Mapping[str, Any] | None) -> wire.SaveBackupResult | None:
    try:
        return wire.SaveBackupResult.model_validate(dict(result or {}))
    except ValidationError:
        return None
