"""The reconciler: what servers have to be told about bans becomes one BAN_SYNC job each, of at most 200 items.

Locks are taken in one order by all who come here: cases, entries, the servers' turns, numbers of jobs, messages.
"""

from collections.abc import Collection
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain import bans
from bot.domain.ban_ids import foremost, usable
from bot.domain.jobs import JobType
from bot.services import outbox
from bot.services.jobs_enqueue import enqueue
from db.queries import ban_entries, bans_write
from db.queries.ban_entries import Due, Place, Update
from db.uow import Tx


async def start(tx: Tx, servers: Collection[UUID]) -> list[int]:
    """Gives each of these servers of the actor's org a job for what it has to be told. Nothing is given where a job is
    at it (its end gives the next one), a game is down or a host is away. The numbers of the jobs."""
    if not servers:
        return []
    await ban_entries.lock_servers(tx.session, servers)
    due = await ban_entries.due(tx.session, clock.now(), servers)
    return [number for org_id, server_id in due if org_id == tx.actor.org and (number := await _give(tx, server_id))]


async def _give(tx: Tx, server_id: UUID) -> int | None:
    now = clock.now()
    place = await ban_entries.place(tx.session, tx.actor.org, server_id)
    if place is None:
        return None
    taken = await ban_entries.take(tx.session, place, tx.actor.org, now, wire.BAN_ITEMS_MAX)
    items, settled = _items(place, [due for due in taken if not _over(due)])
    await ban_entries.update(tx.session, settled, now)
    if not items:
        return None
    job = await enqueue(
        tx,
        type=JobType.BAN_SYNC,
        host_id=place.host_id,
        server_id=server_id,
        params=wire.BanSync(items=items),
        dedupe_key=f"ban_sync:{server_id}",
        source="ban_sync",
        quiet=True,
    )
    await ban_entries.begin(tx.session, [item.entry_id for item in items], job.id)
    return job.number


def _over(due: Due) -> bool:
    """Its time has passed: it is about to be ended, and no game need hear of it before."""
    return due.desired_state == "banned" and bans.ends(due.expires_at, clock.now())


def _items(place: Place, taken: list[Due]) -> tuple[list[wire.BanItem], list[Update]]:
    """What the host is told, and the entries about which there is nothing to tell it."""
    items: list[wire.BanItem] = []
    settled: list[Update] = []
    for due in taken:
        identities = [(kind, value) for kind, value in due.identities]
        kinds = usable([kind for kind, _ in identities], place.ban_by, place.capabilities)
        elsewhere = [(kind, value) for kind, value in due.held_elsewhere]
        told = bans.to_send(due.desired_state, identities, elsewhere, kinds)
        if told:
            items.append(_item(due, told))
        else:
            after = bans.nothing_to_send(due.desired_state, due.applied_state, due.attempts, able=bool(kinds))
            wait = after.wait.total_seconds()
            settled.append(Update(due.id, after.sync_status, after.applied_state, after.attempts, wait, after.error))
    return items, settled


def _item(due: Due, told: list[tuple[str, str]]) -> wire.BanItem:
    return wire.BanItem(
        entry_id=due.id,
        revision=due.revision,
        want=due.desired_state,
        identities=[wire.Identity(kind=kind, value=value) for kind, value in foremost(told)],
        name=due.name[:128],
        until=due.until,
        reason=bans.kick_text(due.number, due.reason),
    )


async def edit_notices(tx: Tx, cases: Collection[UUID]) -> None:
    """Lets the notices of these cases show how they stand. Comes last in a unit of work."""
    if not cases:
        return
    for message in await bans_write.notices(tx.session, tx.actor.org, cases):
        await outbox.edit(tx.session, org_id=tx.actor.org, message=message, event_type="ban.changed", payload={})
