"""Roles of an org's own and presets that it changes: made, edited, deleted."""

import pytest

from bot.domain.actors import Actor
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.domain.roles import AREAS, is_edited
from bot.errors import Conflict, Invalid, NotFound
from tests.bot.people import again
from tests.bot.services.access_world import LOCALS, NEW, SPIES, Court, person
from tests.bot.world import World


@pytest.fixture
async def court(world: World) -> Court:
    return await Court.opened(world)


@pytest.fixture
async def owner(court: Court) -> Actor:
    return await court.owner()


async def test_a_role_begins_empty_or_like_another(court: Court, owner: Actor) -> None:
    empty = (await court.roles.create(again(owner), "  Night   watch ", 20, description="at night")).role
    assert (empty.name, empty.priority, empty.permissions, empty.description) == ("Night watch", 20, [], "at night")
    alike = (await court.roles.create(again(owner), "builder", 30, "operator")).role
    operator = next(preset for preset in PRESETS if preset.name == "operator")
    assert set(alike.permissions) == operator.permissions and not alike.is_preset
    found = await court.roles.list(again(owner))
    assert [role.name for role in found.rows][:4] == ["admin", "operator", "deputy", "moderator"]
    (row,) = await court.world.rows(
        "select details from audit_logs where action = 'access.role.create' order by id desc limit 1"
    )
    assert row[0]["after"]["permissions"] == sorted(operator.permissions)


@pytest.mark.parametrize("name", ["Spy", "ADMIN", "***", "  ", "x" * 33])
async def test_names_that_a_role_cannot_have(court: Court, name: str) -> None:
    with pytest.raises((Conflict, Invalid)):
        await court.roles.create(await court.owner(), name, 5)
    if name.strip() and len(name) < 33:
        with pytest.raises((Conflict, Invalid)):
            await court.roles.edit(await court.owner(), "deputy", name)


async def test_an_area_is_chosen_and_the_rest_stays(court: Court, owner: Actor) -> None:
    spy = (await court.roles.edit(again(owner), "spy")).role
    edited = (await court.roles.choose(again(owner), spy.id, "players", ["bans.view", "players.view"])).role
    assert set(edited.permissions) == {"servers.wipe", "bans.view", "players.view"}
    edited = (await court.roles.choose(again(owner), spy.id, "players", ["bans.view"])).role
    assert set(edited.permissions) == {"servers.wipe", "bans.view"}
    assert await court.may(person("s", SPIES), "bans.view")
    ((action, details),) = await court.world.rows("select action, details from audit_logs order by id desc limit 1")
    assert action == "access.role.edit" and details["taken"] == ["players.view"] and details["given"] == []
    for area, chosen in (("players", ["servers.kill"]), ("nonsense", []), ("players", ["no.such"])):
        with pytest.raises(Invalid, match="no permissions of this area"):
            await court.roles.choose(again(owner), spy.id, area, chosen)


async def test_a_preset_can_be_changed_and_put_back_but_not_renamed_or_deleted(court: Court, owner: Actor) -> None:
    role = (await court.choose(again(owner), "moderator", "servers.kill", has=True)).role
    role = (await court.roles.edit(again(owner), "moderator", priority=45, description="ours")).role
    assert is_edited(role.name, role.priority, role.permissions) and role.description == "ours"
    with pytest.raises(Conflict, match="keeps its name"):
        await court.roles.edit(again(owner), "moderator", "helper")
    with pytest.raises(Conflict, match="is a preset, which stays"):
        await court.roles.ask_delete(again(owner), "moderator")
    back = (await court.roles.restore(again(owner), role.id)).role
    assert not is_edited(back.name, back.priority, back.permissions)
    spy = (await court.roles.edit(again(owner), "spy")).role
    with pytest.raises(Conflict, match="is a role of your own"):
        await court.roles.restore(again(owner), spy.id)


async def test_a_role_of_ones_own_can_be_renamed(court: Court, owner: Actor) -> None:
    assert (await court.roles.edit(again(owner), "spy", "Scout")).role.name == "Scout"
    assert (await court.roles.edit(again(owner), "scout", "scout")).role.name == "scout"
    with pytest.raises(NotFound):
        await court.roles.edit(again(owner), "spy")


async def test_a_role_in_use_is_deleted_after_saying_who_holds_it(court: Court, owner: Actor) -> None:
    await court.members.grant(again(owner), person("mia"), "spy")
    await court.members.grant(again(owner), person("bob"), "spy", "EU1", "2d")
    asked = await court.roles.ask_delete(again(owner), "spy")
    text = "\n".join(asked.effect)
    assert asked.title == "Delete the role spy?" and asked.verb == "Delete spy"
    assert f"<@&{SPIES}>" in text and "Mia" in text and "Bob on EU1 until <t:" in text
    await court.members.grant(again(owner), person("ann"), "spy")
    with pytest.raises(Conflict, match="Who holds spy has changed"):
        await court.confirmations.press(again(owner), asked.token)
    asked = await court.roles.ask_delete(again(owner), "spy")
    done = await court.confirmations.press(again(owner), asked.token)
    assert done.title == "The role spy is deleted"
    assert not await court.may(person("s", SPIES), "servers.wipe")
    assert await court.world.value("select count(*) from user_orgs where role_id is not null") == 0
    assert await court.world.value("select count(*) from user_server_roles") == 0
    with pytest.raises(NotFound):
        await court.roles.edit(again(owner), "spy")


async def test_an_unused_role_is_asked_about_too(court: Court, owner: Actor) -> None:
    await court.roles.create(again(owner), "idle", 1)
    asked = await court.roles.ask_delete(again(owner), "idle")
    assert asked.effect == ("Nobody holds it, and no Discord role is bound to it.",)
    await court.confirmations.press(again(owner), asked.token)


async def test_suggestions_are_for_those_who_manage_people(court: Court, owner: Actor) -> None:
    assert [role.name for role in await court.roles.suggest(again(owner), "Dep")] == ["deputy"]
    assert await court.roles.suggest(await court.actor("nobody"), "") == []
    assert len(await court.roles.suggest(await court.actor("lena", LOCALS), "")) == 7
    assert await court.roles.suggest(await court.actor("new", NEW), "") == []


def test_every_permission_is_in_one_area_and_each_area_fits_a_select() -> None:
    listed = [name for _, names in AREAS.values() for name in names]
    assert sorted(listed) == sorted(PERMISSIONS) and len(listed) == len(set(listed))
    assert max(len(names) for _, names in AREAS.values()) <= 25
