"""What people try who want more than they have: each of these was or could have been a way round."""

from pathlib import Path

import pytest

from bot.domain.actors import Actor
from bot.errors import NotFound, NotPermitted
from bot.services.access_guards import Overreach
from bot.services.audit import Audit
from bot.services.audit_verify import AuditVerify
from bot.services.channels import Channels
from bot.services.fleet import Fleet
from bot.services.panels import Where
from bot.services.players import Players
from bot.services.power import Power
from bot.services.privacy import WORDS, Privacy
from bot.services.setup import Setup
from db.queries.audit import Filter
from tests.bot.grants import bind, deny, give, put
from tests.bot.people import GUILD, again
from tests.bot.services.access_world import ADMINS, DEPUTIES, LOCALS, MODERATORS, NEW, Court, person
from tests.bot.services.prerequisites import Prerequisites, SaidGuild
from tests.bot.world import World

MIA = person("mia", MODERATORS)


@pytest.fixture
async def court(world: World) -> Court:
    return await Court.opened(world)


@pytest.fixture
async def mia(court: Court) -> Actor:
    return await court.actor("mia", MODERATORS)


async def forget(court: Court, who: Actor) -> None:
    privacy = Privacy(court.world.db)
    plan = await privacy.plan(again(who))
    await privacy.forget(again(who), int(plan.asked_at.timestamp()), WORDS)


# ---------------------------------------------------------------------------------------------------------- /my forget


async def test_being_forgotten_lifts_no_denial(court: Court, mia: Actor) -> None:
    await deny(court.world, mia, "bans.create")
    await deny(court.world, mia, "servers.stop", court.eu1)
    await give(court.world, mia, "servers.wipe")
    await forget(court, mia)
    back = await court.actor("mia", MODERATORS)
    assert back.may("bans.revoke")
    assert not back.may("bans.create") and not back.may_on("servers.stop", court.eu1)
    assert not back.may("servers.wipe"), "what was given is gone"


async def test_being_forgotten_takes_no_server_role_off_that_holds_back(court: Court, mia: Actor) -> None:
    await put(court.world, mia, "player", court.eu1)
    await forget(court, mia)
    back = await court.actor("mia", MODERATORS)
    assert not back.may_on("servers.stop", court.eu1) and back.may_on("servers.stop", court.eu2)


# ----------------------------------------------------------------------------- what belongs to no server, by way of one


async def test_a_right_on_one_server_shows_nothing_of_the_whole_community(court: Court, tmp_path: Path) -> None:
    ready = Prerequisites(court.world, tmp_path, SaidGuild(None))
    await bind(court.world, NEW, "admin", court.eu1)
    lou = await court.actor("lou", NEW)
    for looked in (
        court.world.hosts.list(again(lou)),
        court.world.hosts.show(again(lou), "gs-1"),
        Channels(court.world.db).list(again(lou)),
        court.roles.list(again(lou)),
        court.roles.edit(again(lou), "admin"),
        AuditVerify(court.world.db).verify(again(lou)),
        Fleet(court.world.db).draft(again(lou), "gs-1", "teeworlds", "mine"),
        ready.check.look(again(lou)),
    ):
        with pytest.raises(NotPermitted):
            await looked
    assert await court.world.hosts.suggest(lou, "") == []
    assert await Channels(court.world.db).suggest(lou, "") == []


async def test_who_administers_one_server_is_told_who_does_there(court: Court, mia: Actor) -> None:
    for server in (court.eu1, court.eu2):
        await put(court.world, mia, "operator", server)
    await deny(court.world, mia, "bans.create")
    await bind(court.world, NEW, "viewer", court.eu2)
    lou = await court.actor("lou", LOCALS)
    told = [
        (sight.role.name, one.server_name) for sight in (await court.sight.overview(lou)).rows for one in sight.bound
    ]
    held = [one.server_name for sight in (await court.sight.overview(lou)).rows for one in sight.holders]
    assert told == [("admin", "EU1")] and held == ["EU1"]
    member = await court.sight.member(lou, MIA)
    assert [role.server_id for role in member.grants.server_roles] == [court.eu1]
    assert member.servers == {court.eu1: "EU1"} and not member.grants.overrides and not member.grants.roles


