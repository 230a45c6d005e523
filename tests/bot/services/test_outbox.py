"""What the bot owes Discord: in order, once, and never stuck behind a message that nobody takes."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bot import clock
from bot.domain.actors import system
from bot.services import outbox
from bot.services.outbox import BACK_OFF, Delayed, Outbox, OutboxRow, Refused, Sent, Skipped
from bot.services.setup import Setup
from tests.bot.people import People, again
from tests.bot.world import CHANNEL, World

OTHER, AUDIT = 5, 6
FORBIDDEN = Refused("Discord said 403: Missing Access", permanent=True, target="channel")


class Owed:
    """An outbox of one org, and what becomes of its rows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.outbox = Outbox(world.db)
        self.count = 0

    async def post(self, channel: int = CHANNEL, *, kind: str = "", key: str = "") -> UUID | None:
        """Owes a message; with a kind, one that is kept up to date."""
        self.count += 1
        async with self.world.db.uow(system("test", self.world.org_id)) as tx:
            message = None
            if kind:
                message = await outbox.track(
                    tx.session, org_id=self.world.org_id, kind=kind, subject_id=str(self.count), channel_id=channel
                )
            await outbox.post(
                tx.session,
                org_id=self.world.org_id,
                channel_id=channel,
                event_type="test",
                payload={"number": self.count},
                dedupe_key=key or f"test:{self.count}",
                message=message,
            )
        return message

    async def edit(self, message: UUID | None) -> None:
        assert message is not None
        async with self.world.db.uow(system("test", self.world.org_id)) as tx:
            await outbox.edit(tx.session, org_id=self.world.org_id, message=message, event_type="test.edit", payload={})

    async def claim(self) -> list[OutboxRow]:
        return list(await self.outbox.claim())

    async def one(self) -> OutboxRow:
        (row,) = await self.claim()
        return row

    async def settle(self, row: OutboxRow, delivery: outbox.Delivery) -> None:
        await self.outbox.settle(row, delivery)

    async def due(self) -> None:
        """Lets everything that waits be due."""
        await self.world.rows("update notification_jobs set next_attempt_at = now() - interval '1 second'")

    async def states(self) -> list[str]:
        return [row[0] for row in await self.world.rows("select status from notification_jobs order by id")]

    async def sent(self, message_id: int = 100, **post: Any) -> UUID | None:
        """A message that is in Discord and kept up to date."""
        message = await self.post(kind="job", **post)
        await self.settle(await self.one(), Sent(message_id, b"first"))
        await self.world.rows("update bot_messages set next_edit_at = null")
        return message


@pytest.fixture
def owed(world: World) -> Owed:
    return Owed(world)


def numbers(rows: list[OutboxRow]) -> list[int]:
    return [row.payload["number"] for row in rows]


async def test_messages_leave_in_order_within_a_channel(owed: Owed) -> None:
    for channel in (CHANNEL, CHANNEL, OTHER, CHANNEL):
        await owed.post(channel)
    first = await owed.claim()
    assert numbers(first) == [1, 3], "the head of each channel"
    assert await owed.claim() == [], "the next one waits until its head is in Discord"
    await owed.settle(first[0], Sent(1, b""))
    second = await owed.one()
    assert second.payload["number"] == 2
    await owed.settle(second, Sent(2, b""))
    assert numbers(await owed.claim()) == [4]


async def test_an_event_is_told_once(owed: Owed) -> None:
    for _ in range(3):
        await owed.post(key="host.paired:1:1")
    assert await owed.states() == ["pending"]


