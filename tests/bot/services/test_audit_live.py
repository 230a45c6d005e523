"""The audit log as it comes, in a channel: every row once, several in a message, and none that tells of itself."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import clock
from bot.domain.actors import system
from bot.errors import AlreadyHandled
from bot.services import outbox
from bot.services.audit import Audit
from bot.services.identity import Identity
from bot.services.outbox import Delayed, Outbox, OutboxRow, Refused, Sent
from bot.ui.audit import live_card
from tests.bot.people import People, again
from tests.bot.ui.limits import text_of
from tests.bot.world import World

AUDIT = 6


@pytest.fixture
async def watched(world: World) -> World:
    """An org that watches its log in a channel."""
    await world.rows(
        """insert into notification_channels (org_id, name, purpose, type, discord_channel_id, min_severity)
           values (:org, 'audit', 'audit', 'discord_channel', :channel, 'low')""",
        org=world.org_id,
        channel=AUDIT,
    )
    await world.rows("update orgs set audit_live = true where id = :org", org=world.org_id)
    return world


async def did(world: World, *actions: str) -> None:
    for action in actions:
        async with world.db.uow(world.admin()) as tx:
            tx.audit(action, resource=("org", world.org_id))


async def owed(world: World) -> list[list[str]]:
    """The actions that each waiting message tells of."""
    rows = await world.rows(
        """select array(select a.action from jsonb_array_elements(n.payload_json -> 'ids') i
                          join audit_logs a on a.id = cast(i as bigint) order by a.id)
             from notification_jobs n where n.event_type = 'audit.entry' and n.status <> 'sent' order by n.id"""
    )
    return [row[0] for row in rows]


async def claimed(world: World) -> OutboxRow:
    (row,) = await Outbox(world.db).claim()
    return row


async def test_every_row_of_the_org_and_of_no_other(watched: World) -> None:
    other = await World(watched.db, guild=2002).found()
    await did(watched, "one", "two")
    await did(other, "elsewhere")
    assert await owed(watched) == [["one"], ["two"]]


async def test_look_ups_of_many_people_at_once(watched: World) -> None:
    people, identity = People(watched.db), Identity(watched.db)
    ann = await people.actor("ann")
    await asyncio.gather(*(identity.record(again(ann), f"look.{n}", "success", None) for n in range(20)))
    told = [action for (action,) in await owed(watched)]
    assert sorted(told) == sorted(f"look.{n}" for n in range(20))


@pytest.mark.parametrize(
    "change", ["update orgs set audit_live = false", "update notification_channels set enabled = false"]
)
async def test_nothing_while_nobody_watches(watched: World, change: str) -> None:
    await watched.rows(change)
    await did(watched, "one")
    assert await owed(watched) == []


async def test_a_change_that_is_undone_tells_nothing(watched: World) -> None:
    await did(watched, "one")
    actor = again(watched.admin())
    assert actor.invocation
    delivered = actor.invocation

    async def change() -> None:
        async with watched.db.uow(replace(actor, invocation=replace(delivered))) as tx:
            tx.audit("two", resource=("org", None))

    await change()
    with pytest.raises(AlreadyHandled):
        await change()
    assert await owed(watched) == [["one"], ["two"]]


async def test_what_waits_goes_into_one_message(watched: World) -> None:
    await did(watched, *(f"act.{n:02}" for n in range(13)))
    first = await claimed(watched)
    assert len(first.payload["ids"]) == 10 and first.payload["ids"] == sorted(first.payload["ids"])
    assert await Outbox(watched.db).claim() == [], "the next message waits for this one"
    await Outbox(watched.db).settle(first, Sent(1, b""))
    second = await claimed(watched)
    assert len(second.payload["ids"]) == 3
    entries = await Audit(watched.db).live(watched.org_id, [*first.payload["ids"], *second.payload["ids"]])
    assert [entry.action for entry in entries] == [f"act.{n:02}" for n in range(13)]


async def test_what_lies_between_stays_between(watched: World) -> None:
    await did(watched, "one")
    async with watched.db.uow(system("test", watched.org_id)) as tx:
        await outbox.post(
            tx.session, org_id=watched.org_id, channel_id=AUDIT, event_type="seal", payload={}, dedupe_key="seal:1"
        )
    await did(watched, "two")
    kinds: list[tuple[str, int]] = []
    while rows := await Outbox(watched.db).claim():
        for row in rows:
            kinds.append((row.event_type, len(row.payload.get("ids", []))))
            await Outbox(watched.db).settle(row, Sent(1, b""))
    assert kinds == [("audit.entry", 1), ("seal", 0), ("audit.entry", 1)]


async def test_a_message_that_may_have_arrived_stays_as_it_was(watched: World) -> None:
    await did(watched, "one")
    first = await claimed(watched)
    await Outbox(watched.db).settle(first, Delayed(0.0, "cut off", unsure=True))
    await did(watched, "two")
    await watched.rows(
        "update notification_jobs set locked_until = now() - interval '1 second' where locked_until is not null"
    )
    repeated = await claimed(watched)
    assert repeated.again and repeated.payload == first.payload


async def test_one_that_waits_for_discord_takes_more_along(watched: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await did(watched, "one", "two")
    await Outbox(watched.db).settle(await claimed(watched), Delayed(1.0, "busy"))
    await did(watched, "three")
    later = clock.now() + timedelta(seconds=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert len((await claimed(watched)).payload["ids"]) == 3


async def test_its_own_end_is_no_news(watched: World) -> None:
    await did(watched, "one")
    refused = Refused("Discord said 403", permanent=True, target="channel")
    await Outbox(watched.db).settle(await claimed(watched), refused)
    assert "channel.disable" in await watched.audited()
    assert await owed(watched) == [["one"]], "the one that failed"
    await did(watched, "two")
    assert await Outbox(watched.db).claim() == []


async def test_names_do_no_harm_in_it(watched: World) -> None:
    people = People(watched.db)
    eve = await people.actor("eve", display_name="**@everyone** <@1>", guild_id=watched.guild)
    async with watched.db.uow(eve) as tx:
        tx.audit("console.run", resource=("org", watched.org_id), command="password hunter2")
    row = await claimed(watched)
    text = text_of(live_card(await Audit(watched.db).live(watched.org_id, row.payload["ids"]), 7))
    assert "@everyone" not in text and "<@1>" not in text and "hunter2" not in text
