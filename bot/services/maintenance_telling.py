"""Who hears of a maintenance window: players in the games, and whoever reads its message."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from bot.domain.maintenance import OVER
from bot.services import outbox
from bot.services.jobs_enqueue import enqueue
from bot.services.maintenance_targets import servers_of
from db.queries import servers
from db.queries.maintenance_windows import WindowCard
from db.queries.rest import left_alone
from db.uow import Tx

_KIND: Final = "maintenance"
_SAID_WITHIN: Final = timedelta(minutes=1)
"""An announcement that comes later than this would be wrong."""


async def post(tx: Tx, window: UUID) -> int | None:
    """Owes the message that shows a window from now on; its channel."""
    channel = await outbox.channel_for(tx, tx.actor, "ops")
    if channel:
        await outbox.post_tracked(tx, _KIND, window, channel, "maintenance.made")
    return channel


async def show(tx: Tx, window: WindowCard) -> None:
    """Lets its messages show how it stands."""
    await outbox.edit_tracked(tx, window.org_id, _KIND, window.id, "maintenance.changed")


async def say(tx: Tx, window: WindowCard, text: str) -> int:
    """Tells the players of the servers in a window, where there may be any and they can be told; on how many servers.

    Not the reason: it is for staff, and whoever plans maintenance need not be allowed to speak in the games."""
    if not text:
        return 0
    heard = [server for server in await servers_of(tx, window) if server.hears]
    if text == OVER:  # of this window, and another one may go on
        resting = await left_alone(tx.session, window.org_id, [server.id for server in heard], clock.now())
        heard = [one for one in heard if one.id not in resting or resting[one.id].kind == "hold"]
    await servers.lock_for_jobs(tx.session, window.org_id, [server.id for server in heard])
    for server in heard:
        await enqueue(
            tx,
            type=JobType.ANNOUNCE,
            server_id=server.id,
            host_id=server.host_id,
            params=wire.Announce(text=text),
            source="system",
            expires_after=_SAID_WITHIN,
            quiet=True,
        )
    return len(heard)