async def test_a_row_leaves_with_its_effect_or_not_at_all(owed: Owed, world: World) -> None:
    async def fail() -> None:
        async with world.db.uow(system("test", world.org_id)) as tx:
            await outbox.post(
                tx.session, org_id=world.org_id, channel_id=1, event_type="t", payload={}, dedupe_key="t:1:1"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await owed.states() == []


async def test_workers_share_the_rows(owed: Owed) -> None:
    for channel in range(10, 30):
        await owed.post(channel)
    shares = await asyncio.gather(*(Outbox(owed.world.db).claim(5) for _ in range(6)))
    rest = await owed.claim()
    claimed = [row.id for share in shares for row in share] + [row.id for row in rest]
    assert len(claimed) == len(set(claimed)) == 20


async def test_an_edit_waits_for_its_post(owed: Owed) -> None:
    message = await owed.post(kind="job")
    await owed.edit(message)
    row = await owed.one()
    assert (row.op, row.kind, row.message_id) == ("post", "job", None)
    await owed.settle(row, Sent(100, b"first"))
    edit = await owed.one()
    assert (edit.op, edit.message_id, edit.rendered_hash) == ("edit", 100, b"first")


async def test_one_pending_edit_stands_for_all(owed: Owed) -> None:
    message = await owed.sent()
    for _ in range(5):
        await owed.edit(message)
    assert await owed.states() == ["sent", "pending"]
    edit = await owed.one()
    await owed.edit(message)
    assert await owed.states() == ["sent", "processing", "pending"], "what changes while it is sent is another edit"
    await owed.settle(edit, Delayed(1, "429"))
    assert await owed.states() == ["sent", "pending"], "put back, the other one stands for both"


async def test_an_edit_does_not_wait_for_other_messages(owed: Owed) -> None:
    message = await owed.sent()
    await owed.post()
    await owed.edit(message)
    assert [row.op for row in await owed.claim()] == ["post", "edit"]


async def test_edits_of_a_message_have_their_pace(owed: Owed) -> None:
    message = await owed.post(kind="job")
    await owed.settle(await owed.one(), Sent(100, b"first"))
    await owed.edit(message)
    assert await owed.claim() == []
    await owed.due()
    assert (await owed.one()).op == "edit"


async def test_an_edit_that_changes_nothing_is_skipped(owed: Owed, world: World) -> None:
    message = await owed.sent()
    await owed.edit(message)
    await owed.settle(await owed.one(), Skipped(b"first"))
    assert await owed.states() == ["sent", "skipped"]
    assert await world.rows("select message_id, rendered_hash from bot_messages") == [(100, b"first")]


async def test_an_edit_that_was_sent_is_remembered(owed: Owed, world: World) -> None:
    message = await owed.sent()
    await owed.edit(message)
    await owed.settle(await owed.one(), Sent(None, b"second"))
    assert await world.rows("select message_id, rendered_hash from bot_messages") == [(100, b"second")]


async def test_a_refused_head_lets_the_next_one_go(owed: Owed) -> None:
    await owed.post()
    await owed.post()
    await owed.settle(await owed.one(), Refused("Discord said 400: Invalid Form Body", permanent=True))
    assert await owed.states() == ["failed", "pending"]
    assert (await owed.one()).payload["number"] == 2


async def test_edits_of_a_message_that_never_was_do_not_wait_for_ever(owed: Owed, world: World) -> None:
    message = await owed.post(kind="job")
    await owed.edit(message)
    await owed.settle(await owed.one(), Refused("Discord said 400: Invalid Form Body", permanent=True))
    assert await owed.states() == ["failed", "failed"]
    await owed.edit(message)
    assert await owed.states() == ["failed", "failed"]
    assert await world.value("select disabled_reason from bot_messages") == "Discord said 400: Invalid Form Body"


async def test_what_may_pass_is_tried_six_times(owed: Owed, world: World) -> None:
    await owed.post()
    await owed.post()
    waits: list[timedelta] = []
    for attempt in range(6):
        row = await owed.one()
        assert row.attempts == attempt
        before = clock.now()
        await owed.settle(row, Refused("Discord said 409"))
        if attempt < 5:
            assert await owed.claim() == [], "the channel waits with it"
            due = await world.value("select next_attempt_at from notification_jobs order by id limit 1")
            waits.append(due - before)
            await owed.due()
    assert [round(wait.total_seconds() / 60) for wait in waits] == [1, 2, 5, 10, 30]
    assert len(BACK_OFF) == 5
    assert await owed.states() == ["failed", "pending"]
    assert await world.rows("select attempts, last_error from notification_jobs order by id limit 1") == [
        (6, "Discord said 409")
    ]


async def test_a_busy_discord_costs_no_attempt(owed: Owed, world: World) -> None:
    await owed.post()
    for _ in range(20):
        await owed.settle(await owed.one(), Delayed(5, "Discord said 429"))
        assert await owed.claim() == []
        await owed.due()
    assert await world.rows("select status, attempts from notification_jobs") == [("pending", 0)]


async def test_a_channel_that_refuses_is_switched_off_and_the_audit_channel_hears_of_it(
    owed: Owed, world: World
) -> None:
    setup, owner = Setup(world.db), await People(world.db).owner()
    for purpose, channel in (("ops", CHANNEL), ("players", CHANNEL), ("audit", AUDIT)):
        await setup.set_channel(again(owner), purpose, channel)
    await owed.post()
    head, told = await owed.claim()
    await owed.settle(told, Sent(1, b""))
    await owed.settle(head, FORBIDDEN)
    chosen = await world.rows("select purpose, disabled_reason from notification_channels order by purpose")
    assert chosen == [
        ("audit", None),
        *((purpose, "Discord said 403: Missing Access") for purpose in ("ops", "players")),
    ]
    (notice,) = await owed.claim()
    assert (notice.channel_id, notice.event_type) == (AUDIT, "channel.disabled")
    assert sorted(notice.payload.pop("purposes")) == ["ops", "players"]
    assert notice.payload == {"channel": str(CHANNEL), "reason": "Discord said 403: Missing Access"}
    assert (
        await world.value(
            "select count(*) from notification_jobs where discord_channel_id = 4242 and status <> 'failed'"
        )
        == 0
    )
    assert (await world.audited())[-1] == "channel.disable"


async def test_an_audit_channel_that_refuses_tells_nobody(owed: Owed, world: World) -> None:
    await Setup(world.db).set_channel(await People(world.db).owner(), "audit", AUDIT)
    await owed.settle(await owed.one(), FORBIDDEN)
    assert await owed.states() == ["failed"]


async def test_a_message_that_somebody_deleted_is_left_alone(owed: Owed, world: World) -> None:
    message = await owed.sent()
    await owed.edit(message)
    gone = Refused("Discord said 404: Unknown Message", permanent=True, target="message")
    await owed.settle(await owed.one(), gone)
    await owed.edit(message)
    assert await owed.states() == ["sent", "failed"], "it is not posted again"
    await owed.post()
    assert (await owed.one()).op == "post", "the channel goes on"


async def test_a_row_whose_sender_died_is_looked_for_first(owed: Owed, world: World) -> None:
    await owed.post()
    row = await owed.one()
    assert not row.again
    assert await owed.claim() == []
    await world.rows("update notification_jobs set locked_until = now() - interval '1 second'")
    found = await owed.one()
    assert found.again and found.id == row.id
    await owed.settle(found, Sent(100, b""))
    assert await owed.states() == ["sent"]


@pytest.mark.parametrize(("chosen", "expected"), [(True, 777), (False, CHANNEL)])
async def test_where_a_message_goes(world: World, chosen: bool, expected: int) -> None:
    owner = await People(world.db).owner()
    if chosen:
        await Setup(world.db).set_channel(again(owner), "ops", 777)
    async with world.db.uow(owner) as tx:
        assert await outbox.channel_for(tx, owner, "ops") == expected
        assert await outbox.channel_for(tx, owner, "bans") == CHANNEL
