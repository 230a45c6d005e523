"""The clock, channels by purpose, roles by preset, and what nobody may give away."""

import pytest

from bot.domain.actors import Actor
from bot.domain.role_map import STAFF
from bot.errors import Conflict, Invalid, NotPermitted
from bot.services.setup import ASKED, Setup
from bot.services.setup_wizard import Wizard
from tests.bot.guild_hall import Hall
from tests.bot.people import ADMINS, GUILD, MODERATORS, People, again
from tests.bot.world import World

OPS, AUDIT = 777, 778


@pytest.fixture
def setup(world: World) -> Setup:
    return Setup(world.db)


@pytest.fixture
def wizard(world: World, setup: Setup) -> Wizard:
    return Wizard(world.db, Hall.with_roles(MODERATORS, ADMINS, 999), setup)


@pytest.fixture
def people(world: World) -> People:
    return People(world.db)


@pytest.fixture
async def owner(people: People) -> Actor:
    return await people.owner()


async def grant(world: World, role: str, *permissions: str) -> None:
    """Gives a role of the org permissions that its preset lacks."""
    await world.rows(
        """insert into role_permissions (role_id, permission_id)
           select r.id, p.id from roles r, permissions p where r.name = :role and p.name = any(:names)""",
        role=role,
        names=list(permissions),
    )


async def test_a_channel_is_saved_and_hears_that_messages_arrive(
    world: World, setup: Setup, wizard: Wizard, owner: Actor
) -> None:
    await setup.set_channel(owner, "ops", OPS)
    assert (await wizard.page(owner)).channels == {"ops": OPS}
    found = await world.rows("select discord_channel_id, event_type, payload_json from notification_jobs")
    assert found == [(OPS, "setup.test", {"purpose": "ops"})]
    assert (await world.audited())[-1] == "setup.channel"


async def test_a_channel_can_be_changed_and_taken_away(
    world: World, setup: Setup, wizard: Wizard, owner: Actor
) -> None:
    for channel in (OPS, AUDIT, None):
        await setup.set_channel(again(owner), "ops", channel)
    assert (await wizard.page(owner)).channels == {}
    assert await world.value("select count(*) from notification_jobs") == 2


async def test_choosing_a_channel_again_switches_it_on(
    world: World, setup: Setup, wizard: Wizard, owner: Actor
) -> None:
    await setup.set_channel(owner, "ops", OPS)
    await world.rows("update notification_channels set enabled = false, disabled_reason = 'Discord said 403'")
    progress = await wizard.page(owner)
    assert (progress.channels, progress.disabled) == ({}, {"ops": "Discord said 403"})
    await setup.set_channel(again(owner), "ops", OPS)
    progress = await wizard.page(owner)
    assert (progress.channels, progress.disabled) == ({"ops": OPS}, {})


async def test_purposes_that_there_are_not(setup: Setup, owner: Actor) -> None:
    with pytest.raises(Invalid, match="no such purpose"):
        await setup.set_channel(owner, "gossip", OPS)
    assert set(ASKED) <= {"ops", "alerts", "bans", "appeals", "deployments", "audit", "players"}


async def test_these_roles_and_only_these(
    world: World, setup: Setup, wizard: Wizard, owner: Actor, people: People
) -> None:
    await setup.bind(owner, "moderator", [MODERATORS, ADMINS])
    await setup.bind(again(owner), "moderator", [ADMINS])
    assert (await wizard.page(owner)).bound == {"moderator": [ADMINS]}
    people.identity.forget()
    assert not (await people.actor("mia", MODERATORS)).may("servers.restart")
    await setup.bind(again(owner), "admin", [ADMINS])
    assert (await wizard.page(owner)).bound == {"admin": [ADMINS]}, "a role has one preset"
    assert (await world.audited()).count("setup.bind") == 3


async def test_everyone_cannot_become_staff(world: World, setup: Setup, owner: Actor) -> None:
    for preset in STAFF:
        with pytest.raises(Invalid, match="@everyone cannot have this role"):
            await setup.bind(again(owner), preset, [MODERATORS, GUILD])
    assert await world.value("select count(*) from role_bindings") == 1


@pytest.mark.parametrize("preset", ["owner", "player", "nonsense", ""])
async def test_presets_that_cannot_be_bound(setup: Setup, owner: Actor, preset: str) -> None:
    with pytest.raises(Invalid, match="no such preset"):
        await setup.bind(owner, preset, [MODERATORS])


async def test_a_moderator_sets_nothing_up(world: World, setup: Setup, owner: Actor, people: People) -> None:
    await setup.bind(owner, "moderator", [MODERATORS])
    mia = await people.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted, match=r"settings\.edit"):
        await setup.set_channel(mia, "ops", OPS)
    with pytest.raises(NotPermitted, match=r"users\.edit"):
        await setup.bind(again(mia), "moderator", [999])
    assert await world.value("select count(*) from notification_jobs") == 0


async def test_nobody_gives_what_they_lack(
    world: World, setup: Setup, wizard: Wizard, owner: Actor, people: People
) -> None:
    await setup.bind(owner, "moderator", [MODERATORS])
    await grant(world, "moderator", "users.edit")
    mia = await people.actor("mia", MODERATORS)
    for preset in ("operator", "admin"):
        with pytest.raises(NotPermitted, match=f"The role {preset} ranks above you"):
            await setup.bind(again(mia), preset, [999])
    await setup.bind(again(mia), "moderator", [MODERATORS, 999])
    assert (await wizard.page(owner)).bound["moderator"] == [MODERATORS, 999]


async def test_nobody_takes_away_what_is_above_them(
    world: World, setup: Setup, wizard: Wizard, owner: Actor, people: People
) -> None:
    await setup.bind(owner, "admin", [ADMINS])
    await setup.bind(again(owner), "moderator", [MODERATORS])
    await grant(world, "moderator", "users.edit")
    mia = await people.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted):
        await setup.bind(again(mia), "admin", [])
    with pytest.raises(NotPermitted):
        await setup.bind(again(mia), "moderator", [MODERATORS, ADMINS])
    assert (await wizard.page(owner)).bound["admin"] == [ADMINS]


async def test_an_administrator_of_ours_may_as_the_owner_may(
    setup: Setup, wizard: Wizard, owner: Actor, people: People
) -> None:
    await setup.bind(owner, "admin", [ADMINS])
    ada = await people.actor("ada", ADMINS)
    await setup.bind(ada, "operator", [MODERATORS])
    await setup.set_channel(again(ada), "audit", AUDIT)
    progress = await wizard.page(ada)
    assert progress.bound["operator"] == [MODERATORS] and progress.channels == {"audit": AUDIT}


async def test_what_is_there_is_counted(world: World, setup: Setup, wizard: Wizard, owner: Actor) -> None:
    host, _ = await world.pair()
    await world.server(host)
    await world.beat(host)
    progress = await wizard.page(owner)
    assert (progress.hosts, progress.online, progress.servers) == (1, 1, 1)


async def test_the_last_administrators_stay_unless_the_owner_says_otherwise(
    setup: Setup, wizard: Wizard, owner: Actor, people: People
) -> None:
    await setup.bind(owner, "admin", [ADMINS])
    ada = await people.actor("ada", ADMINS)
    for preset, roles in (("admin", []), ("moderator", [ADMINS])):
        with pytest.raises(Conflict, match="leave nobody as administrator"):
            await setup.bind(again(ada), preset, roles)
    await setup.bind(again(ada), "admin", [ADMINS, MODERATORS])
    await setup.bind(again(owner), "admin", [])
    assert (await wizard.page(owner)).bound == {}
