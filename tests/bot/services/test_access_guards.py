"""Nobody hands out what they lack or reaches above their rank; the last administrator stays."""

from collections.abc import Awaitable, Callable

import pytest

from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid, NotPermitted
from bot.services.access_guards import NOBODY_LEFT, PERHAPS_NOBODY, Overreach
from tests.bot.people import GUILD, again
from tests.bot.services.access_world import (
    ADMINS,
    DEPUTIES,
    LOCALS,
    MODERATORS,
    NEW,
    SPIES,
    Court,
    person,
)
from tests.bot.world import World

Act = Callable[[Court, Actor], Awaitable[object]]
ADA, MIA, OLGA = person("ada", ADMINS), person("mia", MODERATORS), person("olga", owner=True)

LACKS, ROLE_ABOVE, PERSON_ABOVE = (
    "Nobody gives or takes what they lack",
    "The role .* ranks above you",
    "Ada ranks above",
)


@pytest.fixture
async def court(world: World) -> Court:
    return await Court.opened(world)


async def fingerprint(court: Court) -> list[object]:
    """Everything that decides over anybody."""
    tables = {
        "role_bindings": "discord_role_id, role_id, server_instance_id, tag",
        "user_orgs": "user_id, role_id",
        "user_server_roles": "user_id, server_instance_id, role_id, expires_at",
        "user_permissions": "user_id, permission_id, server_instance_id, granted, expires_at",
        "roles": "id, name, priority",
        "role_permissions": "role_id, permission_id",
    }
    found = [await court.world.rows(f"select {columns} from {table}") for table, columns in tables.items()]
    return [sorted(map(str, rows)) for rows in found]


DEPUTY_MAY: dict[str, Act] = {
    "bind a lower role": lambda court, dora: court.bind(dora, NEW, "moderator"),
    "bind on a server": lambda court, dora: court.bind(dora, NEW, "moderator", "EU1"),
    "bind by a tag": lambda court, dora: court.bind(dora, NEW, "moderator", tag="eu"),
    "rebind": lambda court, dora: court.bind(dora, MODERATORS, "viewer"),
    "unbind": lambda court, dora: court.unbind(dora, MODERATORS),
    "grant": lambda court, dora: court.members.grant(dora, MIA, "moderator"),
    "grant what she has herself": lambda court, dora: court.members.grant(dora, MIA, "deputy"),
    "allow": lambda court, dora: court.allow(dora, MIA, "bans.create"),
    "deny": lambda court, dora: court.deny(dora, MIA, "bans.create", "EU1"),
    "make a role": lambda court, dora: court.roles.create(dora, "helper", 49, "moderator"),
    "edit a role": lambda court, dora: court.choose(dora, "moderator", "servers.stop", has=False),
    "raise a role up to below herself": lambda court, dora: court.roles.edit(dora, "moderator", priority=49),
}

