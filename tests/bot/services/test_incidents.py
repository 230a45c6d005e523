"""Incidents as people work on them: whoever is second is shown how it stands."""

import asyncio
from uuid import UUID

import pytest

from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.incidents import Act
from tests.bot.services.alert_world import Watchtower
from tests.bot.world import World


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    """With a server that is down, and its incident."""
    made = await Watchtower(world, monkeypatch).built()
    await made.look(state="crashed")
    await made.sent()
    return made


async def incident(tower: Watchtower) -> UUID:
    return await tower.world.value("select id from incidents")


@pytest.mark.parametrize(("act", "status"), [("acknowledge", "investigating"), ("resolve", "resolved")])
async def test_of_many_presses_one_counts_and_all_see_how_it_stands(tower: Watchtower, act: Act, status: str) -> None:
    id_ = await incident(tower)
    done = await asyncio.gather(*(tower.incidents.press(tower.world.admin(str(n)), id_, act) for n in range(6)))
    assert sorted(one.changed for one in done) == [False] * 5 + [True]
    assert {one.card.status for one in done} == {status}
    assert await tower.lines() == ["created", "status_change"] and await tower.owed("edit") == 1
    again = [action for action in await tower.world.audited() if action == f"incident.{act}.again"]
    assert len(again) == 5


async def test_acknowledge_on_a_card_that_is_resolved_shows_that(tower: Watchtower) -> None:
    id_ = await incident(tower)
    await tower.incidents.press(tower.world.admin(), id_, "resolve")
    late = await tower.incidents.press(tower.world.admin(), id_, "acknowledge")
    assert (late.changed, late.card.status) == (False, "resolved")


async def test_what_is_refused(tower: Watchtower) -> None:
    admin, incidents = tower.world.admin, tower.incidents
    with pytest.raises(Invalid):
        await incidents.resolve(admin(), "1", "x" * 501)
    for ref in ("2", "I-", "x", "", "9" * 40, "0" * 32, "²"):
        with pytest.raises(NotFound):
            await incidents.show(admin(), ref)
    with pytest.raises(NotPermitted):
        await incidents.resolve(tower.world.member(), "1")
    with pytest.raises(NotPermitted):
        await incidents.press(tower.world.member(), await incident(tower), "acknowledge")
    await incidents.acknowledge(admin(), "I-1")
    with pytest.raises(Conflict, match="already"):
        await incidents.acknowledge(admin(), "i-1")
    await incidents.resolve(admin(), "1", "it was\nthe disk")
    with pytest.raises(Conflict, match="resolved already"):
        await incidents.resolve(admin(), "1")
    with pytest.raises(Conflict, match="resolved already"):
        await incidents.acknowledge(admin(), "1")
    assert await tower.world.value("select message from incident_events order by id desc limit 1") == (
        "resolved it: it was the disk"
    )


async def test_another_guild_can_do_nothing_with_it(tower: Watchtower) -> None:
    stranger = await World(tower.world.db, guild=2002).found()
    id_ = await incident(tower)
    with pytest.raises(NotFound):
        await tower.incidents.press(stranger.admin(), id_, "resolve")
    with pytest.raises(NotFound):
        await tower.incidents.show(stranger.admin(), str(id_))
    assert await tower.incidents.card(stranger.org_id, str(id_)) is None
    assert (await tower.incidents.list(stranger.admin())).rows == []
    assert await tower.status() == [(1, "open")]


async def test_what_somebody_resolved_while_it_goes_on_stays_resolved_until_it_was_fine(tower: Watchtower) -> None:
    await tower.incidents.resolve(tower.world.admin(), "1")
    for _ in range(30):
        tower.later(14)
        assert await tower.look(state="crashed") == {}
    assert (await tower.incidents.show(tower.world.admin(), "1")).firing
    await tower.clear()
    tower.later(300)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")]


async def test_a_resolve_and_the_end_by_itself_at_once(tower: Watchtower) -> None:
    await tower.look(state="running")
    tower.later(16)
    await tower.report()
    await asyncio.gather(
        tower.evaluation.states(), tower.incidents.press(tower.world.admin(), await incident(tower), "resolve")
    )
    assert await tower.status() == [(1, "resolved")] and await tower.firings() == set()
    assert len(await tower.lines()) == 2


async def test_a_long_timeline_shows_its_newest_lines(tower: Watchtower) -> None:
    for _ in range(20):
        tower.later(14 * 25)
        await tower.look(state="crashed")
    shown = await tower.incidents.show(tower.world.admin(), "1")
    assert len(shown.timeline) == 8 and shown.earlier == 13
    assert [line.id for line in shown.timeline] == sorted(line.id for line in shown.timeline)


async def test_suggestions_by_number_or_words(tower: Watchtower) -> None:
    for words, found in (("", 1), ("i-1", 1), ("1", 1), ("eu1", 1), ("us", 0), ("2", 0)):
        assert len(await tower.incidents.suggest(tower.world.admin(), words)) == found
    assert await tower.incidents.suggest(tower.world.member(), "") == []
    await tower.incidents.resolve(tower.world.admin(), "1")
    assert await tower.incidents.suggest(tower.world.admin(), "", live=True) == []
