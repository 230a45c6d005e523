"""What the bot owes Discord: nothing is told too early, overtaken, or lost."""

from uuid import UUID

from bot import clock
from bot.services import outbox
from bot.services.outbox import Delayed, Outbox, Sent
from db.queries.outbox import OutboxRow
from tests.bot.world import CHANNEL, World


async def shown(world: World) -> UUID:
    """A message that is in Discord and kept up to date."""
    async with world.db.uow(world.admin()) as tx:
        message = await outbox.track(tx.session, org_id=world.org_id, kind="job", subject_id="1", channel_id=CHANNEL)
        tx.audit("test", resource=("message", message))
    await world.rows("update bot_messages set message_id = 77 where id = :id", id=message)
    return message


async def edit(world: World, message: UUID) -> None:
    async with world.db.uow(world.admin()) as tx:
        await outbox.edit(tx.session, org_id=world.org_id, message=message, event_type="test", payload={})
        tx.audit("test", resource=("message", message))


async def claim_one(world: World) -> OutboxRow:
    (row,) = await Outbox(world.db).claim()
    return row


async def test_an_edit_that_stands_for_a_change_leaves_after_the_change_is_committed(world: World) -> None:
    message = await shown(world)
    await edit(world, message)
    async with world.db.uow(world.admin()) as tx:
        await outbox.edit(tx.session, org_id=world.org_id, message=message, event_type="test", payload={})
        assert not await Outbox(world.db).claim(), "it would be rendered without what this transaction changes"
        tx.audit("test", resource=("message", message))
    assert (await claim_one(world)).bot_message_id == message


async def test_an_edit_waits_for_the_one_that_is_under_way(world: World) -> None:
    message, worker = await shown(world), Outbox(world.db)
    await edit(world, message)
    first = await claim_one(world)
    await edit(world, message)
    assert not await worker.claim(), "a slower sender would put its older text over the newer one"
    await worker.settle(first, Sent(None, b"text"))
    await world.rows("update notification_jobs set next_attempt_at = :now where status = 'pending'", now=clock.now())
    assert (await claim_one(world)).id > first.id


async def test_an_edit_that_is_put_back_is_one_with_the_newer_one(world: World) -> None:
    message, worker = await shown(world), Outbox(world.db)
    await edit(world, message)
    first = await claim_one(world)
    await edit(world, message)
    await worker.settle(first, Delayed(0, "busy"))
    assert (await claim_one(world)).id > first.id
    assert not await worker.claim()