DEPUTY_MAY_NOT: dict[str, tuple[str, Act]] = {
    "bind a higher role": (ROLE_ABOVE, lambda court, dora: court.bind(dora, NEW, "operator")),
    "bind what she lacks": (LACKS, lambda court, dora: court.bind(dora, NEW, "spy")),
    "bind what she lacks there": (LACKS, lambda court, dora: court.bind(dora, NEW, "spy", "EU1")),
    "bind what she lacks by a tag": (LACKS, lambda court, dora: court.bind(dora, NEW, "spy", tag="eu")),
    "unbind a higher role": (ROLE_ABOVE, lambda court, dora: court.unbind(dora, ADMINS)),
    "rebind a higher role": (ROLE_ABOVE, lambda court, dora: court.bind(dora, ADMINS, "viewer")),
    "unbind what she lacks": (LACKS, lambda court, dora: court.unbind(dora, SPIES)),
    "unbind a higher role on a server": (ROLE_ABOVE, lambda court, dora: court.unbind(dora, LOCALS, server="EU1")),
    "grant a higher role": (ROLE_ABOVE, lambda court, dora: court.members.grant(dora, MIA, "operator")),
    "grant herself a higher role": (
        ROLE_ABOVE,
        lambda court, dora: court.members.grant(dora, person("dora", DEPUTIES), "admin"),
    ),
    "grant to somebody above": (PERSON_ABOVE, lambda court, dora: court.members.grant(dora, ADA, "viewer")),
    "take roles of somebody above on a server": (
        PERSON_ABOVE,
        lambda court, dora: court.members.grant(dora, ADA, "viewer", "EU1"),
    ),
    "take what she lacks by a server's role": (
        LACKS,
        lambda court, dora: court.members.grant(dora, person("sam", SPIES), "viewer", "EU1"),
    ),
    "allow what she lacks": (LACKS, lambda court, dora: court.allow(dora, MIA, "servers.kill")),
    "allow herself what she lacks": (
        LACKS,
        lambda court, dora: court.allow(dora, person("dora", DEPUTIES), "servers.kill", "EU1"),
    ),
    "deny what she lacks": (LACKS, lambda court, dora: court.deny(dora, MIA, "servers.wipe")),
    "deny somebody above": (PERSON_ABOVE, lambda court, dora: court.deny(dora, ADA, "servers.stop")),
    "deny the owner": ("owns this Discord server", lambda court, dora: court.deny(dora, OLGA, "servers.stop")),
    "make a role of her own rank": ("not below your own", lambda court, dora: court.roles.create(dora, "twin", 50)),
    "make a role with what she lacks": (LACKS, lambda court, dora: court.roles.create(dora, "x1", 5, "operator")),
    "raise a role to her rank": ("not below", lambda court, dora: court.roles.edit(dora, "moderator", priority=50)),
    "edit a higher role": (ROLE_ABOVE, lambda court, dora: court.choose(dora, "operator", "servers.stop", has=False)),
    "lower a higher role": (ROLE_ABOVE, lambda court, dora: court.roles.edit(dora, "operator", priority=1)),
    "give her own role what she lacks": (
        LACKS,
        lambda court, dora: court.choose(dora, "deputy", "servers.kill", has=True),
    ),
    "take from a role what she lacks": (
        LACKS,
        lambda court, dora: court.choose(dora, "spy", "servers.wipe", has=False),
    ),
    "delete a role with what she lacks": (LACKS, lambda court, dora: court.roles.ask_delete(dora, "spy")),
}


async def test_who_manages_people_may_below_herself_and_no_further(court: Court) -> None:
    dora, before = await court.actor("dora", DEPUTIES), await fingerprint(court)
    for name, (refused, act) in DEPUTY_MAY_NOT.items():
        with pytest.raises(Overreach, match=refused):
            await act(court, again(dora))
        assert await fingerprint(court) == before, name
    for name, act in DEPUTY_MAY.items():
        before = await fingerprint(court)
        await act(court, again(dora))
        assert await fingerprint(court) != before, name


async def test_a_refusal_says_what_is_missing_and_who_has_it(court: Court) -> None:
    with pytest.raises(Overreach) as refused:
        await court.bind(await court.actor("dora", DEPUTIES), NEW, "spy")
    assert refused.value.what.endswith("you have no `servers.wipe` in the whole community.")
    assert "spy, admin" in refused.value.remedy and refused.value.outcome == "denied"


async def test_what_is_lacked_on_one_server_is_not_given_everywhere(court: Court) -> None:
    ada = await court.actor("ada", ADMINS)
    await court.deny(await court.owner(), ADA, "servers.kill", "EU1")
    with pytest.raises(Overreach, match=r"you have no `servers\.kill` on EU1"):
        await court.bind(again(ada), NEW, "operator")
    with pytest.raises(Overreach, match=r"no `servers\.kill` on EU1"):
        await court.bind(again(ada), NEW, "operator", tag="eu")
    with pytest.raises(Overreach, match=LACKS):
        await court.clearing.clear(again(ada), ADA, "exceptions")
    await court.bind(again(ada), NEW, "operator", "EU2")
    await court.bind(again(ada), NEW, "moderator")


