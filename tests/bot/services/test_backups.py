"""The rows of backups: one for each job, ended with it, and given up when there are enough newer ones."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent import wire
from bot import clock
from bot.domain.actions import ACTIONS
from bot.domain.jobs import JobType
from bot.errors import Conflict, NotPermitted, Unsupported
from bot.services import actions
from bot.services.agents import HostIdentity
from bot.services.backups import Backups
from bot.services.jobs_enqueue import enqueue
from tests.bot.people import People
from tests.bot.world import World, result

FOUND = wire.SaveBackupResult(size_bytes=2048, sha256="ab" * 32, files=3, changed=1)


class Vault:
    """A server whose game can be packed, on a host that does what a test says."""

    def __init__(self, world: World, host: HostIdentity, server: UUID) -> None:
        self.world, self.host, self.server = world, host, server
        self.backups, self.people = Backups(world.db), People(world.db)

    @classmethod
    async def built(cls, world: World) -> "Vault":
        host, _ = await world.pair()
        await world.rows("""update hosts set games = jsonb_set(games, '{0,capabilities}', '["start","backup"]')""")
        return cls(world, host, await world.server(host))

    async def create(self) -> wire.ClaimedJob:
        await self.backups.create(self.world.admin(), "EU1")
        return await self.world.started(self.host)

    async def end(self, job: wire.ClaimedJob, outcome: str = "success", **found: Any) -> None:
        made = FOUND.model_copy(update=found).dump() if outcome == "success" else {}
        await self.world.queue.finish(self.host, job.run_id, result(job, outcome, result=made, error="no room"))

    async def make(self) -> UUID:
        """A backup that is complete."""
        job = await self.create()
        await self.end(job, dropped=carried(job).drop)
        made = carried(job).backup_id
        assert made is not None
        return made

    async def rows(self) -> list[tuple[Any, ...]]:
        found = await self.world.rows("select id, status, storage_ref from backups order by created_at, name")
        return list(found)

    async def statuses(self) -> list[str]:
        return [status for _, status, _ in await self.rows()]


def carried(job: wire.ClaimedJob) -> wire.SaveBackup:
    assert isinstance(job.params, wire.SaveBackup)
    return job.params


@pytest.fixture
async def vault(world: World) -> Vault:
    return await Vault.built(world)


async def test_a_backup_from_the_command_to_its_end(vault: Vault) -> None:
    job = await vault.create()
    assert carried(job).drop == [] and await vault.statuses() == ["running"]
    await vault.end(job)
    ((row, status, ref),) = await vault.rows()
    assert (row, status, ref) == (carried(job).backup_id, "complete", str(row)), "an opaque name, never a path"
    kept = await vault.backups.list(vault.world.admin(), "EU1")
    (shown,) = kept.page.rows
    assert (kept.keep, shown.size_bytes, shown.checksum, shown.facts) == (
        7,
        2048,
        "ab" * 32,
        {"files": 3, "changed": 1},
    )
    assert shown.name.endswith("J-1") and await vault.world.job(1) == ("success", "success")
    assert "backup.create" in await vault.world.audited()


async def test_one_at_a_time(vault: Vault) -> None:
    await vault.create()
    with pytest.raises(Conflict, match="J-1 is waiting or under way already"):
        await vault.backups.create(vault.world.admin(), "EU1")
    assert await vault.statuses() == ["running"]


@pytest.mark.parametrize("outcome", ["failed", "cancelled", "unknown"])
async def test_what_fails_says_why_and_is_dropped_with_the_next(vault: Vault, outcome: str) -> None:
    job = await vault.create()
    await vault.end(job, outcome)
    (shown,) = (await vault.backups.list(vault.world.admin(), "EU1")).page.rows
    assert shown.status == "failed" and shown.facts["error"] and shown.size_bytes is None
    again = await vault.create()
    assert carried(again).drop == [carried(job).backup_id], "its host may have made it all the same"
    await vault.end(again, dropped=carried(again).drop)
    assert await vault.statuses() == ["complete"]


async def test_a_success_that_nobody_can_read_counts_as_failed(vault: Vault) -> None:
    job = await vault.create()
    await vault.world.queue.finish(vault.host, job.run_id, result(job, result={"sizeBytes": "many"}))
    assert await vault.statuses() == ["failed"]


async def test_one_that_never_began_has_failed(vault: Vault) -> None:
    await vault.backups.create(vault.world.admin(), "EU1")
    await vault.world.rows(
        "update jobs set expires_at = now() - interval '1 second', not_before = now() - interval '1h'"
    )
    await vault.world.sweep.expiry()
    assert await vault.world.job(1) == ("expired", None) and await vault.statuses() == ["failed"]
    await vault.backups.create(vault.world.admin(), "EU1")
    await vault.world.jobs.cancel(vault.world.admin(), 2)
    assert await vault.statuses() == ["failed", "failed"]


async def test_the_newest_stay_and_locked_ones_too(vault: Vault) -> None:
    await vault.world.rows("update server_instances set backup_keep = 2")
    first = await vault.make()
    await vault.world.rows("update backups set is_locked = true where id = :id", id=first)
    second, third, fourth = [await vault.make() for _ in range(3)]
    found = {row: status for row, status, _ in await vault.rows()}
    assert found == {first: "complete", second: "deleted", third: "complete", fourth: "complete"}
    shown = (await vault.backups.list(vault.world.admin(), "EU1")).page.rows
    assert [one.id for one in shown] == [fourth, third, first]
    job = await vault.create()
    assert carried(job).drop == [second]
    await vault.end(job, dropped=[])
    assert carried(await vault.create()).drop == [second, third], "what the host did not drop is named again"


async def test_a_late_result_counts(vault: Vault) -> None:
    job = await vault.create()
    await vault.world.lapse(job.run_id)
    await vault.world.sweep.leases()
    assert await vault.statuses() == ["failed"]
    await vault.end(job)
    assert await vault.statuses() == ["complete"]


async def test_what_a_host_dropped_is_gone_whatever_became_of_it(vault: Vault) -> None:
    """Its result came late: after the next one was told to drop it, and before that did so."""
    job = await vault.create()
    await vault.world.lapse(job.run_id)
    await vault.world.sweep.leases()
    again = await vault.create()
    await vault.end(job)
    assert sorted(await vault.statuses()) == ["complete", "running"]
    await vault.end(again, dropped=carried(again).drop)
    assert [row for row, *_ in await vault.rows()] == [carried(again).backup_id]


async def test_a_host_drops_only_what_is_its_own(vault: Vault) -> None:
    mine = await vault.make()
    other = await vault.world.server(vault.host, "EU2")
    await vault.backups.create(vault.world.admin(), "EU2")
    job = await vault.world.started(vault.host)
    await vault.end(job, dropped=[mine])
    assert await vault.statuses() == ["complete", "complete"] and other


async def test_each_run_of_a_schedule_and_each_retry_has_its_own(vault: Vault) -> None:
    """What a schedule keeps is the wish, and the job that is retried has named a file."""
    wish = actions.params(ACTIONS["backup"], "")
    assert isinstance(wish, wire.SaveBackup) and wish.backup_id is None
    used = wire.SaveBackup(backup_id=uuid4(), drop=[uuid4()])
    for params in (wish, wish, used):
        async with vault.world.db.uow(vault.world.admin()) as tx:
            await enqueue(
                tx, type=JobType.SAVE_BACKUP, host_id=vault.host.id, server_id=vault.server, params=params,
                source="schedule",
            )  # fmt: skip
            tx.audit("schedule.run", resource=("server", vault.server))
    ids = [row for row, *_ in await vault.rows()]
    assert len(set(ids)) == 3 and used.backup_id not in ids


async def test_a_retry_makes_a_backup(vault: Vault) -> None:
    await vault.end(await vault.create(), "failed")
    await vault.world.jobs.retry(vault.world.admin(), 1)
    job = await vault.world.started(vault.host)
    await vault.end(job, dropped=carried(job).drop)
    assert await vault.statuses() == ["complete"]


async def test_who_may_and_what_can(vault: Vault) -> None:
    with pytest.raises(NotPermitted, match=r"backups\.create"):
        await vault.backups.create(await vault.people.actor("nobody"), "EU1")
    with pytest.raises(NotPermitted):
        await vault.backups.list(await vault.people.actor("nobody"), "EU1")
    await vault.world.rows("update hosts set games = jsonb_set(games, '{0,capabilities}', '[\"start\"]')")
    with pytest.raises(Unsupported, match="does not support `backup`"):
        await vault.backups.create(vault.world.admin(), "EU1")


async def test_pages(vault: Vault) -> None:
    for n in range(12):
        made = clock.now() + timedelta(seconds=n)
        await vault.world.rows(
            "insert into backups (org_id, server_instance_id, name, status, created_at)"
            " values (:org, :server, :name, 'complete', :made)",
            org=vault.world.org_id,
            server=vault.server,
            name=f"n{n}",
            made=made,
        )
    first = await vault.backups.list(vault.world.admin(), "EU1")
    second = await vault.backups.list(vault.world.admin(), "EU1", 1)
    assert (len(first.page.rows), first.page.more, len(second.page.rows)) == (10, True, 2)
