"""Who hears of a plan: its players in the game, and whoever reads its message."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from bot.services import outbox
from bot.services.jobs_enqueue import Enqueued, enqueue
from db.queries import power
from db.queries.cards import ServerCard
from db.queries.outbox import messages
from db.queries.power import PlanRow
from db.uow import Tx

_SAID_WITHIN: Final = timedelta(seconds=45)
"""An announcement that comes later than this would be wrong."""


async def announce(
    tx: Tx, server: ServerCard, text: str, *, at: datetime | None = None, after: UUID | None = None
) -> Enqueued:
    """Something that players of a server are told."""
    return await enqueue(
        tx,
        type=JobType.ANNOUNCE,
        server_id=server.id,
        host_id=server.host_id,
        params=wire.Announce(text=text),
        not_before=at,
        after=after,
        after_any=after is not None,
        expires_after=_SAID_WITHIN,
        quiet=True,
    )


async def tell(tx: Tx, server: ServerCard | None, text: str) -> None:
    """Tells the players at once, where there may be any and they can be told."""
    if server and server.hears:
        await announce(tx, server, text)


async def post(tx: Tx, plan_id: UUID) -> int | None:
    """Posts a plan's message; the channel."""
    channel = await outbox.channel_for(tx, tx.actor, "ops")
    if channel:
        await outbox.post_tracked(tx, "plan", plan_id, channel, "plan.made")
    return channel


async def show(tx: Tx, plan: PlanRow) -> None:
    """Lets the messages about a plan show how it stands."""
    await outbox.edit_tracked(tx, plan.org_id, "plan", plan.id, "plan.changed")


async def show_job(tx: Tx, plan: PlanRow, job_id: UUID) -> None:
    """Posts the message of a plan's job where the plan's own is; once."""
    for _, channel in (await messages(tx.session, plan.org_id, "plan", str(plan.id)))[:1]:
        await outbox.post_tracked(tx, "job", job_id, channel, "job.queued")


async def close(tx: Tx, plan: PlanRow, status: str, outcome: str) -> None:
    """Ends a held plan; its message says so."""
    await power.end(tx.session, plan.id, status, outcome=outcome, by=tx.actor.user_id, now=clock.now())
    await show(tx, plan)
