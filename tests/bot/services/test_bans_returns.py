"""Servers and people who come back: what was banned stays banned."""

import asyncio
from datetime import timedelta

import pytest

from agent import wire
from bot import clock
from db.queries import ban_returns
from tests.bot.services.court import OTHER_STEAM, STEAM, Court, court, game, later
from tests.bot.world import World, player


@pytest.fixture(name="court")
async def made(world: World) -> Court:
    return await court(world)


async def test_a_host_that_was_away_is_told_when_it_is_back(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.world.rows("update hosts set status = 'offline', offline_since = now()")
    await court.ban(STEAM)
    assert await court.statuses() == {"EU1": "pending"} and await court.jobs() == []
    (receipt,) = (await court.bans.show(court.actor, "B-1")).receipts
    assert not receipt.host_online and receipt.host_offline_since
    await court.up(host, "EU1")
    await court.sync(host)
    assert await court.statuses() == {"EU1": "synced"}


async def test_a_server_that_is_down_is_told_when_it_is_up(court: Court) -> None:
    host = await court.host("gs-1", "EU1", status="stopped")
    await court.ban(STEAM)
    assert await court.statuses() == {"EU1": "pending"} and await court.jobs() == []
    await court.up(host, "EU1")
    await court.sync(host)


@pytest.mark.parametrize("forgets", [True, False])
async def test_after_a_restart(court: Court, forgets: bool) -> None:
    court.games = [game(*(["bans_memory"] if forgets else []))]
    host = await court.host("gs-1", "EU1")
    await court.up(host, "EU1", started_at=clock.now())
    for steam in (STEAM, OTHER_STEAM, "76561198000000003"):
        await court.ban(steam)
        await court.sync(host)
    await court.lift("B-3")
    await court.sync(host)
    revisions = await court.world.rows("select revision from ban_entries order by 1")
    await court.up(host, "EU1", started_at=clock.now() + timedelta(seconds=5))
    if forgets:
        assert [item.want for item in await court.sync(host)] == ["banned", "banned"], "what is over is not repeated"
        assert revisions != await court.world.rows("select revision from ban_entries order by 1")
    assert await court.world.claim(host) == []
    assert {status for _, _, _, status, _ in await court.entries()} == {"synced"}


async def test_a_restart_while_bans_are_applied_makes_their_receipts_void(court: Court) -> None:
    court.games = [game("bans_memory")]
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await court.take(host)
    await court.up(host, "EU1", started_at=clock.now())
    await court.answer(host, job)
    assert await court.statuses() == {"EU1": "syncing"}, "the game that took it is gone"
    await court.sync(host)
    assert await court.statuses() == {"EU1": "synced"}


async def test_a_restart_by_a_job(court: Court) -> None:
    """The game's end and its start may both lie between two heartbeats."""
    court.games = [game("bans_memory")]
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host)
    await court.world.rows("update server_instances set status = 'stopping'")
    await court.world.enqueue(host, await court.id_of("EU1"))
    job = await court.world.started(host)
    await court.world.queue.finish(host, job.run_id, wire.Result(claim_token=job.claim_token, outcome="success"))
    await court.sync(host)


