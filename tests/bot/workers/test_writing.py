"""What the outbox asks of the database while it has much to say."""

import asyncio

from bot.services.outbox import Delivery, Outbox, OutboxRow, Sent, post
from bot.workers.outbox import WRITING, OutboxWorker
from db.engine import Database
from tests.bot.world import World
from tests.wire.waiting import eventually

ROWS = 24


class Fast:
    """A Discord that takes everything at once."""

    ready = True

    async def deliver(self, row: OutboxRow) -> Delivery:
        return Sent(row.id, b"")


class Counted(Outbox):
    """The real one on a slow machine, which counts how many rows are written down at the same time."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.at_once = self.most = 0

    async def settle(self, row: OutboxRow, delivery: Delivery) -> None:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(0.2)
            await super().settle(row, delivery)
        finally:
            self.at_once -= 1


async def test_many_messages_leave_connections_to_others(db: Database) -> None:
    """One that settled all that it had in flight at once starved sweeps and schedules of the same process."""
    world = await World(db).found()
    for number in range(ROWS):
        async with db.uow(world.admin()) as tx:
            key = f"setup.done:{number}:1"
            await post(
                tx.session,
                org_id=world.org_id,
                channel_id=100 + number,
                event_type="setup.done",
                payload={},
                dedupe_key=key,
            )
            tx.audit("setup.channel", resource=("org", world.org_id))
    outbox = Counted(db)
    worker = OutboxWorker(outbox, Fast())
    running = asyncio.create_task(worker.run())
    await eventually(lambda: _all_sent(world))
    worker.stop()
    await running
    assert outbox.most == WRITING


async def _all_sent(world: World) -> bool:
    return await world.value("select count(*) from notification_jobs where status = 'sent'") == ROWS
