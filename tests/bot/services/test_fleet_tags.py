"""A tag brings rights and schedules to a server, so nobody tags past what they could bind and schedule there."""

import asyncio

import pytest

from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.access_guards import Overreach
from bot.services.fleet_tags import FleetTags
from tests.bot.people import again
from tests.bot.services.access_world import ADMINS, DEPUTIES, MODERATORS, NEW, Court, person
from tests.bot.world import World

_SCHEDULE = """
    with made as (
      insert into schedules (org_id, tag, name, cron_expression, timezone, next_run_at)
      values (:org, :tag, 'nightly', '0 4 * * *', 'UTC', now()) returning id)
    insert into schedule_tasks (schedule_id, sequence, job_type, payload)
    select id, n, kind, '{"text": "x", "command": "x"}'
      from made, unnest(array['ANNOUNCE', 'SERVER_KILL']) with ordinality as step (kind, n)"""


@pytest.fixture
async def court(world: World) -> Court:
    return await Court.opened(world)


@pytest.fixture
def tags(court: Court) -> FleetTags:
    return FleetTags(court.world.db)


async def dora(court: Court) -> Actor:
    """A deputy who edits EU2: she ranks 50 and has what a moderator has."""
    await court.allow(await court.owner(), person("dora", DEPUTIES), "servers.edit", "EU2")
    return await court.actor("dora", DEPUTIES)


async def worn(court: Court, server: str) -> list[str]:
    rows = await court.world.rows(
        "select t.tag from server_tags t join server_instances s on s.id = t.server_instance_id"
        " where s.name = :name order by 1",
        name=server,
    )
    return [row[0] for row in rows]


async def test_tags_come_and_go_and_say_so(court: Court, tags: FleetTags) -> None:
    done = await tags.change(await court.owner(), "EU2", "EU, pvp", "")
    assert (list(done.added), list(done.tags), done.left) == (["eu", "pvp"], ["eu", "pvp"], "")
    done = await tags.change(await court.owner(), "eu2", "night eu", "pvp, gone")
    assert (list(done.added), list(done.removed)) == (["night"], ["pvp"])
    assert await worn(court, "EU2") == ["eu", "night"] and await worn(court, "EU1") == ["eu"]
    (row,) = await court.world.rows(
        "select details from audit_logs where action = 'fleet.tag' order by id desc limit 1"
    )
    assert row[0] == {"name": "EU2", "added": ["night"], "removed": ["pvp"], "after": ["eu", "night"]}


@pytest.mark.parametrize(
    ("add", "remove", "why"),
    [
        ("", "", "nothing to add"),
        (" ,", "", "nothing to add"),
        ("eu", "", "changes nothing"),
        ("", "pvp", "changes nothing"),
        ("pvp", "PVP", "to be added and removed"),
        ("no/slash", "", "can be no tag"),
        (" ".join(f"t{n}" for n in range(10)), "", "at most 10 tags"),
    ],
)
async def test_what_cannot_be_is_refused(court: Court, tags: FleetTags, add: str, remove: str, why: str) -> None:
    with pytest.raises((Invalid, Conflict), match=why):
        await tags.change(await court.owner(), "EU1", add, remove)
    assert await worn(court, "EU1") == ["eu"]


async def test_ten_at_most_counts_what_goes(court: Court, tags: FleetTags) -> None:
    await tags.change(await court.owner(), "EU1", " ".join(f"t{n}" for n in range(10)), "eu")
    assert len(await worn(court, "EU1")) == 10


async def test_only_who_edits_the_server_tags_it(court: Court, tags: FleetTags) -> None:
    actor = await dora(court)
    await tags.change(actor, "EU2", "night", "")
    for wrong in (again(actor), await court.actor("mia", MODERATORS), await court.actor("nobody")):
        with pytest.raises(NotPermitted):
            await tags.change(wrong, "EU1", "night", "")
    with pytest.raises(NotFound):
        await tags.change(again(actor), "no such server", "night", "")


async def test_nobody_gives_by_a_tag_what_they_lack_or_what_ranks_above_them(court: Court, tags: FleetTags) -> None:
    await court.bind(await court.owner(), NEW, "operator", tag="eu")
    actor = await dora(court)
    with pytest.raises(Overreach, match="ranks above you"):
        await tags.change(actor, "EU2", "eu", "")
    await court.bind(await court.owner(), NEW, "spy", tag="eu")
    with pytest.raises(Overreach, match="Nobody gives or takes what they lack"):
        await tags.change(again(actor), "EU2", "eu", "")
    assert await worn(court, "EU2") == []
    await court.bind(await court.owner(), NEW, "moderator", tag="eu")
    done = await tags.change(again(actor), "EU2", "eu", "")
    assert [bound.role for bound in done.gained.bindings] == ["moderator"]
    assert await court.may(person("new", NEW), "servers.restart", "EU2")


