"""Many rules and several processes: none stops another, and nothing is done twice."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from bot.errors import Conflict
from bot.services.alert_evaluation import AlertEvaluation
from bot.services.leases import Leases
from bot.services.retention import Retention
from tests.bot.services.alert_world import Watchtower
from tests.bot.world import World


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    return await Watchtower(world, monkeypatch).built()


async def test_one_bad_rule_stops_no_other_and_says_what_is_wrong(tower: Watchtower) -> None:
    broken = await tower.rule("server_down", {"for_seconds": "soon"})
    never = await tower.rule("log_keyword", {"keyword": "(", "regex": True})
    await tower.counted(1)
    assert await tower.look(state="crashed") == {"fire": 1}
    errors = dict(await tower.world.rows("select id, last_error from alert_rules where last_error is not null"))
    assert "whole number" in errors[broken] and "RE2" in errors[never] and len(errors) == 2
    await tower.world.rows("""update alert_rules set condition = '{"for_seconds": 0}' where id = :id""", id=broken)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.world.value("select last_error from alert_rules where id = :id", id=broken) is None


async def test_a_rule_that_the_database_refuses_stops_no_other(tower: Watchtower) -> None:
    """A trigger stands for whatever may be wrong with a single rule."""
    bad = await tower.rule("server_down", {"for_seconds": 0}, name="bad")
    await tower.world.rows(
        """create function refuse() returns trigger language plpgsql as
           $$begin if new.title like '%down' and new.rule_id = (select id from alert_rules where name = 'bad')
             then raise exception 'not this one'; end if; return new; end$$"""
    )
    await tower.world.rows("create trigger refuse before insert on incidents for each row execute function refuse()")
    assert await tower.look(state="crashed") == {"fire": 1}
    error = await tower.world.value("select last_error from alert_rules where id = :id", id=bad)
    assert "not this one" in error and "insert" not in error
    assert len(await tower.firings()) == 1


async def test_two_processes_open_one_incident(tower: Watchtower) -> None:
    await tower.report(state="crashed")
    others = [AlertEvaluation(tower.world.db) for _ in range(4)]
    done = await asyncio.gather(*(other.states() for other in others), return_exceptions=True)
    assert sum(steps.get("fire", 0) for steps in done if isinstance(steps, dict)) == 1
    assert await tower.status() == [(1, "open")] and await tower.owed() == 1


async def test_who_has_not_the_duty_writes_nothing(tower: Watchtower) -> None:
    await tower.report(state="crashed")
    leases = Leases(tower.world.db, "one")
    evaluation = AlertEvaluation(tower.world.db.under(lambda: leases.under("alerts")))
    with pytest.raises(Conflict, match="does not have the duty"):
        await evaluation.states()
    await leases.take("alerts")
    await tower.world.rows("update leases set holder = 'other', epoch = epoch + 1")
    with pytest.raises(Conflict, match="Another process"):
        await evaluation.states()
    assert await tower.status() == [] and await tower.firings() == set()
    await tower.world.rows("update leases set expires_at = now() - interval '1 second'")
    await leases.take("alerts")
    assert await evaluation.states() == {"fire": 1}


async def test_other_guilds_rules_see_nothing_of_it(tower: Watchtower) -> None:
    stranger = await World(tower.world.db, guild=2002).found()
    await tower.world.rows("update alert_rules set enabled = true where org_id = :org", org=stranger.org_id)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.world.value("select count(*) from incidents where org_id = :org", org=stranger.org_id) == 0


async def test_what_is_over_for_long_and_old_counts_are_deleted(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "boom"})
    await tower.counted(5)
    await tower.look(state="crashed")
    await tower.clear()
    assert not any((await Retention(tower.world.db).old_rows()).values())
    tower.later(91 * 86_400)
    done = await Retention(tower.world.db).old_rows()
    assert (done["alert_firings"], done["alert_counts"]) == (1, 1)
    assert await tower.firings() != set(), "what fires stays, however long"


async def test_a_purged_guild_leaves_nothing_of_its_alerts(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "boom"})
    await tower.counted(5)
    await tower.look(state="crashed")
    await tower.world.rows("delete from orgs where id = :org", org=tower.world.org_id)
    for table in ("alert_rules", "alert_firings", "alert_counts", "incidents", "incident_events", "bot_messages"):
        assert await tower.world.value(f"select count(*) from {table}") == 0, table


async def test_conditions_that_no_one_would_write_end_no_statement(tower: Watchtower) -> None:
    odd: list[Any] = [None, True, "x", -5, 1.5, 1e300, 10**400, [], {}, [1], {"a": 1}]
    for n, value in enumerate(odd):
        for name in ("threshold", "window_minutes", "keyword", "for_seconds", "job_types", "consecutive"):
            for kind in ("log_keyword", "server_down", "host_offline", "job_run_failed"):
                await tower.rule(kind, {"keyword": "boom", name: value}, name=f"{n} {name} {kind}")
    fine = await tower.rule("log_keyword", {"keyword": "boom"}, name="fine")
    await tower.counted(1)
    tower.later(1)
    await tower.look(state="crashed")
    assert (fine, f"log_keyword:{tower.server}") in await tower.firings()
    assert await tower.world.value("select count(*) from alert_rules where last_error is not null") > 20


async def test_a_server_that_somebody_holds_keeps_no_other_alert_away(tower: Watchtower) -> None:
    second = await tower.add_server("EU2")
    await tower.report(second, state="crashed")
    await tower.report(state="crashed")
    async with tower.world.db.uow(tower.system()) as tx:
        await tx.session.execute(text("select 1 from server_instances where id = :id for update"), {"id": tower.server})
        assert await tower.evaluation.states() == {"fire": 1}
    assert await tower.evaluation.states() == {"fire": 1}
    assert await tower.status() == [(1, "open"), (2, "open")]
