"""What the steps of the set-up show, where it goes on, and what it asks of Discord."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain import role_map
from bot.domain.actors import Actor
from bot.domain.role_map import Role
from bot.domain.setup import Step
from bot.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable
from bot.services.config import Config
from bot.services.setup import ASKED, Setup
from bot.services.setup_wizard import Wizard, must_be_able
from tests.bot.guild_hall import Hall
from tests.bot.people import ADMINS, GUILD, MODERATORS, People, again
from tests.bot.world import World

OPS, ELSEWHERE = 777, 888
ROLES = (
    Role(MODERATORS, "Mods", frozenset({"ban_members"})),
    Role(ADMINS, "Admins", frozenset({"manage_guild", "ban_members"})),
    Role(503, "A bot", frozenset({"administrator"}), managed=True),
    Role(GUILD, "@everyone", frozenset({"ban_members"}), everyone=True),
)


@pytest.fixture
def hall() -> Hall:
    return Hall.with_roles(*ROLES, channels=frozenset({OPS}))


@pytest.fixture
def setup(world: World) -> Setup:
    return Setup(world.db)


@pytest.fixture
def wizard(world: World, hall: Hall, setup: Setup) -> Wizard:
    return Wizard(world.db, hall, setup)


@pytest.fixture
async def owner(world: World) -> Actor:
    return await People(world.db).owner()


async def test_it_goes_to_the_first_step_that_is_not_done(
    world: World, wizard: Wizard, setup: Setup, owner: Actor
) -> None:
    assert (await wizard.page(owner)).step is Step.ZONE
    await setup.set_zone(owner, "berlin")
    assert (await wizard.page(owner)).step is Step.ROLES
    await setup.settle(again(owner), Step.ROLES)
    assert (await wizard.page(owner)).step is Step.CHANNELS
    for purpose in ASKED:
        await wizard.choose_channel(again(owner), purpose, OPS)
    assert (await wizard.page(owner)).step is Step.HOST
    host, _ = await world.pair()
    assert (await wizard.page(owner)).step is Step.SERVER
    await world.server(host)
    page = await wizard.page(owner)
    assert page.step is Step.FINISH and page.done == set(Step) - {Step.FINISH}


async def test_what_was_undone_is_asked_again(world: World, wizard: Wizard, setup: Setup, owner: Actor) -> None:
    await setup.set_zone(owner, "berlin")
    await wizard.bind(again(owner), "admin", [ADMINS])
    await wizard.bind(again(owner), "admin", [])
    assert (await wizard.page(owner)).step is Step.ROLES


async def test_utc_on_purpose_is_a_decision(world: World, wizard: Wizard, setup: Setup, owner: Actor) -> None:
    assert await setup.set_zone(owner, "utc") == "UTC"
    assert (await wizard.page(owner)).step is Step.ROLES
    await setup.settle(again(owner), Step.ZONE)
    assert (await world.audited())[-1] == "setup.zone", "nothing new was decided"


async def test_the_likely_zones_come_first(wizard: Wizard, owner: Actor) -> None:
    assert list((await wizard.page(owner)).zones[:3]) == ["UTC", "Europe/Berlin", "Europe/Vienna"]


async def test_suggestions_bind_nothing_until_they_are_confirmed(
    world: World, wizard: Wizard, hall: Hall, owner: Actor
) -> None:
    page = await wizard.page(owner, Step.ROLES)
    assert page.suggested == {"admin": [ADMINS], "moderator": [MODERATORS]} and page.bound == {}
    await wizard.use_suggested(owner, role_map.digest(page.suggested))
    page = await wizard.page(owner, Step.ROLES)
    assert page.bound == {"admin": [ADMINS], "moderator": [MODERATORS]} and page.suggested == {}
    assert Step.ROLES in page.done and page.everyone == "player"


async def test_what_is_confirmed_is_what_was_shown(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    shown = role_map.digest((await wizard.page(owner, Step.ROLES)).suggested)
    hall.view = replace(hall.view, roles=(*ROLES, Role(504, "New", frozenset({"administrator"}))))
    with pytest.raises(Conflict, match="changed meanwhile"):
        await wizard.use_suggested(owner, shown)
    assert (await wizard.page(owner)).bound == {}


async def test_roles_that_discord_does_not_have(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    with pytest.raises(NotFound, match="no such role"):
        await wizard.bind(owner, "moderator", [MODERATORS, 4711])
    await wizard.bind(again(owner), "moderator", [MODERATORS])
    hall.view = replace(hall.view, roles=ROLES[1:])
    page = await wizard.page(owner, Step.ROLES)
    assert page.bound == {} and page.gone == 1


async def test_everyone_can_be_kept_from_seeing_servers(
    world: World, wizard: Wizard, setup: Setup, owner: Actor
) -> None:
    assert await setup.show_everyone(owner, sees=False) == ""
    assert (await wizard.page(owner)).everyone == ""
    await setup.show_everyone(again(owner), sees=True)
    assert (await wizard.page(owner)).everyone == "player"
    assert await world.value("select count(*) from audit_logs where action = 'setup.everyone'") == 2


async def test_a_channel_of_another_guild_does_not_exist(world: World, wizard: Wizard, owner: Actor) -> None:
    with pytest.raises(NotFound, match="no such text channel"):
        await wizard.choose_channel(owner, "ops", ELSEWHERE)
    with pytest.raises(Invalid, match="no such purpose"):
        await wizard.choose_channel(owner, "gossip", OPS)
    assert await world.value("select count(*) from notification_channels") == 0


async def test_a_channel_in_which_nothing_would_appear(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    hall.lacking[OPS] = ("Send Messages",)
    with pytest.raises(Invalid, match="may not post") as refused:
        await wizard.choose_channel(owner, "ops", OPS)
    assert "Send Messages" in refused.value.remedy


async def test_a_channel_is_made_for_who_may_read_it(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    await wizard.bind(owner, "moderator", [MODERATORS])
    await wizard.bind(again(owner), "viewer", [ADMINS])
    for purpose in ("ops", "audit", "bans"):
        await wizard.make_channel(again(owner), purpose)
    readers = {plan.name: plan.readers for plan in hall.made}
    assert readers == {"ops": {MODERATORS, ADMINS}, "audit": {MODERATORS}, "bans": None}, "@everyone is never staff"
    assert (await wizard.page(owner)).channels == {"ops": 70_001, "audit": 70_002, "bans": 70_003}


async def test_two_presses_make_one_channel(world: World, wizard: Wizard, hall: Hall, owner: Actor) -> None:
    hall.seconds = 0.2
    presses = [wizard.make_channel(again(owner), "ops") for _ in range(3)]
    results = await asyncio.gather(*presses, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "NoneType"]
    hall.seconds = 0.0
    await wizard.make_channel(again(owner), "ops")
    assert len(hall.made) == 1
    assert await world.value("select count(*) from audit_logs where action = 'setup.channel'") == 1


async def test_a_channel_that_was_deleted_is_made_again(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    await wizard.make_channel(owner, "ops")
    hall.view = replace(hall.view, channels=frozenset[int]())
    await wizard.make_channel(again(owner), "ops")
    assert len(hall.made) == 2 and (await wizard.page(owner)).channels == {"ops": 70_002}


async def test_without_manage_channels(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    hall.view = replace(hall.view, may_make_channels=False)
    with pytest.raises(Invalid, match="may not make channels") as refused:
        await wizard.make_channel(owner, "ops")
    assert "Manage Channels" in refused.value.remedy and not hall.made


async def test_no_channel_is_made_for_who_may_not(world: World, wizard: Wizard, hall: Hall, owner: Actor) -> None:
    await wizard.bind(owner, "moderator", [MODERATORS])
    mia = await People(world.db).actor("mia", MODERATORS)
    with pytest.raises(NotPermitted, match=r"settings\.edit"):
        await wizard.make_channel(mia, "ops")
    assert not hall.made


async def test_a_guild_that_this_process_does_not_see(wizard: Wizard, hall: Hall, owner: Actor) -> None:
    hall.connected = False
    with pytest.raises(Unavailable):
        await wizard.page(owner)


async def allow(world: World, preset: str, permission: str) -> None:
    await world.rows(
        """insert into role_permissions (role_id, permission_id)
           select r.id, p.id from roles r, permissions p where r.name = :preset and p.name = :permission""",
        preset=preset,
        permission=permission,
    )


async def test_who_may_change_settings_of_one_server_sets_nothing_up(
    world: World, wizard: Wizard, setup: Setup, owner: Actor
) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await allow(world, "operator", "settings.edit")
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id)
           select org_id, :role, id, :server from roles where name = 'operator'""",
        role=MODERATORS,
        server=server,
    )
    mia = await People(world.db).actor("mia", MODERATORS)
    assert mia.may("settings.edit"), "the gate lets her in"
    with pytest.raises(NotPermitted):
        await wizard.page(mia)
    config = Config(world.db)
    assert await config.suggest(mia) == {}
    for refused in (
        config.show(mia),
        config.change(again(mia), "timezone", "UTC"),
        setup.settle(again(mia), Step.ZONE),
    ):
        with pytest.raises(NotPermitted):
            await refused