async def test_what_is_had_on_todays_servers_of_a_tag_is_not_given_for_tomorrows(court: Court) -> None:
    lena = await court.actor("lena", LOCALS)
    with pytest.raises(Overreach, match=r"on every server with the tag eu|ranks above"):
        await court.bind(lena, NEW, "viewer", tag="eu")
    await court.bind(await court.owner(), LOCALS, "admin", tag="eu")
    await court.bind(again(lena), NEW, "viewer", tag="eu")


async def test_who_administers_one_server_gives_there_and_nowhere_else(court: Court) -> None:
    lena = await court.actor("lena", LOCALS)
    await court.bind(again(lena), NEW, "moderator", "EU1")
    await court.allow(again(lena), MIA, "servers.kill", "EU1", "2d")
    await court.members.grant(again(lena), MIA, "operator", "EU1")
    for server in ("EU2", ""):
        with pytest.raises(NotPermitted, match=r"users\.edit"):
            await court.bind(again(lena), NEW, "moderator", server)
        with pytest.raises(NotPermitted, match=r"users\.permissions"):
            await court.allow(again(lena), MIA, "servers.kill", server)
    with pytest.raises(NotPermitted, match=r"users\.permissions"):
        await court.roles.create(again(lena), "mine", 1)
    assert await court.may(MIA, "servers.kill", "EU1") and not await court.may(MIA, "servers.kill", "EU2")


async def test_nobody_gives_for_longer_than_they_have_it(court: Court) -> None:
    dora, herself = await court.actor("dora", DEPUTIES), person("dora", DEPUTIES)
    await court.allow(await court.owner(), herself, "servers.kill", "EU1", "2d")
    for until in ("", "3d"):
        with pytest.raises(Overreach, match=r"for longer than they have it: your `servers\.kill` on EU1 ends before"):
            await court.allow(again(dora), herself, "servers.kill", "EU1", until)
    await court.allow(again(dora), MIA, "servers.kill", "EU1", "1d")
    await court.members.grant(await court.owner(), person("lars"), "admin", "EU1", "2d")
    lars = await court.actor("lars")
    with pytest.raises(Overreach, match="for longer than they have it"):
        await court.bind(lars, NEW, "moderator", "EU1")
    await court.members.grant(again(lars), person("mo"), "moderator", "EU1", "1d")


async def test_what_was_held_back_does_not_come_back_by_a_short_end(court: Court) -> None:
    """A role or an exception that ends takes with it the one that it took the place of."""
    ed, dora = person("ed", SPIES), await court.actor("dora", DEPUTIES)
    await court.members.grant(await court.owner(), ed, "viewer", "EU1")
    with pytest.raises(Overreach, match=r"no `servers\.wipe` on EU1"):
        await court.members.grant(dora, ed, "moderator", "EU1", "1h")
    await court.deny(await court.owner(), MIA, "servers.kill", "EU2")
    await court.allow(await court.owner(), person("dora", DEPUTIES), "servers.kill", "EU2", "2d")
    with pytest.raises(Overreach, match="for longer than they have it"):
        await court.deny(again(dora), MIA, "servers.kill", "EU2", "1h")


async def test_who_ranks_high_on_one_server_is_not_touched_everywhere_from_below(court: Court) -> None:
    dora, lena = await court.actor("dora", DEPUTIES), person("lena", LOCALS)
    with pytest.raises(Overreach, match="Lena ranks above you: 100; you have 50 everywhere"):
        await court.deny(again(dora), lena, "servers.stop")
    await court.deny(again(dora), lena, "servers.stop", "EU2")


async def test_the_owner_is_free_of_it(court: Court) -> None:
    await court.bind(await court.owner(), NEW, "admin")
    await court.roles.create(await court.owner(), "chief", 500, "admin")
    await court.deny(await court.owner(), ADA, "servers.wipe")
    await court.members.grant(await court.owner(), ADA, "viewer", "EU1")


