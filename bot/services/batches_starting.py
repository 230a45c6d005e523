"""`/batch start`: asked with its effect, then written as a batch, its jobs and the message that shows them."""

from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor
from bot.domain.batches import LeftOut
from bot.errors import Conflict
from bot.services import outbox
from bot.services.actions import dedupe_key, params
from bot.services.batches_planning import Plan, Shown, Wish, nothing, out, understood
from bot.services.batches_words import effects, question, started
from bot.services.confirmations import Done, Question, ask
from bot.services.jobs_enqueue import Enqueued, enqueue
from bot.services.mods_games import moddable
from bot.services.mods_giving import give
from bot.services.servers import VIEW
from db.engine import Database
from db.queries import batches, servers
from db.queries.cards import ServerCard
from db.uow import Tx

_DENIED: Final = "whoever started it may not do it there"


class BatchStarting:
    """`/batch start`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, wish: Wish) -> Question:
        """Writes the question down: the servers, the order, who is online, what is left out.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict: nothing was written.
        """
        async with self._db.uow(actor) as tx:
            plan = await understood(tx, wish)
            tx.audit("batch.start.ask", resource=("batch", None), does=asdict(plan.wish))
            title, verb = question(plan)
            return await ask(
                tx,
                "batch.start",
                {"wish": asdict(plan.wish), **plan.shown()},
                title=title,
                effect=effects(actor, plan),
                verb=verb,
                typed=plan.wish.tag,
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Begins what was shown: servers that got the tag since are not of it, and all is looked at again."""
        shown = Shown.load(payload)
        await servers.lock_for_jobs(tx.session, tx.actor.org, shown.servers)
        await batches.in_turn(tx.session, tx.actor.org)
        plan = await understood(tx, Wish(**payload["wish"]), shown)
        batch_id, number = await self._add(tx, plan)
        made, busy = await _jobs(tx, plan, batch_id)
        left = [*plan.left, *busy, *[_denied(tx.actor, server) for server in plan.denied]]
        if not made:
            raise nothing(plan.action, plan.wish.tag, busy)
        targets = {"tag": plan.wish.tag, "left": [one.dump() for one in left]}
        await batches.filled(tx.session, tx.actor.org, batch_id, total=len(made), targets=targets)
        channel = await _show(tx, batch_id)
        tx.audit(
            "batch.start",
            resource=("batch", batch_id),
            number=number,
            does=asdict(plan.wish),
            numbers=[job.number for job in made],
            leftOut={one.name: one.reason for one in left},
        )
        return Done(*started(tx.actor, plan, number, len(made), busy, channel))

    async def _add(self, tx: Tx, plan: Plan) -> tuple[UUID, int]:
        wish = plan.wish
        told = {"text": wish.text, "mod": wish.mod, "version": wish.version}
        values: dict[str, Any] = {
            "org": tx.actor.org,
            "action": plan.action.name,
            "payload": {key: value for key, value in told.items() if value}
            | ({"atOnce": True} if plan.at_once else {}),
            "total": len(plan.servers),
            "parallel": plan.parallel,
            "stop": wish.stop_on_failure,
            "by": tx.actor.user_id,
            "now": clock.now(),
        }
        return await batches.add(tx.session, values)


def _denied(actor: Actor, server: ServerCard) -> LeftOut:
    return out(server, "denied" if actor.may_on(VIEW, server.id) else "unseen", _DENIED)


async def _jobs(tx: Tx, plan: Plan, batch_id: UUID) -> tuple[list[Enqueued], list[LeftOut]]:
    """The jobs in the order of their turns, as so many chains as may be under way; and who was busy after all."""
    made: list[Enqueued] = []
    busy: list[LeftOut] = []
    for server in plan.servers:
        waits = not plan.at_once and len(made) >= plan.parallel
        try:
            made.append(await _job(tx, plan, server, batch_id, made[-plan.parallel].id if waits else None))
        except Conflict as error:  # somebody came in between
            busy.append(out(server, "busy", error.what.rstrip(".")))
    return made, busy


async def _job(tx: Tx, plan: Plan, server: ServerCard, batch_id: UUID, after: UUID | None) -> Enqueued:
    if plan.artifact:
        restart = moddable()[server.game].restarts
        return await give(tx, server, plan.artifact, "install", restart=restart, batch_id=batch_id, after=after)
    return await enqueue(
        tx,
        type=plan.action.job_type,
        host_id=server.host_id,
        server_id=server.id,
        params=params(plan.action, plan.wish.text),
        dedupe_key=dedupe_key(plan.action, server.id),
        source="batch",
        batch_id=batch_id,
        after=after,
        after_any=after is not None,
        quiet=True,
    )


async def _show(tx: Tx, batch_id: UUID) -> int | None:
    """Owes the message that shows the batch to its end; where it will be, None: nowhere."""
    channel = await outbox.channel_for(tx, tx.actor, "ops")
    if channel:
        await outbox.post_tracked(tx, "batch", batch_id, channel, "batch.started")
    return channel