async def test_a_step_names_what_is_lacking(world: World, wizard: Wizard, owner: Actor) -> None:
    await wizard.bind(owner, "moderator", [MODERATORS])
    await allow(world, "moderator", "settings.edit")
    mia = await People(world.db).actor("mia", MODERATORS)
    for step, permission in ((Step.ROLES, "users.edit"), (Step.HOST, "nodes.create"), (Step.SERVER, "servers.create")):
        page = await wizard.page(mia, step)
        assert page.lacking == permission and "admin" in page.roles_with
        with pytest.raises(NotPermitted):
            must_be_able(mia, step)
        assert (await wizard.page(owner, step)).lacking == ""


async def test_the_command_for_a_host_is_waited_for(world: World, wizard: Wizard, owner: Actor) -> None:
    await wizard.must_be_paired(owner)
    pairing = await world.hosts.add(again(owner), "alpha")
    with pytest.raises(Conflict, match="alpha has not connected yet") as refused:
        await wizard.must_be_paired(owner)
    assert "run the command" in refused.value.remedy
    page = await wizard.page(owner, Step.HOST)
    assert page.pairing and page.pairing.good and not page.pairing.used
    await world.rows("update pairing_tokens set expires_at = now() - interval '1 second'")
    await wizard.must_be_paired(owner)
    page = await wizard.page(owner, Step.HOST)
    assert page.pairing and not page.pairing.good and pairing.token not in str(page)


