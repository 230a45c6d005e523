"""Rules as people keep them: what is refused, what is switched, and what ends with what."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import system
from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.alerts import Scope
from bot.services.fleet import Fleet
from bot.services.setup import Setup
from db.seed import ensure_rules
from tests.bot.services.alert_world import ALERTS, Watchtower
from tests.bot.world import World


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    return await Watchtower(world, monkeypatch).built()


async def add(tower: Watchtower, kind: str = "log_keyword", name: str = "mine", **values: Any) -> Any:
    condition: dict[str, Any] = values.pop("condition", {"keyword": "boom"})
    scope: Scope = values.pop("scope", Scope())
    return await tower.alerts.add(tower.world.admin(), kind, name, values.pop("severity", "med"), condition, scope)


async def test_every_guild_starts_with_two_rules_that_wait_for_a_channel(world: World) -> None:
    rows = await world.rows("select name, type, enabled, severity, condition from alert_rules order by name")
    assert rows == [
        ("Host offline", "host_offline", False, "high", {"for_seconds": 120}),
        ("Server down", "server_down", False, "high", {"for_seconds": 10}),
    ]


async def test_a_guild_that_is_older_than_the_rules_gets_them_once(world: World) -> None:
    await world.rows("delete from alert_rules")
    for _ in range(2):
        async with world.db.uow(system("seed")) as tx:
            await ensure_rules(tx.session)
    assert await world.value("select count(*) from alert_rules") == 2


async def test_a_channel_switches_on_what_waited_and_nothing_that_somebody_switched_off(tower: Watchtower) -> None:
    assert await tower.world.value("select count(*) from alert_rules where enabled") == 2
    await tower.alerts.toggle(tower.world.admin(), "server down")
    tower.later(1)
    await Setup(tower.world.db).set_channel(tower.world.admin(), "alerts", ALERTS + 1)
    assert await tower.world.rows("select name from alert_rules where enabled") == [("Host offline",)]


async def test_a_rule_that_is_added_watches_and_says_where_and_how_often(tower: Watchtower) -> None:
    kept = await add(tower, "server_down", condition={"for_seconds": 30}, scope=Scope(server_id=tower.server))
    assert (kept.channels, kept.rule.server_name, kept.rule.enabled) == ((ALERTS,), "EU1", True)
    assert kept.past is not None and kept.past.times == 0 and "crashes only" in kept.past.caveat
    assert (await tower.world.audited())[-1] == "alert.add"


@pytest.mark.parametrize(
    ("kind", "name", "condition", "words"),
    [
        ("backup_missing", "x", {}, "no such type"),
        ("log_keyword", "x", {"keyword": "("}, ""),
        ("log_keyword", "x", {"keyword": "(", "regex": True}, "RE2"),
        ("log_keyword", "x", {"keyword": ".*", "regex": True}, "every line"),
        ("log_keyword", "x", {"keyword": ""}, "empty"),
        ("log_keyword", "x", {"keyword": "x" * 3_000_000}, "at most 200"),
        ("job_run_failed", "x", {"job_types": ["REBOOT"]}, "no job type REBOOT"),
        ("host_offline", "x", {"for_seconds": 1}, "from 30"),
        ("server_down", " ", {}, "1 to 64"),
        ("server_down", "x" * 65, {}, "1 to 64"),
        ("server_down", "a\u202eb", {}, "printable"),
    ],
)
async def test_what_is_refused(tower: Watchtower, kind: str, name: str, condition: dict[str, Any], words: str) -> None:
    if not words:
        await add(tower, kind, name, condition=condition)
        return
    with pytest.raises(Invalid, match=words):
        await add(tower, kind, name, condition=condition)
    assert await tower.world.value("select count(*) from alert_rules") == 2


async def test_a_name_is_taken_once_also_by_two_at_once(tower: Watchtower) -> None:
    done = await asyncio.gather(add(tower), add(tower), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Kept"]


async def test_hosts_and_servers_that_are_gone_or_others(tower: Watchtower) -> None:
    actor = tower.world.admin
    stranger = await World(tower.world.db, guild=2002).found()
    for host, server in (("nowhere", ""), ("", "nowhere"), (str(tower.server), ""), ("", str(tower.host.id))):
        with pytest.raises(NotFound):
            await tower.alerts.scope(actor(), "log_keyword" if server else "host_offline", host, server)
    with pytest.raises(NotFound):
        await tower.alerts.scope(stranger.admin(), "server_down", "", str(tower.server))
    with pytest.raises(Invalid, match="watches hosts"):
        await tower.alerts.scope(actor(), "host_offline", "", str(tower.server))
    with pytest.raises(Invalid, match="a host or about a server"):
        await tower.alerts.scope(actor(), "server_down", str(tower.host.id), str(tower.server))
    await tower.world.rows("update server_instances set deleted_at = now()")
    await tower.world.hosts.revoke(actor(), str(tower.host.id))
    async with tower.world.db.uow(actor()) as tx:
        await tower.world.hosts.remove_in(tx, str(tower.host.id))
    with pytest.raises(NotFound):
        await add(tower, "host_offline", condition={}, scope=Scope(host_id=tower.host.id))


async def test_another_guilds_rules_are_not_there(tower: Watchtower) -> None:
    stranger = await World(tower.world.db, guild=2002).found()
    kept = await add(tower)
    assert [rule.name for rule in await tower.alerts.suggest(stranger.admin(), "mine")] == []
    for ref in (str(kept.rule.id), "mine"):
        with pytest.raises(NotFound):
            await tower.alerts.toggle(stranger.admin(), ref)
        with pytest.raises(NotFound):
            await tower.alerts.test(stranger.admin(), ref)
    assert len((await tower.alerts.list(stranger.admin())).rows) == 2


async def test_who_may_not(tower: Watchtower) -> None:
    with pytest.raises(NotPermitted):
        await tower.alerts.add(tower.world.member(), "server_down", "x", "high", {}, Scope())
    with pytest.raises(NotPermitted):
        await tower.alerts.toggle(tower.world.member(), "Server down")
    with pytest.raises(NotPermitted):
        await tower.alerts.test(tower.world.member(), "Server down")
    assert await tower.alerts.suggest(tower.world.member(), "") == []


async def test_switching_a_rule_off_ends_what_it_opened_and_on_begins_anew(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    kept = await tower.alerts.toggle(tower.world.admin(), "Server down")
    assert not kept.rule.enabled and await tower.status() == [(1, "resolved")] and await tower.firings() == set()
    tower.later(5)
    assert await tower.look(state="crashed") == {}
    await tower.alerts.toggle(tower.world.admin(), "Server down")
    tower.later(400)
    assert await tower.look(state="crashed") == {"fire": 1}


async def test_a_rule_that_is_switched_off_while_it_fires_leaves_nothing_open(tower: Watchtower) -> None:
    for _ in range(6):
        await tower.report(state="crashed")
        await asyncio.gather(
            tower.evaluation.states(), tower.alerts.toggle(tower.world.admin(), "Server down"), return_exceptions=True
        )
        enabled = await tower.world.value("select enabled from alert_rules where name = 'Server down'")
        live = await tower.world.value("select count(*) from incidents where status <> 'resolved'")
        firing = len(await tower.firings())
        assert live == firing and (enabled or live == 0)
        if not enabled:
            await tower.alerts.toggle(tower.world.admin(), "Server down")
        tower.later(400)


async def test_removing_a_server_ends_its_incident_in_the_same_transaction(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    await tower.sent()
    fleet = Fleet(tower.world.db)
    async with tower.world.db.uow(tower.world.admin()) as tx:
        await fleet.removed(tx, {"server": str(tower.server)})
    assert await tower.status() == [(1, "resolved")] and await tower.firings() == set()
    assert await tower.owed("edit") == 1
    assert await tower.world.value("select message from incident_events order by id desc limit 1") == (
        "the server was removed"
    )
    assert await tower.look() == {}


async def test_the_name_of_a_rule_for_a_removed_server_is_free(tower: Watchtower) -> None:
    """Whoever builds a server anew gives its rules the same names."""
    scope = Scope(server_id=tower.server)
    await add(tower, "server_down", name="EU1 is down", condition={"for_seconds": 0}, scope=scope)
    await tower.look(state="crashed")
    fleet = Fleet(tower.world.db)
    async with tower.world.db.uow(tower.world.admin()) as tx:
        await fleet.removed(tx, {"server": str(tower.server)})
    assert await tower.status() == [(1, "resolved"), (2, "resolved")]
    assert (await tower.incidents.show(tower.world.admin(), "1")).title == "EU1 is down"
    again = Scope(server_id=await tower.add_server("EU1b"))
    await add(tower, "server_down", name="EU1 is down", condition={"for_seconds": 0}, scope=again)


async def test_removing_a_host_ends_its_incident(tower: Watchtower) -> None:
    tower.later(200)
    await tower.look()
    assert await tower.status() == [(1, "open")]
    await tower.world.rows("update server_instances set deleted_at = now()")
    async with tower.world.db.uow(tower.world.admin()) as tx:
        await tower.world.hosts.remove_in(tx, str(tower.host.id))
    assert await tower.status() == [(1, "resolved")] and await tower.firings() == set()


async def test_a_test_goes_where_the_rules_messages_go(tower: Watchtower) -> None:
    kept = await tower.alerts.test(tower.world.admin(), "Server down")
    assert kept.channels == (ALERTS,)
    rows = await tower.world.rows(
        "select discord_channel_id, payload_json from notification_jobs order by id desc limit 1"
    )
    assert rows == [(ALERTS, {"rule": "Server down", "severity": "high", "by": "Ann"})]
    await tower.world.rows("update notification_channels set enabled = false")
    with pytest.raises(Conflict, match="No channel takes"):
        await tower.alerts.test(tower.world.admin(), "Server down")


async def test_what_would_have_been_in_seven_days(tower: Watchtower) -> None:
    for hours in (1, 5):
        tower.now -= timedelta(hours=hours)
        await tower.report(state="crashed")
        await tower.report(state="running")
        tower.now += timedelta(hours=hours)
    kept = await add(tower, "server_down", "g", condition={"for_seconds": 5})
    assert kept.past is not None and kept.past.times == 2
    tower.later(300)
    await tower.world.heartbeats.sweep()
    await tower.beat()
    kept = await add(tower, "host_offline", "h", condition={"for_seconds": 240})
    assert kept.past is not None and (kept.past.times, kept.past.caveat) == (1, "")
    kept = await add(tower, "host_offline", "i", condition={"for_seconds": 30})
    assert kept.past is not None and "shorter than 120 s were not kept" in kept.past.caveat
    kept = await add(tower, name="quiet")
    assert kept.past is not None and kept.past.times is None
    for minute in (1, 2, 30):
        await tower.world.rows(
            """insert into logs (org_id, server_instance_id, ts, level, message)
               values (:org, :server, :at, 'info', 'BOOM')""",
            org=tower.world.org_id,
            server=tower.server,
            at=tower.now - timedelta(minutes=minute),
        )
    kept = await add(tower, name="again")
    assert kept.past is not None and kept.past.times == 2


async def test_an_expression_that_takes_too_long_on_what_was_logged_is_refused(tower: Watchtower) -> None:
    await tower.world.rows(
        """insert into logs (org_id, server_instance_id, ts, level, message)
           select :org, :server, cast(:now as timestamptz) - make_interval(secs => n), 'info',
                  (select string_agg(case when random() < 0.5 then 'a' else 'b' end, '')
                     from generate_series(1, 2000) where n > 0)
             from generate_series(1, 300) n""",
        org=tower.world.org_id,
        server=tower.server,
        now=tower.now,
    )
    with pytest.raises(Invalid, match="too long"):
        await add(tower, condition={"keyword": "(a|b)*a[ab]{180}c", "regex": True})
    assert (await add(tower, condition={"keyword": "(a|b)c", "regex": True})).past.times == 0


async def test_a_guild_has_only_so_many_rules(tower: Watchtower) -> None:
    await tower.world.rows(
        """insert into alert_rules (org_id, name, type, condition, severity)
           select :org, 'r' || n, 'host_offline', '{}', 'low' from generate_series(1, 97) n""",
        org=tower.world.org_id,
    )
    await add(tower, name="the last")
    with pytest.raises(Conflict, match="100 rules"):
        await add(tower, name="one more")
