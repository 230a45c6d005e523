"""What time takes away, and what stays."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from agent import wire
from bot import clock
from bot.errors import Invalid
from bot.services.identity import Identity
from bot.services.jobs_archive import JobArchive
from bot.services.retention import Retention
from tests.bot.services.workshop import Workshop, mod
from tests.bot.world import World, player, progress, result


async def populated(world: World) -> World:
    """A guild with something in every table that hangs on it."""
    host, _ = await world.pair()
    server = await world.server(host)
    await world.beat(host, wire.ServerReport(id=server, state="running", players=[player("Eve", steam="7" * 17)]))
    first = await world.enqueue(host, server)
    await world.enqueue(host, server, after=first.id)
    (job,) = await world.claim(host, 1)
    await world.queue.progress(host, job.run_id, progress(job))
    await world.queue.finish(host, job.run_id, result(job))
    return world


async def leave(world: World, days: float) -> None:
    await Identity(world.db).guild_left(world.guild)
    await world.rows(
        "update orgs set left_at = :then where id = :org", then=clock.now() - timedelta(days=days), org=world.org_id
    )


async def test_an_org_is_purged_and_its_audit_rows_stay(world: World) -> None:
    await populated(world)
    other = await populated(await World(world.db, guild=2002).found())
    await leave(world, 31)
    audited = await world.value("select count(*) from audit_logs where discord_guild_id = :guild", guild=world.guild)
    assert await Retention(world.db).left_orgs() == {"purged": 1}
    rows = await world.rows(
        "select org_id, action from audit_logs where discord_guild_id = :guild order by id", guild=world.guild
    )
    assert len(rows) == audited + 1
    assert rows[-1] == (None, "org.purge")
    assert all(org is None for org, _ in rows)
    for table in ("hosts", "server_instances", "jobs", "job_runs", "players", "events", "bot_messages", "api_keys"):
        left = await world.rows(f"select distinct org_id from {table}")
        assert left == [(other.org_id,)], table


@pytest.mark.parametrize("days", [0, 29.9])
async def test_who_left_recently_is_kept(world: World, days: float) -> None:
    await populated(world)
    await leave(world, days)
    assert await Retention(world.db).left_orgs() == {"purged": 0}
    assert await world.value("select count(*) from hosts") == 1


async def test_who_came_back_is_kept(world: World) -> None:
    await leave(world, 31)
    await Identity(world.db).guild_joined(world.guild, "Back", 1)
    assert await Retention(world.db).left_orgs() == {"purged": 0}


async def test_two_processes_purge_once(world: World) -> None:
    await populated(world)
    await leave(world, 31)
    done = await asyncio.gather(*(Retention(world.db).left_orgs() for _ in range(3)))
    assert sum(row["purged"] for row in done) == 1
    assert await world.value("select count(*) from audit_logs where action = 'org.purge'") == 1


async def test_old_rows_go_in_batches(world: World) -> None:
    await world.rows(
        """insert into cron_runs (job_name, status, started_at)
           select 'x', 'success', now() - interval '15 days' + n * interval '1 second' from generate_series(1, 25) n"""
    )
    await world.rows("insert into cron_runs (job_name, status, started_at) values ('x', 'success', now())")
    done = await Retention(world.db, batch=10).old_rows()
    assert done["cron_runs"] == 25
    assert await world.value("select count(*) from cron_runs") == 1


async def test_jobs_and_tokens_have_their_time(world: World) -> None:
    await populated(world)
    assert not any((await Retention(world.db).old_rows()).values())
    await world.jobs.cancel(world.admin(), 2)  # as long as one that follows is live, its chain stays together
    await world.rows("update jobs set finished_at = now() - interval '91 days'")
    await world.rows("update pairing_tokens set created_at = now() - interval '8 days'")
    await world.rows(
        "update notification_jobs set created_at = now() - interval '31 days', status = 'sent' where op = 'post'"
    )
    await world.rows("update player_sessions set ip = '192.0.2.1', started_at = now() - interval '31 days'")
    assert await JobArchive(world.db).tick() == {"archived": 2}
    done = await Retention(world.db).old_rows()
    assert (done["jobs"], done["pairing_tokens"], done["player_ips"]) == (2, 1, 1)
    assert done["notification_jobs"] >= 2
    assert await world.value("select count(*) from player_sessions where ip is not null") == 0


async def test_windows_that_are_long_over_go(world: World) -> None:
    await world.rows(
        """insert into maintenance_windows (org_id, reason, starts_at, ends_at, ended_at)
           select cast(:org as uuid), 'x', now() - n, now() - n + interval '1 hour', now() - n
             from unnest(array[interval '91 days', interval '89 days']) n
           union all select :org, 'x', now() - interval '91 days', now() + interval '1 day', null""",
        org=world.org_id,
    )
    assert (await Retention(world.db).old_rows())["maintenance_windows"] == 1
    assert await world.value("select count(*) from maintenance_windows") == 2


async def lines(world: World, *days: float) -> None:
    """A log line of a server for each age in days."""
    host, _ = await world.pair(f"logs-{world.guild}")
    server, now = await world.server(host, "Logs"), clock.now()
    for age in days:
        then = now - timedelta(days=age)
        for stream in ("logs", "events"):
            name = f"{stream}_p{then:%Y%m%d}"
            await world.rows(
                f"create table if not exists {name} partition of {stream} "
                f"for values from ('{then:%Y-%m-%d}T00:00:00Z') to ('{then + timedelta(days=1):%Y-%m-%d}T00:00:00Z')"
            )
        await world.rows(
            """insert into logs (org_id, server_instance_id, ts, level, message, received_at)
               values (:org, :server, :ts, 'info', :message, :ts)""",
            org=world.org_id,
            server=server,
            ts=then,
            message=f"{age:g}",
        )


async def kept(world: World) -> list[str]:
    return [
        row[0] for row in await world.rows("select message from logs where org_id = :o order by ts", o=world.org_id)
    ]


async def test_uploads_that_were_refused_go_and_versions_stay(world: World, tmp_path: Path) -> None:
    shop = Workshop(world, tmp_path)
    await shop.upload(mod())
    for content in (b"no map", b""):
        with pytest.raises(Invalid):
            await shop.upload(content, "mod.zip")
    assert (await Retention(world.db).old_rows())["rejected_mods"] == 0
    await world.rows(
        "update mod_artifacts set created_at = now() - interval '1 year', updated_at = now() - interval '15 days'"
    )
    assert (await Retention(world.db, batch=1).old_rows())["rejected_mods"] == 2
    assert await shop.artifact_rows() == [("Demo", "1.0", "ready")]


async def test_log_lines_are_kept_as_long_as_their_guild_wants(world: World) -> None:
    other = await World(world.db, guild=2002).found()
    await world.rows("update orgs set log_retention_days = 2 where id = :org", org=world.org_id)
    await world.rows("update orgs set log_retention_days = 5 where id = :org", org=other.org_id)
    for one in (world, other):
        await lines(one, 0, 1.5, 2.5, 4.9, 5.1, 8, 20, 100)
    retention = Retention(world.db, batch=1)
    await retention.streams()
    assert await kept(world) == ["1.5", "0"]
    assert await kept(other) == ["4.9", "2.5", "1.5", "0"]
    days = [
        row[0] for row in await world.rows("select relname from pg_class where relname ~ '^(logs|events)_p[0-9]+$'")
    ]
    assert sum(name.startswith("logs") for name in days) < sum(name.startswith("events") for name in days)
    assert f"events_p{clock.now() - timedelta(days=100):%Y%m%d}" not in days
    assert f"events_p{clock.now() - timedelta(days=20):%Y%m%d}" in days
    assert await retention.streams() == {"partitions": 0, "lines": 0}


async def test_the_logs_of_an_org_that_left_go_with_it(world: World) -> None:
    other = await World(world.db, guild=2002).found()
    for one in (world, other):
        await lines(one, 0, 1)
    await leave(world, 31)
    assert await Retention(world.db).left_orgs() == {"purged": 1}
    assert (await kept(world), await kept(other)) == ([], ["1", "0"])