async def test_somebody_elses_command_is_not_waited_for(world: World, wizard: Wizard, owner: Actor) -> None:
    await world.hosts.add(again(owner), "alpha")
    ada = await People(world.db).actor("ada", administrator=True)
    await wizard.must_be_paired(ada)
    assert (await wizard.page(ada, Step.HOST)).pairing is None


async def test_games_of_connected_hosts_are_offered(world: World, wizard: Wizard, owner: Actor) -> None:
    host, _ = await world.pair()
    assert (await wizard.page(owner, Step.SERVER)).offers == []
    await world.beat(host)
    (offer,) = (await wizard.page(owner, Step.SERVER)).offers
    assert (offer.host_name, offer.game, offer.game_name) == ("gs-1", "teeworlds", "Teeworlds")


async def test_a_test_goes_to_every_channel(world: World, wizard: Wizard, setup: Setup, owner: Actor) -> None:
    with pytest.raises(Conflict, match="No channel is chosen"):
        await setup.send_tests(owner)
    for purpose in ("ops", "alerts"):
        await wizard.choose_channel(again(owner), purpose, OPS)
    assert await setup.send_tests(again(owner)) == ["alerts", "ops"]
    sent = await world.rows("select payload_json from notification_jobs where event_type = 'notify.test' order by id")
    assert [payload["purpose"] for (payload,) in sent] == ["alerts", "ops"]
