"""Verdicts of the set-based statements, held against a look at every rule and every entity by itself."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.services import alert_counts
from tests.bot.services.alert_world import Watchtower
from tests.bot.world import World

STATES = ("running", "stopped", "crashed", "starting", "stopping", "unknown")
WORDS = ("boom", "Boom", "panic: x", "all is well", "player joined", "BOOM boom")


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    return await Watchtower(world, monkeypatch).built()


async def many_servers(tower: Watchtower, chance: random.Random) -> list[UUID]:
    """Servers of three hosts in every state that there is, some of them long unheard of."""
    hosts = [tower.host, *[(await tower.world.pair(f"more-{n}"))[0] for n in range(2)]]
    servers = [await tower.add_server(f"S{n}", chance.choice(hosts)) for n in range(40)]
    for server in servers:
        await tower.world.rows(
            """update server_instances set status = :status, desired_state = :desired, last_seen_at = :seen,
                      observed = jsonb_build_object('reachable', cast(:reachable as boolean)),
                      deleted_at = cast(:deleted as timestamptz) where id = :id""",
            id=server,
            status=chance.choice(STATES),
            desired=chance.choice(("running", "running", "stopped", "unmanaged")),
            seen=tower.now - timedelta(seconds=chance.choice((0, 10, 40, 50, 500))),
            reachable=chance.choice((True, True, False, None)),
            deleted=chance.choice((None, None, None, tower.now)),
        )
    return servers


async def brute_servers(tower: Watchtower) -> set[tuple[UUID, str]]:
    """What each rule would say of each server, one by one."""
    found: set[tuple[UUID, str]] = set()
    rules = await tower.world.rows(
        "select id, org_id, host_id, server_instance_id from alert_rules where type = 'server_down' and enabled"
    )
    servers = await tower.world.rows(
        """select s.id, s.org_id, s.host_id, s.status, s.desired_state, s.last_seen_at, s.observed -> 'reachable',
                  s.deleted_at from server_instances s"""
    )
    for rule, rule_org, rule_host, rule_server in rules:
        for id_, org, host, status, desired, seen, reachable, deleted in servers:
            about = org == rule_org and rule_host in (None, host) and rule_server in (None, id_)
            fresh = seen >= tower.now - timedelta(seconds=45)
            down = status in ("crashed", "stopped") or (status == "running" and reachable is False)
            if about and deleted is None and desired == "running" and fresh and down:
                found.add((rule, f"server_down:{id_}"))
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_servers(tower: Watchtower, seed: int) -> None:
    chance = random.Random(seed)
    servers = await many_servers(tower, chance)
    await tower.world.rows("update alert_rules set enabled = false")
    condition: dict[str, Any] = {"for_seconds": 0}
    hosts = await tower.world.rows("select id from hosts")
    for n in range(12):
        scope = chance.choice(({}, {"server": chance.choice(servers)}, {"host": chance.choice(hosts)[0]}))
        await tower.rule("server_down", condition, name=f"r{n}", enabled=chance.random() < 0.8, **scope)
    wanted = await brute_servers(tower)
    await tower.evaluation.states()
    assert await tower.firings() == wanted and wanted
    incidents = await tower.world.rows("select rule_id, fingerprint from incidents where status = 'open'")
    assert sorted(incidents) == sorted(wanted)


async def brute_lines(tower: Watchtower) -> set[tuple[UUID, str]]:
    """A statement over the stored lines themselves. A line counts from the begin of its ten seconds on."""
    rows = await tower.world.rows(
        """select r.id, 'log_keyword:' || l.server_instance_id
             from alert_rules r join logs l on l.org_id = r.org_id
              and (r.server_instance_id is null or r.server_instance_id = l.server_instance_id)
            where r.type = 'log_keyword' and r.enabled
              and date_bin('10 seconds', l.ts, 'epoch')
                    > cast(:now as timestamptz) - make_interval(mins => cast(r.condition ->> 'window_minutes' as int))
              and l.ts <= :now
              and case when cast(r.condition ->> 'case_sensitive' as boolean)
                       then position(r.condition ->> 'keyword' in l.message) > 0
                       else position(lower(r.condition ->> 'keyword') in lower(l.message)) > 0 end
            group by r.id, l.server_instance_id, r.condition
           having count(*) >= cast(r.condition ->> 'threshold' as int)""",
        now=tower.now,
    )
    return {(row[0], row[1]) for row in rows}


async def stored(tower: Watchtower, server: UUID, lines: list[tuple[datetime, str]]) -> None:
    """Lines of a log, as they are stored: with their counts."""
    async with tower.world.db.uow(tower.system()) as tx:
        await alert_counts.count(tx, tower.world.org_id, server, lines)
    for at, message in lines:
        await tower.world.rows(
            """insert into logs (org_id, server_instance_id, ts, level, message)
               values (:org, :server, :at, 'info', :message)""",
            org=tower.world.org_id,
            server=server,
            at=at,
            message=message,
        )


@pytest.mark.parametrize("seed", range(3))
async def test_lines(tower: Watchtower, seed: int) -> None:
    chance = random.Random(seed)
    servers = [tower.server, *[await tower.add_server(f"S{n}") for n in range(3)]]
    for n in range(25):
        condition = {
            "keyword": chance.choice(("boom", "panic", "player", "(x)")),
            "case_sensitive": chance.random() < 0.5,
            "threshold": chance.choice((1, 2, 3, 5, 8)),
            "window_minutes": chance.choice((1, 2, 5)),
        }
        scope = {"server": chance.choice(servers)} if chance.random() < 0.4 else {}
        await tower.rule("log_keyword", condition, name=f"r{n}", enabled=chance.random() < 0.8, **scope)
    for server in servers:
        moments = [tower.now - timedelta(seconds=chance.uniform(0, 400)) for _ in range(15)]
        await stored(tower, server, [(at, chance.choice(WORDS)) for at in moments])
    wanted = await brute_lines(tower)
    await tower.evaluation.states()
    assert await tower.firings() == wanted and wanted