LAST: dict[str, Act] = {
    "unbind": lambda court, ada: court.unbind(ada, ADMINS),
    "bind to a lower role": lambda court, ada: court.bind(ada, ADMINS, "viewer"),
    "deny oneself": lambda court, ada: court.deny(ada, ADA, "users.permissions"),
    "edit the role": lambda court, ada: court.choose(ada, "admin", "users.permissions", has=False),
}


@pytest.fixture
async def lonely(court: Court) -> Court:
    """Only who has ADMINS administers."""
    await court.unbind(await court.owner(), DEPUTIES)
    return court


async def test_the_last_administrator_stays(lonely: Court) -> None:
    ada, before = await lonely.actor("ada", ADMINS), await fingerprint(lonely)
    for name, act in LAST.items():
        with pytest.raises(Conflict, match="leave nobody as administrator"):
            await act(lonely, again(ada))
        assert await fingerprint(lonely) == before, name


@pytest.mark.parametrize(("way", "act"), LAST.items(), ids=LAST.keys())
async def test_the_owner_may_and_is_told_that_nobody_is_left(lonely: Court, way: str, act: Act) -> None:
    told = PERHAPS_NOBODY if way == "deny oneself" else NOBODY_LEFT
    assert told in str(await act(lonely, await lonely.owner()))


async def test_with_another_administrator_the_last_but_one_may_go(court: Court) -> None:
    await court.unbind(await court.actor("ada", ADMINS), ADMINS)
    assert not await court.may(ADA, "users.permissions") and await court.may(person("d", DEPUTIES), "users.permissions")


OWN: dict[str, Act] = {
    "a lower role": lambda court, gert: court.members.grant(again(gert), person("gert"), "viewer"),
    "clear": lambda court, gert: court.clearing.clear(again(gert), person("gert"), ""),
    "deny": lambda court, gert: court.deny(again(gert), person("gert"), "users.permissions"),
}


async def test_the_last_one_by_a_role_of_their_own_stays_too(lonely: Court) -> None:
    await lonely.members.grant(await lonely.owner(), person("gert"), "admin")
    await lonely.unbind(await lonely.owner(), ADMINS)
    gert = await lonely.actor("gert")
    for act in OWN.values():
        with pytest.raises(Conflict, match="leave nobody as administrator"):
            await act(lonely, gert)
    await lonely.members.grant(await lonely.owner(), person("hans"), "admin")
    await OWN["clear"](lonely, gert)


async def test_the_last_role_that_administers_is_not_deleted(lonely: Court) -> None:
    await lonely.members.grant(await lonely.owner(), person("dora"), "deputy")
    await lonely.unbind(await lonely.owner(), ADMINS)
    dora = await lonely.actor("dora")
    asked = await lonely.roles.ask_delete(dora, "deputy")
    with pytest.raises(Conflict, match="leave nobody as administrator"):
        await lonely.confirmations.press(again(dora), asked.token)
    assert await lonely.may(person("dora"), "users.permissions")


async def test_one_of_several_with_a_discord_role_can_be_denied(lonely: Court) -> None:
    """Who else has the Discord role only Discord knows, but the one who denies it administers."""
    await lonely.deny(await lonely.actor("ada", ADMINS), person("bert", ADMINS), "users.permissions")
    with pytest.raises(Conflict, match="could leave nobody as administrator: who else"):
        await lonely.deny(await lonely.actor("ada", ADMINS), ADA, "users.permissions")


async def test_everyone_only_looks(court: Court) -> None:
    for role in ("moderator", "operator", "admin", "deputy", "spy"):
        with pytest.raises(Invalid, match="@everyone cannot have this role: whoever joins could"):
            await court.bind(await court.owner(), GUILD, role)
        with pytest.raises(Invalid, match="@everyone"):
            await court.bind(await court.owner(), GUILD, role, "EU1")
    await court.bind(await court.owner(), GUILD, "viewer")
    with pytest.raises(Invalid, match=r"whoever joins could then use `servers\.start`"):
        await court.choose(await court.owner(), "viewer", "servers.start", has=True)
    await court.choose(await court.owner(), "viewer", "files.view", has=True)
    await court.choose(await court.owner(), "player", "servers.start", has=True)
