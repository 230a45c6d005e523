"""Batches as people follow them: shown, suggested, stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import EVERYWHERE, Scope
from bot.domain.actors import Actor
from bot.domain.batches import BATCHED, LeftOut
from bot.domain.jobs import JOBS
from bot.domain.words import count, safe
from bot.errors import Conflict, NotFound
from bot.services.batches_planning import RUN
from bot.services.batches_tending import tend
from bot.services.confirmations import Done
from bot.services.servers import PAGE, Page, must_see
from db.engine import Database
from db.queries import batch_cards, batches
from db.queries.batch_cards import BatchCard, BatchJob
from db.queries.batches import LockedBatch
from db.uow import Tx

_VIEW: Final = "jobs.view"
_LONGEST: Final = 15
"""Digits of a number."""
State = Literal["done", "under way", "waiting", "failed", "left out", "not begun", "cancelled"]
_STATES: Final[dict[str, State]] = {
    "held": "waiting",
    "queued": "under way",
    "running": "under way",
    "success": "done",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "cancelled",
}


@dataclass(frozen=True)
class Turn:
    """One server of a batch, as people read it."""

    name: str
    state: State
    reason: str = ""
    """As it was reported or typed."""
    number: int | None = None
    """Of its job."""


@dataclass(frozen=True)
class Batch:
    """A batch and its servers in the order of their turns; those that were left out come last."""

    card: BatchCard
    turns: Sequence[Turn]
    unseen: int = 0
    """Servers of it that the reader does not see."""

    def of(self, *states: State) -> list[Turn]:
        """Those in these states."""
        return [turn for turn in self.turns if turn.state in states]


class Batches:
    """Look-ups of batches, and `/batch stop`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def message(self, org_id: UUID, batch_id: str) -> Batch | None:
        """What its message shows, to all who read the channel, its author among them; None: it is gone."""
        async with self._db.read() as session:
            card = await batch_cards.card(session, org_id, batch_id=batch_id)
            return await _whole(session, card, EVERYWHERE, unseen="a server that they do not see") if card else None

    async def show(self, actor: Actor, ref: str, *, failed: bool = False, page: int = 0) -> tuple[Batch, Page[Turn]]:
        """A batch as its reader may see it, and some of its servers. `failed`: only those that did not succeed.

        Raises:
            NotFound, NotPermitted: there is none, or its reader sees none of its servers.
        """
        async with self._db.read() as session:
            card = await batch_cards.card(session, actor.org, number=_number(ref))
            if card is None:
                raise _none(ref)
            batch = await _whole(session, card, actor.sight(_VIEW))
            if batch.unseen and not batch.turns:
                jobs = await batch_cards.jobs(session, actor.org, card.id)
                await must_see(session, actor, _VIEW, jobs[0].server_id if jobs else None)
        rows = batch.of("failed") if failed else list(batch.turns)
        begin = page * PAGE
        return batch, Page(rows[begin : begin + PAGE], page, len(rows) > begin + PAGE)

    async def suggest(self, actor: Actor, words: str, *, live: bool = False) -> list[BatchCard]:
        """For autocompletes, the newest first. `live`: only those that go on."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await batch_cards.cards(session, actor.org, scope=actor.sight(_VIEW), words=words, live=live)

    async def stop(self, actor: Actor, ref: str) -> Done:
        """Lets a batch begin nothing more; what is under way ends as it would. A second one reads the same.

        Raises:
            NotFound, NotPermitted, Conflict: there is none, not allowed, or there is nothing to stop.
        """
        async with self._db.uow(actor) as tx:
            batch = await batches.lock(tx.session, actor.org, number=_number(ref))
            if batch is None:
                raise _none(ref)
            await self._may_stop(tx, batch)
            counts = await batches.counts(tx.session, actor.org, batch.id)
            if batch.stopped and batch.status == "running":
                tx.audit("batch.stop.again", resource=("batch", batch.id), number=batch.number)
                who = f" by {safe(batch.stopped_by)}" if batch.stopped_by else ""
                return Done(f"W-{batch.number} was stopped{who} already", _under_way(counts.under_way))
            if batch.status != "running":
                raise Conflict(f"W-{batch.number} has ended already.", f"`/batch show` says how: W-{batch.number}.")
            if not counts.held:
                raise Conflict(
                    f"Every server of W-{batch.number} has had its turn. {_under_way(counts.under_way)}",
                    "`/job cancel` cancels what is under way.",
                )
            await batches.stop(tx.session, actor.org, batch.id, by=actor.user_id, now=clock.now())
            tx.audit("batch.stop", resource=("batch", batch.id), number=batch.number, notBegun=counts.held)
            batch = await batches.lock(tx.session, actor.org, number=batch.number) or batch
            await tend(tx, batch, by=actor.user_id)
        rest = count(counts.held, "server is left as it is", "servers are left as they are")
        return Done(f"W-{batch.number} begins nothing more", f"{rest}. {_under_way(counts.under_way)}")

    async def _may_stop(self, tx: Tx, batch: LockedBatch) -> None:
        servers = [job.server_id for job in await batch_cards.jobs(tx.session, tx.actor.org, batch.id) if job.server_id]
        for needed in (RUN, JOBS[BATCHED[batch.action].job_type].permission):
            await tx.require_on(needed, servers)


async def _whole(session: AsyncSession, card: BatchCard, scope: Scope, *, unseen: str = "") -> Batch:
    """`unseen`: what servers are called that its author does not see; by their names where that is empty."""
    jobs = await batch_cards.jobs(session, card.org_id, card.id)
    left = {one.server: one for one in map(LeftOut.load, card.targets.get("left", ()))}
    turns = [(job.server_id, _turn(job)) for job in jobs if not (job.status == "cancelled" and _id(job) in left)]
    numbers = {_id(job): job.number for job in jobs}
    turns += [(UUID(one.server) if one.server else None, _out(one, numbers, unseen)) for one in left.values()]
    seen = [turn for server, turn in turns if scope.covers(server)]
    return Batch(card, seen, len(turns) - len(seen))


def _out(one: LeftOut, numbers: Mapping[str, int], unseen: str) -> Turn:
    name = unseen if unseen and one.kind == "unseen" else one.name
    return Turn(name, "left out", one.reason, numbers.get(one.server))


def _id(job: BatchJob) -> str:
    return str(job.server_id or "")


def _turn(job: BatchJob) -> Turn:
    state = "not begun" if job.status == "cancelled" and not job.began else _STATES[job.status]
    return Turn(job.server_name or "a removed server", state, _reason(job), job.number)


def _reason(job: BatchJob) -> str:
    host = job.host_name or "its host"
    match job.status:
        case "queued" if not job.host_online:
            return f"{host} is offline"
        case "failed":
            return job.error or "its host did not say why"
        case "expired":
            return f"{host} did not begin it in time" if job.host_online else f"{host} did not come back in time"
        case _:
            return ""


def _under_way(number: int) -> str:
    return f"What is under way ends as it would: {count(number, 'server')}." if number else "Nothing is under way."


def _number(ref: str) -> int:
    digits = ref.strip().upper().removeprefix("W-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST:
        raise _none(ref)
    return int(digits)


def _none(ref: str) -> NotFound:
    return NotFound(f"There is no batch {safe(ref, 40)} here.", "Pick one of the suggestions, such as `W-3`.")