async def test_nobody_takes_by_a_tag_what_they_lack(court: Court, tags: FleetTags) -> None:
    await tags.change(await court.owner(), "EU2", "eu", "")
    await court.bind(await court.owner(), NEW, "spy", tag="eu")
    with pytest.raises(Overreach):
        await tags.change(await dora(court), "EU2", "", "eu")
    await tags.change(await court.owner(), "EU2", "", "eu")
    assert not await court.may(person("new", NEW), "servers.wipe", "EU2")


async def test_nobody_gives_by_a_tag_for_longer_than_they_have_it(court: Court, tags: FleetTags) -> None:
    await court.bind(await court.owner(), NEW, "spy", tag="eu")
    await court.allow(await court.owner(), person("dora", DEPUTIES), "servers.wipe", "EU2", until="2d")
    with pytest.raises(Overreach, match="for longer than they have it"):
        await tags.change(await dora(court), "EU2", "eu", "")


async def test_a_schedule_of_the_tag_needs_what_it_does(court: Court, tags: FleetTags) -> None:
    await court.world.rows(_SCHEDULE, org=court.world.org_id, tag="night")
    actor = await dora(court)
    with pytest.raises(NotPermitted, match=r"schedules\.manage"):
        await tags.change(actor, "EU2", "night", "")
    await court.allow(await court.owner(), person("dora", DEPUTIES), "schedules.manage", "EU2")
    with pytest.raises(NotPermitted, match=r"servers\.kill"):
        await tags.change(again(actor), "EU2", "night", "")
    done = await tags.change(await court.owner(), "EU2", "night", "")
    assert [(one.name, sorted(one.job_types)) for one in done.gained.schedules] == [
        ("nightly", ["ANNOUNCE", "SERVER_KILL"])
    ]
    done = await tags.change(again(actor), "EU2", "", "night")  # to end it there, editing schedules is enough
    assert [one.name for one in done.lost.schedules] == ["nightly"]


async def test_maintenance_of_the_tag_is_brought_and_ended_by_who_may_plan_it(court: Court, tags: FleetTags) -> None:
    await court.world.rows(
        "insert into maintenance_windows (org_id, tag, reason, starts_at, ends_at)"
        " values (:org, 'night', 'new disks', now(), now() + interval '1 hour')",
        org=court.world.org_id,
    )
    actor = await dora(court)
    with pytest.raises(NotPermitted, match=r"schedules\.manage"):
        await tags.change(actor, "EU2", "night", "")
    done = await tags.change(await court.owner(), "EU2", "night", "")
    assert [window.reason for window in done.gained.windows] == ["new disks"]
    with pytest.raises(NotPermitted, match=r"schedules\.manage"):
        await tags.change(again(actor), "EU2", "", "night")
    await court.allow(await court.owner(), person("dora", DEPUTIES), "schedules.manage", "EU2")
    assert (await tags.change(again(actor), "EU2", "", "night")).lost.windows


async def test_what_a_tag_brings_is_told_to_those_who_may_see_it(court: Court, tags: FleetTags) -> None:
    await court.bind(await court.owner(), NEW, "player", tag="eu")
    await court.deny(await court.owner(), person("dora", DEPUTIES), "users.view", "EU2")
    assert not (await tags.change(await dora(court), "EU2", "eu", "")).gained.bindings


async def test_of_a_tag_and_a_binding_at_the_same_time_one_sees_the_other(court: Court, tags: FleetTags) -> None:
    """She tags with what brings nothing yet, while the owner binds it to what she lacks."""
    actor, owner = await dora(court), await court.owner()
    await tags.change(await court.owner(), "EU1", "hot", "")
    tagged, bound = await asyncio.gather(
        tags.change(actor, "EU2", "hot", ""), court.bind(owner, NEW, "spy", tag="hot"), return_exceptions=True
    )
    assert not isinstance(bound, BaseException)
    if isinstance(tagged, BaseException):
        assert isinstance(tagged, Overreach) and await worn(court, "EU2") == []


async def test_of_two_who_add_ten_only_ten_are_there(court: Court, tags: FleetTags) -> None:
    halves = [" ".join(f"{half}{n}" for n in range(6)) for half in "ab"]
    owners = [await court.owner() for _ in halves]
    done = await asyncio.gather(
        *(tags.change(owner, "EU2", half, "") for owner, half in zip(owners, halves, strict=True)),
        return_exceptions=True,
    )
    assert len([one for one in done if isinstance(one, Invalid)]) == 1 and len(await worn(court, "EU2")) == 6


async def test_lists_are_completed_by_tags_that_one_sees(court: Court, tags: FleetTags) -> None:
    await tags.change(await court.owner(), "EU2", "event, pvp", "")
    ada = await court.actor("ada", ADMINS)
    assert await tags.known(ada, "pvp, e") == ["pvp, eu", "pvp, event"]
    assert await tags.worn(ada, "EU1", "") == ["eu"] and await tags.worn(ada, "none", "") == []
    assert await tags.known(await court.actor("stranger", 999), "e") == ["eu", "event"]