async def test_who_is_denied_it_everywhere_does_not_get_it_by_way_of_a_server(court: Court, mia: Actor) -> None:
    await deny(court.world, mia, "nodes.view")
    await give(court.world, mia, "nodes.view", court.eu1)
    mia = await court.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted):
        await court.world.hosts.list(mia)


# ---------------------------------------------------------------------------------------------------------------- leaks


async def test_who_holds_what_names_no_server_that_the_reader_does_not_see(court: Court) -> None:
    dora = await court.actor("dora", DEPUTIES)
    await deny(court.world, dora, "servers.view", court.eu1)
    await put(court.world, await court.actor("mia", MODERATORS), "operator", court.eu1)
    dora = await court.actor("dora", DEPUTIES)
    page = await court.sight.overview(dora)
    named = [one.server_name for sight in page.rows for one in (*sight.bound, *sight.holders) if one.server_name]
    assert len(named) == 2 and "EU1" not in named, named
    told = await court.sight.member(dora, MIA)
    assert list(told.servers) == [court.eu1] and "EU1" not in told.servers.values()
    with pytest.raises(Overreach) as caught:
        await court.bind(again(dora), NEW, "player")
    assert "EU1" not in f"{caught.value.what} {caught.value.remedy}"


async def test_the_log_tells_nothing_of_a_server_that_its_reader_does_not_see(court: Court) -> None:
    owner = await court.owner()
    async with court.world.db.uow(owner) as tx:
        tx.audit("server.kill", resource=("server", court.eu1))
    dora = await court.actor("dora", DEPUTIES)
    await deny(court.world, dora, "servers.view", court.eu1)
    dora = await court.actor("dora", DEPUTIES)
    audit = Audit(court.world.db)
    found = await audit.search(dora, Filter(action="server.kill"))
    assert found.rows == []
    assert "EU1" not in {one.name for one in await audit.suggest_targets(dora, "EU")}


async def test_a_profile_is_shown_where_profiles_may_be_seen(court: Court, mia: Actor) -> None:
    (row,) = await court.world.rows(
        "insert into players (org_id, name) values (:org, 'bob') returning id", org=court.world.org_id
    )
    await court.world.rows(
        """insert into player_sessions (org_id, player_id, server_instance_id, started_at)
           values (:org, :player, :server, now())""",
        org=court.world.org_id,
        player=row[0],
        server=court.eu1,
    )
    players = Players(court.world.db)
    assert (await players.show(mia, row[0])).name == "bob"
    await deny(court.world, mia, "players.view", court.eu1)
    mia = await court.actor("mia", MODERATORS)
    shown = await players.show(mia, row[0])
    assert shown.server_name is None, "where they are is not told"
    await bind(court.world, NEW, "moderator", court.eu2)
    lou = await court.actor("lou", NEW)
    with pytest.raises((NotFound, NotPermitted)):
        await players.show(lou, row[0])


# ----------------------------------------------------------------------------------------------------- carelessness


async def test_choosing_viewers_does_not_take_from_everyone(court: Court) -> None:
    owner = await court.owner()
    await court.bind(owner, GUILD, "viewer")
    setup = Setup(court.world.db)
    await setup.bind(again(owner), "viewer", [NEW])
    assert (await court.actor("zoe")).may("jobs.view"), "@everyone is not in the menu"


async def test_a_role_of_everyone_lifts_nobody_above_others(court: Court) -> None:
    """Rank guards people and roles; what everybody has is none."""
    await court.roles.edit(await court.owner(), "player", priority=70)
    await court.made("helper", 20, more=("users.view", "users.create", "users.permissions", "bans.create"))
    await court.bind(await court.owner(), NEW, "helper")
    hal = await court.actor("hal", NEW)
    with pytest.raises(Overreach, match="Mia ranks above you"):
        await court.deny(again(hal), MIA, "bans.create")
    assert (await court.deny(again(hal), person("zoe"), "bans.create")).title, "nor above them"
    with pytest.raises(Overreach, match="is not below your own rank, which is 20"):
        await court.roles.create(again(hal), "mine", 50)


