"""What a host says about the bans that it was told: receipts, counted only for the wish that they are about."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from agent import wire
from bot import clock
from bot.domain import bans
from bot.domain.bans import Next
from bot.services.bans_syncing import edit_notices, start
from db.queries import ban_entries
from db.queries.ban_entries import LockedEntry, Update
from db.queries.jobs import LockedJob
from db.uow import Tx

log = logging.getLogger(__name__)


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """Writes down what became of the items of a BAN_SYNC, and lets the server's next one begin.

    A job that is tried again is still at its entries, except where it has brought receipts already."""
    if job.server_id is None:
        return
    receipts = _receipts(result)
    changed: set[UUID] = set()
    updates: list[Update] = []
    for entry in await ban_entries.of_job(tx.session, job.org_id, job.server_id, job.id, list(receipts)):
        after = _after(entry, job.id, receipts.get(entry.id))
        if after is None and status != "queued" and entry.id not in receipts:
            after = bans.after_silence(entry, job.id, reason)
        if after is not None:
            updates.append(_update(entry, after))
            if bans.shown(entry.desired_state, entry.sync_status, entry.applied_state) != bans.shown(
                entry.desired_state, after.sync_status, after.applied_state
            ):
                changed.add(entry.ban_id)
    await ban_entries.update(tx.session, updates, clock.now())
    if status != "queued":
        await start(tx, [job.server_id])
    await edit_notices(tx, changed)


def _receipts(result: Mapping[str, Any] | None) -> dict[UUID, wire.BanReceipt]:
    """The receipts by entry; none where the run brought none, or another version's."""
    if not result:
        return {}
    try:
        return {receipt.entry_id: receipt for receipt in wire.BanSyncResult.model_validate(result).receipts}
    except ValidationError:
        log.warning("receipts of a BAN_SYNC cannot be read", exc_info=True)
        return {}


def _after(entry: LockedEntry, job_id: UUID, receipt: wire.BanReceipt | None) -> Next | None:
    if receipt is None:
        return None
    return bans.after_receipt(entry, job_id, receipt.revision, receipt.outcome, receipt.detail)


def _update(entry: LockedEntry, after: Next) -> Update:
    wait = after.wait.total_seconds()
    return Update(entry.id, after.sync_status, after.applied_state, after.attempts, wait, after.error)
