"""What hosts say about bans: counted once, for the wish that it is about."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from agent import wire
from bot.services.agents import HostIdentity
from tests.bot.services.court import OTHER_STEAM, STEAM, Court, court, items, later
from tests.bot.world import World, result


@pytest.fixture(name="court")
async def made(world: World) -> Court:
    return await court(world)


async def told(court: Court) -> list[Any]:
    """What is known of the one entry: its status, attempts, words and the minutes until it is tried again."""
    ((status, attempts, words, wait),) = await court.world.rows(
        """select sync_status, attempts, last_sync_error, round(extract(epoch from next_attempt_at - now()) / 60)::int
             from ban_entries"""
    )
    return [status, attempts, words, wait]


@pytest.mark.parametrize(
    ("outcome", "detail", "after"),
    [
        ("applied", "", ["synced", 0, None, 0]),
        ("refused", "Unknown player", ["failed", 1, "Unknown player", 1]),
        ("refused", "", ["failed", 1, "no reason was given", 1]),
        ("unsupported", "bans by eos only", ["unsupported", 0, "bans by eos only", 0]),
        ("waiting", "", ["pending", 1, None, 0]),
    ],
)
async def test_receipts(court: Court, outcome: str, detail: str, after: list[Any]) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host, outcome, detail)
    assert await told(court) == after


async def test_a_refusal_is_tried_again_ever_later(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    waits: list[int] = []
    for _ in range(11):
        await court.sync(host, "refused", "no")
        waits.append((await told(court))[3])
        assert await court.sweep.reconcile() == {"expired": 0, "completed": 0, "evaded": 0, "jobs": 0}, "not due yet"
        await court.overdue()
        assert (await court.sweep.reconcile())["jobs"] == 1
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    await court.sync(host)
    assert await told(court) == ["synced", 0, None, 0]


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
async def test_a_run_that_brought_no_receipts_is_repeated(court: Court, outcome: str) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    for _ in range(3 if outcome == "failed" else 1):
        assert await court.statuses() == {"EU1": "syncing"}, "its job is tried again"
        await court.world.rows("update jobs set not_before = now()")
        job = await court.take(host)
        await court.world.queue.finish(host, job.run_id, result(job, outcome, error="the console is gone"))
    status, attempts, words, wait = await told(court)
    assert (status, attempts, wait) == ("pending", 1, 0) and words, "it is asked again within seconds"
    await court.overdue()
    await court.sweep.reconcile()
    await court.sync(host)
    assert await court.statuses() == {"EU1": "synced"}


async def lost(court: Court, host: HostIdentity) -> wire.ClaimedJob:
    """A job of which nothing is heard, however often it is tried; its last run."""
    jobs: list[wire.ClaimedJob] = []
    for _ in range(3):
        await court.world.rows("update jobs set not_before = now()")
        jobs.append(await court.take(host))
        await court.world.lapse(jobs[-1].run_id)
        await court.world.sweep.leases()
    return jobs[-1]


async def test_a_host_that_falls_silent(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await lost(court, host)
    assert (await told(court))[:2] == ["pending", 1]
    await court.answer(host, job)
    assert await court.statuses() == {"EU1": "synced"}, "what comes late is still true"


async def test_a_late_refusal_does_not_undo_what_was_applied_since(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await lost(court, host)
    await court.overdue()
    await court.sweep.reconcile()
    await court.sync(host)
    await court.answer(host, job, "refused", "no", run="failed")
    assert await court.statuses() == {"EU1": "synced"}


async def test_cancelling_the_job_cancels_no_ban(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.world.jobs.cancel(court.world.admin(), 1)
    assert (await told(court))[:2] == ["pending", 1]
    await court.overdue()
    await court.sweep.reconcile()
    await court.sync(host)
    assert await court.statuses() == {"EU1": "synced"}


async def test_the_end_of_a_job_begins_the_next(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await court.take(host)
    await court.ban("76561198000000002")
    await court.ban("76561198000000003")
    assert await court.jobs() == [(1, "running")]
    await court.answer(host, job)
    assert await court.jobs() == [(1, "success"), (2, "queued")]
    assert len(await court.sync(host)) == 2


async def test_a_receipt_for_another_servers_entry_is_as_good_as_none(court: Court) -> None:
    first, second = await court.host("gs-1", "EU1"), await court.host("gs-2", "EU2")
    await court.ban(STEAM)
    job, other = await court.take(first), await court.take(second)
    forged = [
        wire.BanReceipt(entry_id=item.entry_id, revision=item.revision, outcome="applied") for item in items(other)
    ]
    ended = result(job, "success", result=wire.BanSyncResult(receipts=forged).dump())
    await court.world.queue.finish(first, job.run_id, ended)
    assert await court.statuses() == {"EU1": "pending", "EU2": "syncing"}


async def test_receipts_that_cannot_be_read_are_none(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await court.take(host)
    await court.world.queue.finish(host, job.run_id, result(job, "success", result={"receipts": "all well"}))
    assert (await told(court))[:2] == ["pending", 1]


async def test_many_bans_go_in_batches(court: Court) -> None:
    host = await court.host("gs-1", "EU1", status="stopped")
    await court.ban(STEAM)
    await court.world.rows(
        """with made as (
             insert into org_bans (org_id, number, player_name, reason, banned_at)
             select org_id, number + n, 'p' || n, 'r', now() from org_bans, generate_series(1, 449) n
             returning id, org_id, number),
           known as (insert into ban_identifiers (org_ban_id, org_id, kind, value)
             select id, org_id, 'steam', (76561198000001000 + number)::text from made)
           select 1"""
    )
    await court.up(host, "EU1")
    sizes = [len(await court.sync(host)) for _ in range(3)]
    assert sorted(sizes) == [50, 200, 200]
    assert await court.world.rows("select sync_status, count(*) from ban_entries group by 1") == [("synced", 450)]
    assert await court.world.claim(host) == []


async def test_the_notice_is_edited_only_when_it_says_something_else(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    edits = "select count(*) from notification_jobs where op = 'edit'"
    await court.sync(host)
    assert await court.world.value(edits) == 1
    await court.world.rows("update notification_jobs set status = 'sent'")
    await court.world.rows("update ban_entries set sync_status = 'pending', revision = revision + 1")
    await court.sweep.reconcile()
    await court.sync(host)
    assert await court.world.value(edits) == 1, "applied it was, and applied it is"


async def test_ends_by_itself(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM, duration="1h")
    await court.sync(host)
    assert await court.sweep.expire() == {"expired": 0}
    later(monkeypatch, minutes=61)
    both = await asyncio.gather(court.sweep.expire(), court.sweep.expire())
    assert sum(done["expired"] for done in both) == 1, "two who sweep end it once"
    (item,) = await court.sync(host)
    assert item.want == "unbanned" and await court.history() == ["created", "expired"]
    assert await court.world.value("select status from org_bans") == "expired"
    assert "ban.expire" in await court.world.audited()


async def test_one_that_cannot_be_ended_keeps_no_other_from_its_end(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    await court.host("gs-1", "EU1")
    for player, duration in ((STEAM, "1h"), (OTHER_STEAM, "2h")):
        await court.ban(player, duration=duration)
    await court.world.rows("alter table org_bans add constraint no_end check (number <> 1 or status = 'active')")
    later(monkeypatch, minutes=121)
    await court.world.rows("delete from ban_entries")
    await court.world.rows("update server_instances set created_at = now() + interval '2 hours'")
    with pytest.raises(IntegrityError):
        await court.sweep.reconcile()
    assert await court.world.rows("select number, status from org_bans order by 1") == [(1, "active"), (2, "expired")]
    assert await court.world.value("select count(*) from ban_entries") == 1, "what else is due was done, too"


async def test_what_has_ended_meanwhile_is_told_to_nobody(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await court.host("gs-1", "EU1", status="stopped")
    await court.ban(STEAM, duration="1h")
    later(monkeypatch, minutes=61)
    await court.up(host, "EU1")
    assert await court.jobs() == []
    await court.sweep.reconcile()
    assert await court.entries() == [("EU1", 1, "unbanned", "synced", "unbanned")] and await court.jobs() == []
