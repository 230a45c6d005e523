"""What else changes when a job ends: the wish that it was made for. In the transaction of the end."""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from bot.services import backups_begun, bans_receipts, batches_tending, mods_receipts, power_ended, schedules_ended
from db.queries.jobs import LockedJob
from db.uow import Tx


class Effect(Protocol):
    """Takes the end of a job into account. `status`: how the job ended, or `queued` when it is tried again."""

    async def __call__(
        self, tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None
    ) -> None: ...


_OF_TYPE: Final[Mapping[str, Effect]] = {
    "BAN_SYNC": bans_receipts.job_ended,
    "MOD_INSTALL": mods_receipts.job_ended,
    "SERVER_RESTART": power_ended.job_ended,
    "SERVER_STOP": power_ended.job_ended,
}
"""JobType -> what its end changes besides the job."""


def effects_of(job_type: str, schedule_id: UUID | None, batch_id: UUID | None) -> list[Effect]:
    """What the end of a job changes besides the job itself, in this order."""
    own = schedules_ended.job_ended if schedule_id else _OF_TYPE.get(job_type)
    backup = backups_begun.job_ended if job_type == "SAVE_BACKUP" else None
    return [effect for effect in (backup, own, batches_tending.job_ended if batch_id else None) if effect]