# ------------------------------------------------------------------------------------------ ways round one's own limits


async def test_a_role_that_holds_back_on_a_server_is_not_got_rid_of(court: Court) -> None:
    """Ada administers everything but EU1, where she only looks."""
    ada = await court.actor("ada", ADMINS)
    await put(court.world, ada, "viewer", court.eu1)
    own, spare = person("ada", ADMINS), await court.made("spare", 5)
    await put(court.world, await court.actor("bob", ADMINS), "spare", court.eu1)
    ada = await court.actor("ada", ADMINS)
    for attack in (
        court.clearing.clear(again(ada), own, ""),
        court.clearing.clear(again(ada), own, "server roles", server="EU1"),
        court.members.grant(again(ada), own, "admin", "EU1"),
        court.members.grant(again(ada), own, "player", "EU1", "in 1 minute"),
        court.allow(again(ada), own, "servers.kill", "EU1"),
        court.allow(again(ada), own, "servers.kill"),
        court.choose(again(ada), "viewer", "servers.kill", has=True),
        court.roles.create(again(ada), "mine", 1, like="admin"),
        court.bind(again(ada), NEW, "admin", "EU1"),
        court.bind(again(ada), NEW, "admin"),
        court.bind(again(ada), NEW, "operator", tag="eu"),
        court.roles.ask_delete(again(ada), str(spare)),
        Setup(court.world.db).bind(again(ada), "operator", [NEW]),
    ):
        with pytest.raises(NotPermitted):
            await attack
    assert not (await court.actor("ada", ADMINS)).may_on("servers.kill", court.eu1)
    assert not (await court.actor("eve", NEW)).may_on("servers.kill", court.eu1)


async def test_a_question_is_not_answered_by_who_lost_the_right_meanwhile(court: Court) -> None:
    await court.made("spare", 5)
    dora = await court.actor("dora", DEPUTIES)
    asked = await court.roles.ask_delete(again(dora), "spare")
    await court.deny(await court.owner(), person("dora", DEPUTIES), "users.permissions")
    with pytest.raises(NotPermitted, match=r"users\.permissions"):
        await court.confirmations.press(again(dora), asked.token)  # with grants of before, as from a cache
    assert await court.world.value("select count(*) from roles where name = 'spare'") == 1


async def test_what_waits_on_a_server_is_not_told_to_who_does_not_see_it(court: Court, mia: Actor) -> None:
    await deny(court.world, mia, "servers.view", court.eu1)
    mia = await court.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted, match=r"servers\.view"):
        await Power(court.world.db, court.world.jobs).cancel(mia, "EU1")


# --------------------------------------------------------------------------------------------------- who watches whom


async def test_nobody_takes_the_audit_log_out_of_sight_who_may_not_change_what_guards_the_community(
    court: Court, mia: Actor
) -> None:
    await Setup(court.world.db).set_channel(await court.owner(), "audit", 42)
    for permission in ("notifications.manage", "settings.edit"):
        await give(court.world, mia, permission)
    mia, channels, setup = await court.actor("mia", MODERATORS), Channels(court.world.db), Setup(court.world.db)
    attempts = [
        lambda: channels.remove(again(mia), "audit"),
        lambda: channels.add(again(mia), Where(43), name="mine", purpose="audit"),
        lambda: setup.set_channel(again(mia), "audit", 43),
        lambda: setup.set_channel(again(mia), "audit", None),
    ]
    for attempt in attempts:
        with pytest.raises(NotPermitted, match=r"security\.config"):
            await attempt()
    await channels.add(again(mia), Where(43), name="mine", purpose="ops")
    assert await court.world.rows("select discord_channel_id from notification_channels where purpose = 'audit'") == [
        (42,)
    ]