async def test_a_new_server_gets_every_case_for_all(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.ban(OTHER_STEAM, server="EU1")
    await court.sync(host)
    await court.world.server(host, "EU2", "stopped")
    assert (await court.sweep.reconcile())["completed"] == 1
    assert (await court.sweep.reconcile())["completed"] == 0
    assert ("EU2", 1, "banned", "pending", None) in await court.entries()
    await court.world.server(host, "EU3", "starting")
    await court.up(host, "EU3")
    assert ("EU3", 1, "banned", "syncing", None) in await court.entries(), "at once, when it is up"
    assert not [entry for entry in await court.entries() if entry[:2] == ("EU2", 2)]


async def test_a_host_that_can_ban_later(court: Court) -> None:
    able, court.games = court.games, [game(ban_by=["eos"])]
    second = await court.host("gs-2", "EU2")
    court.games = able
    first = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(first)
    assert await court.statuses() == {"EU1": "synced", "EU2": "unsupported"}
    await court.sweep.reconcile()
    await court.beat(second)
    await court.sync(second)
    assert await court.statuses() == {"EU1": "synced", "EU2": "synced"}


async def test_who_comes_in_all_the_same(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await court.host("gs-1", "EU1")
    eve, bob = player("eve", steam=STEAM), player("bob", steam=OTHER_STEAM)
    await court.ban(STEAM)
    await court.sync(host)
    later(monkeypatch, minutes=5)
    await court.up(host, "EU1", eve, bob)
    assert await court.history() == ["created", "evaded"]
    (event, *_) = (await court.bans.show(court.actor, "B-1")).history
    assert (event.type, event.details["server"]) == ("evaded", "EU1")
    (item,) = await court.sync(host)
    assert item.want == "banned"
    await court.up(host, "EU1", eve, bob)
    await court.sweep.reconcile()
    assert await court.history() == ["created", "evaded"], "once a session"
    await court.up(host, "EU1", bob)
    later(monkeypatch, minutes=10)
    await court.up(host, "EU1", eve, bob)
    assert await court.history() == ["created", "evaded", "evaded"]


async def test_by_an_address_only_where_the_game_bans_by_it(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    """A brother in the same house, on a game that knows people better."""
    court.games = [game(ban_by=["steam"])]
    strict = await court.host("gs-1", "EU1")
    court.games = [game(ban_by=["ip"])]
    loose = await court.host("gs-2", "EU2")
    await court.up(loose, "EU2", player("eve", ip="192.0.2.9"))
    await court.ban("eve")
    await court.sync(loose)
    await court.world.rows("update ban_entries set sync_status = 'synced', applied_state = 'banned', synced_at = now()")
    later(monkeypatch, minutes=5)
    court.games = [game(ban_by=["steam"])]
    await court.up(strict, "EU1", player("bro", steam=STEAM, ip="192.0.2.9"))
    assert await court.history() == ["created"]


async def test_a_list_from_before_the_ban_is_no_evasion(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host)
    await court.up(host, "EU1", player("eve", steam=STEAM))
    assert await court.history() == ["created"], "it was made just before, and arrives just after"


async def test_only_what_no_other_case_holds_is_taken_back(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host)
    await court.world.rows("update hosts set status = 'offline', offline_since = now()")
    await court.lift()
    await court.ban(STEAM, reason="again")
    await court.up(host, "EU1")
    (item,) = await court.sync(host)
    assert (item.want, item.reason) == ("banned", "B-2: again")
    assert await court.entries() == [
        ("EU1", 1, "unbanned", "synced", "unbanned"),
        ("EU1", 2, "banned", "synced", "banned"),
    ]


async def test_a_game_that_is_gone_for_a_while_keeps_nobody_out(court: Court) -> None:
    """Its template was taken away, and the ban was lifted meanwhile."""
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host)
    able, court.games = court.games, []
    await court.up(host, "EU1")
    await court.lift()
    ((status, error),) = await court.world.rows("select sync_status, last_sync_error from ban_entries")
    assert status == "failed" and "does not know the game any more" in error
    court.games = able
    await court.up(host, "EU1")
    await court.overdue()
    await court.sweep.reconcile()
    (item,) = await court.sync(host)
    assert item.want == "unbanned"


async def test_a_console_that_is_silent_is_asked_ever_less_often(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    waits: list[int] = []
    for _ in range(7):
        await court.sync(host, "waiting", "the console is silent")
        wait = "select round(extract(epoch from next_attempt_at - now()))::int from ban_entries"
        waits.append(await court.world.value(wait))
        await court.overdue()
        await court.sweep.reconcile()
    assert [round(wait, -1) for wait in waits] == [30, 60, 120, 240, 480, 600, 600]
    await court.sync(host)
    assert await court.statuses() == {"EU1": "synced"}


async def test_a_lift_while_all_servers_of_a_host_start(court: Court) -> None:
    """Both take the entries in one order, so neither waits for the other one for ever."""
    host = await court.host("gs-1", "EU1", "EU2")
    await court.ban(STEAM)
    for _ in range(2):
        await court.sync(host)
    await court.world.rows(  # the later server's entry has the lower id
        """update ban_entries e set id = ('00000000-0000-4000-8000-00000000000' || n.n)::uuid
             from (select id, row_number() over (order by server_instance_id desc) n from ban_entries) n
            where n.id = e.id"""
    )
    one, other = sorted([await court.id_of("EU1"), await court.id_of("EU2")])
    async with court.world.db.uow(court.actor) as tx:
        await ban_returns.again(tx.session, court.world.org_id, one, forgets=True, now=clock.now())
        lifting = asyncio.create_task(court.lift())
        await asyncio.sleep(0.3)
        await ban_returns.again(tx.session, court.world.org_id, other, forgets=True, now=clock.now())
        tx.audit("host.beat", resource=("host", host.id))
    assert (await lifting).title == "B-1 is lifted"
