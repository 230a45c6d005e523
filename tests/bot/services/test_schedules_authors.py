"""Whose schedules are no longer backed by a permission of their author."""

import pytest

from bot.services.privacy import WORDS, Privacy
from bot.services.schedules_authors import Membership, ScheduleAuthors
from tests.bot.people import GUILD, MODERATORS, again
from tests.bot.services.schedules_world import Clock, Planned, at
from tests.bot.world import World

MIA = 10_000 + sum(map(ord, "mia"))


@pytest.fixture
async def planned(world: World) -> Planned:
    """A schedule of Mia's, who is a moderator and may manage schedules."""
    planned = await Planned.made(world, Clock(at(12)))
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id)
           select org_id, :role, id from roles where name = 'operator'""",
        role=MODERATORS,
    )
    await planned.add(await planned.people.actor("mia", MODERATORS), name="one")
    return planned


async def unbacked(planned: Planned, mia: Membership | None) -> list[str]:
    """The schedules that are marked when Discord says this of Mia, as the owner sees it."""
    asked: list[tuple[int, int]] = []

    async def ask(guild: int, user: int) -> Membership | None:
        asked.append((guild, user))
        return mia

    rows = (await planned.schedules.list(planned.owner)).rows
    found = await ScheduleAuthors(planned.world.db, ask).unbacked(again(planned.owner), rows)
    assert asked == [(GUILD, MIA)], "each author once, and nobody about themselves"
    return [row.name for row in rows if row.id in found]


async def test_who_may_still_do_it(planned: Planned) -> None:
    await planned.add(await planned.people.actor("mia", MODERATORS), name="two")
    await planned.add(name="the owner's")
    assert await unbacked(planned, Membership(frozenset({GUILD, MODERATORS}))) == []
    assert await unbacked(planned, Membership(frozenset({GUILD}), administrator=True)) == []
    assert sorted(await unbacked(planned, Membership(frozenset({GUILD})))) == ["one", "two"]


async def test_who_left_has_no_role_of_their_own_either(planned: Planned) -> None:
    await planned.world.rows("update user_orgs set role_id = (select id from roles where name = 'admin')")
    assert await unbacked(planned, Membership(frozenset({GUILD}))) == []
    assert await unbacked(planned, Membership(frozenset())) == ["one"]


async def test_nothing_is_claimed_when_discord_does_not_say(planned: Planned) -> None:
    assert await unbacked(planned, None) == []


async def test_a_tag_is_backed_when_every_server_is(planned: Planned) -> None:
    other = await planned.world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all")
    await planned.world.rows("update schedules set created_by_id = (select id from users where username = 'mia')")
    roles = Membership(frozenset({GUILD, MODERATORS}))
    assert await unbacked(planned, roles) == []
    await planned.world.rows("update role_bindings set server_instance_id = :server where discord_role_id = :role",
                             server=planned.server, role=MODERATORS)  # fmt: skip
    assert await unbacked(planned, roles) == ["all"]


async def test_a_removed_server_is_another_matter(planned: Planned) -> None:
    await planned.world.rows("update server_instances set deleted_at = now()")
    assert await unbacked(planned, Membership(frozenset())) == []


async def test_who_was_forgotten_backs_nothing(planned: Planned) -> None:
    mia = await planned.people.actor("mia", MODERATORS)
    privacy = Privacy(planned.world.db)
    asked = int((await privacy.plan(mia)).asked_at.timestamp())
    await privacy.forget(mia, asked, WORDS)

    async def never(guild: int, user: int) -> Membership | None:
        raise AssertionError(f"{user} in {guild} is nobody's author")

    rows = (await planned.schedules.list(planned.owner)).rows
    found = await ScheduleAuthors(planned.world.db, never).unbacked(again(planned.owner), rows)
    assert found == {row.id for row in rows} and [row.author for row in rows] == ["deleted"]
