"""A case ends: lifted by somebody, or its time is over. Its servers are told, its notice is edited."""

from typing import Any, Literal
from uuid import UUID

from bot import clock
from bot.domain import bans
from bot.services.bans_syncing import edit_notices, start
from db.queries import ban_entries, bans_write
from db.queries.ban_entries import LockedEntry, Update
from db.uow import Tx


async def end(
    tx: Tx, ban_id: UUID, status: Literal["revoked", "expired"], *, reason: str = "", details: dict[str, Any]
) -> list[UUID]:
    """Ends an active case whose row this transaction holds, in the actor's org; the servers that have to forget it."""
    servers = await close(tx, ban_id, status, reason=reason, details=details)
    await start(tx, servers)
    await edit_notices(tx, [ban_id])
    return servers


async def close(
    tx: Tx, ban_id: UUID, status: Literal["revoked", "expired"], *, reason: str = "", details: dict[str, Any]
) -> list[UUID]:
    """The first half of `end`: what is wanted from now on. The caller lets the servers be told, and edits the notice.

    A receipt for the ban that is still under way comes for a wish of before, and changes nothing any more."""
    org_id, by, now = tx.actor.org, tx.actor.user_id, clock.now()
    await bans_write.end(tx.session, org_id, ban_id, status, by=by, reason=reason or None, now=now)
    entries = await ban_entries.of_case(tx.session, org_id, ban_id)
    shared = await ban_entries.shared(tx.session, org_id, ban_id)
    updates = [_forgotten(entry, shared=entry.server_id in shared) for entry in entries]
    await ban_entries.update(tx.session, updates, now)
    kind = "lifted" if status == "revoked" else "expired"
    await bans_write.tell(tx.session, org_id, ban_id, kind, details, by=by, now=now)
    return [entry.server_id for entry, row in zip(entries, updates, strict=True) if row.sync_status == "pending"]


def _forgotten(entry: LockedEntry, *, shared: bool) -> Update:
    after = bans.lifted(entry, sent=shared or entry.job_id is not None)
    return Update(entry.id, after.sync_status, after.applied_state, 0, 0.0, after.error, "unbanned", raised=1)
