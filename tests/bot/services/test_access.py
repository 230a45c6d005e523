"""What `/access` gives, takes back and explains, and what it leaves behind."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import clock
from bot.domain.access import Step
from bot.domain.actors import Actor
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted
from bot.services.access_bindings import DiscordRole
from bot.services.access_people import Person
from tests.bot.people import again
from tests.bot.services.access_world import ADMINS, DEPUTIES, LOCALS, MODERATORS, NEW, SPIES, Court, person
from tests.bot.world import World

MIA = person("mia", MODERATORS)


@pytest.fixture
async def court(world: World) -> Court:
    return await Court.opened(world)


@pytest.fixture
async def owner(court: Court) -> Actor:
    return await court.owner()


async def audited(court: Court) -> tuple[str, dict[str, Any]]:
    """Action and details of the newest audit row."""
    ((action, details),) = await court.world.rows("select action, details from audit_logs order by id desc limit 1")
    return action, details


async def test_a_binding_is_made_changed_and_taken_back(court: Court, owner: Actor) -> None:
    done = await court.bind(again(owner), NEW, "viewer", "EU1")
    assert (done.title, done.text) == ("Members with D506 are viewer on EU1", "Before: nothing.")
    assert await court.may(person("new", NEW), "jobs.view", "EU1")
    assert not await court.may(person("new", NEW), "jobs.view", "EU2")
    done = await court.bind(again(owner), NEW, "moderator", "EU1")
    assert done.text == "Before: viewer."
    action, details = await audited(court)
    assert (action, details["before"], details["after"], details["where"]) == (
        "access.bind",
        "viewer",
        "moderator",
        "on EU1",
    )
    with pytest.raises(Conflict, match="bound to moderator on EU1 already"):
        await court.bind(again(owner), NEW, "moderator", "EU1")
    with pytest.raises(NotFound, match="not bound to any role in the whole community") as refused:
        await court.unbind(again(owner), NEW)
    assert "moderator on EU1" in refused.value.remedy
    with pytest.raises(NotFound, match="not bound to viewer on EU1"):
        await court.unbind(again(owner), NEW, "viewer", "EU1")
    await court.unbind(again(owner), NEW, "moderator", "EU1")
    assert not await court.may(person("new", NEW), "jobs.view", "EU1")


async def test_a_discord_role_that_is_gone_is_bound_to_nothing(court: Court, owner: Actor) -> None:
    await court.bind(again(owner), ADMINS, "viewer", "EU1")
    before = await court.world.value("select count(*) from role_bindings")
    for _ in range(2):
        await court.bindings.gone(court.world.guild, DiscordRole(ADMINS, "Admins"))
        await court.bindings.gone(court.world.guild + 1, DiscordRole(MODERATORS, "of another guild"))
    assert await court.world.value("select count(*) from role_bindings") == before - 2
    assert await audited(court) == (
        "access.role_gone",
        {
            "by": "access.role_gone",
            "discordRole": {"id": str(ADMINS), "name": "Admins"},
            "before": ["admin", "viewer"],
            "after": None,
        },
    )


async def test_a_binding_to_a_tag_follows_the_tag(court: Court, owner: Actor) -> None:
    await court.bind(again(owner), NEW, "viewer", tag="EU")
    new = person("new", NEW)
    assert await court.may(new, "jobs.view", "EU1") and not await court.may(new, "jobs.view", "EU2")
    await court.world.rows(
        "insert into server_tags (org_id, server_instance_id, tag) values (:org, :server, 'eu')",
        org=court.world.org_id,
        server=court.eu2,
    )
    assert await court.may(new, "jobs.view", "EU2") and not await court.may(new, "jobs.view")
    with pytest.raises(NotFound, match="No server has the tag asia"):
        await court.bind(again(owner), NEW, "viewer", tag="asia")
    with pytest.raises(Invalid, match="both `server` and `tag`"):
        await court.bind(again(owner), NEW, "viewer", "EU1", "eu")


async def test_roles_and_servers_that_there_are_not(court: Court, owner: Actor) -> None:
    with pytest.raises(NotFound, match="no such role here") as refused:
        await court.bind(again(owner), NEW, "boss")
    assert "admin, operator, deputy, moderator" in refused.value.remedy
    with pytest.raises(NotFound, match="no such server here"):
        await court.bind(again(owner), NEW, "viewer", "EU9")
    with pytest.raises(NotFound, match=r"no permission servers\.explode"):
        await court.allow(again(owner), MIA, "servers.explode")


async def test_a_role_of_ones_own_counts_beside_those_of_discord(court: Court, owner: Actor) -> None:
    done = await court.members.grant(again(owner), MIA, "operator")
    assert (done.title, done.text) == ("Mia is operator everywhere", "They had no role of their own there.")
    assert await court.may(MIA, "servers.kill") and await court.may(MIA, "servers.restart")
    done = await court.members.grant(again(owner), MIA, "viewer")
    assert done.text == "Before: operator everywhere."
    assert not await court.may(MIA, "servers.kill") and await court.may(MIA, "servers.restart")
    assert (await audited(court))[1] | {"name": "Mia"} == {
        "name": "Mia",
        "where": "everywhere",
        "before": "operator",
        "after": "viewer",
    }
    with pytest.raises(Conflict, match="is viewer everywhere already"):
        await court.members.grant(again(owner), MIA, "viewer")
    with pytest.raises(Invalid, match="has no end"):
        await court.members.grant(again(owner), MIA, "moderator", until_text="2d")


async def test_on_a_server_it_takes_the_place_of_all_others_until_it_ends(
    court: Court, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await court.members.grant(again(owner), MIA, "viewer", "EU1", "2d")
    assert "until <t:" in done.title and "in place of all their other roles" in done.text
    assert not await court.may(MIA, "servers.restart", "EU1") and await court.may(MIA, "servers.restart", "EU2")
    done = await court.members.grant(again(owner), MIA, "operator", "EU1")
    assert done.title == "Mia is operator on EU1" and "Before: viewer on EU1 until <t:" in done.text
    await court.members.grant(again(owner), MIA, "viewer", "EU1", "2d")
    later = clock.now() + timedelta(days=2, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await court.may(MIA, "servers.restart", "EU1")


async def test_a_first_role_needs_another_permission_than_a_change(court: Court, owner: Actor) -> None:
    await court.made("greeter", 45, like="moderator", more=("users.create",))
    await court.made("mover", 45, like="moderator", more=("users.edit",))
    await court.bind(again(owner), NEW, "greeter")
    await court.bind(again(owner), SPIES, "mover")
    greta, max_ = await court.actor("greta", NEW), await court.actor("max", SPIES)
    with pytest.raises(NotPermitted, match=r"users\.create"):
        await court.members.grant(max_, MIA, "moderator")
    await court.members.grant(greta, MIA, "moderator")
    with pytest.raises(NotPermitted, match=r"users\.edit"):
        await court.members.grant(again(greta), MIA, "viewer")
    await court.members.grant(again(max_), MIA, "viewer")


async def test_an_exception_counts_whatever_the_roles_say_until_it_ends(
    court: Court, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await court.deny(again(owner), MIA, "servers.restart", "EU1")
    assert done.title == "Mia is denied `servers.restart` on EU1"
    assert not await court.may(MIA, "servers.restart", "EU1") and await court.may(MIA, "servers.restart", "EU2")
    done = await court.allow(again(owner), MIA, "servers.restart", "EU1", "12h")
    assert "Before: denied." in done.text and "until <t:" in done.title
    assert await court.may(MIA, "servers.restart", "EU1")
    action, details = await audited(court)
    assert (
        action == "access.allow" and details["before"] == "denied" and details["after"].startswith("allowed until 20")
    )
    await court.allow(again(owner), MIA, "servers.kill", until="2d")
    assert await court.may(MIA, "servers.kill", "EU2")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert not await court.may(MIA, "servers.kill", "EU2") and await court.may(MIA, "servers.restart", "EU1")


async def test_an_end_that_is_none(court: Court, owner: Actor) -> None:
    for until in ("yesterday", "2020-01-01", "never", "500d"):
        with pytest.raises(Invalid) as refused:
            await court.allow(again(owner), MIA, "servers.kill", until=until)
        assert refused.value.remedy == "Nothing was changed."
    assert await court.world.value("select count(*) from user_permissions") == 0


async def test_an_end_is_meant_by_the_clock_of_the_community(
    court: Court, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await court.world.rows("update orgs set timezone = 'Asia/Tokyo'")
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 12, 1, 12, 0, tzinfo=UTC))
    await court.allow(owner, MIA, "servers.kill", until="2026-12-24 8:00")
    end = await court.world.value("select expires_at from user_permissions")
    assert end == datetime(2026, 12, 23, 23, 0, tzinfo=UTC)


async def given(court: Court, owner: Actor) -> None:
    """Mia has something of everything."""
    await court.members.grant(again(owner), MIA, "operator")
    await court.members.grant(again(owner), MIA, "viewer", "EU1", "2d")
    await court.members.grant(again(owner), MIA, "viewer", "EU2")
    await court.allow(again(owner), MIA, "servers.wipe")
    await court.deny(again(owner), MIA, "servers.wipe", "EU1")
    await court.allow(again(owner), MIA, "bans.create", "EU2")


CLEARED = (
    ("", "", "", (0, 0, 0)),
    ("everything", "", "", (0, 0, 0)),
    ("role", "", "", (0, 2, 3)),
    ("server roles", "", "", (1, 0, 3)),
    ("exceptions", "", "", (1, 2, 0)),
    ("", "servers.wipe", "", (1, 2, 1)),
    ("", "servers.wipe", "EU1", (1, 2, 2)),
    ("", "", "EU1", (1, 1, 2)),
    ("server roles", "", "EU2", (1, 1, 3)),
)
"""`what`, `permission`, `server`, and how many own roles, server roles and exceptions are left."""


async def test_what_was_given_is_taken_back(court: Court, owner: Actor) -> None:
    for what, permission, server, left in CLEARED:
        await given(court, owner)
        done = await court.clearing.clear(again(owner), MIA, what, permission, server)
        counts = await court.world.rows(
            """select (select count(*) from user_orgs where role_id is not null),
                      (select count(*) from user_server_roles), (select count(*) from user_permissions)"""
        )
        assert counts == [left] and done.title.startswith("Mia lost what was their own"), (what, permission, server)
        action, details = await audited(court)
        assert action == "access.clear" and len(details["before"]) == 6 - sum(left)
        if sum(left):
            await court.clearing.clear(again(owner), MIA, "")


async def test_taking_back_names_what_went(court: Court, owner: Actor) -> None:
    await given(court, owner)
    done = await court.clearing.clear(again(owner), MIA, "")
    assert "- operator everywhere" in done.text and "- viewer on EU1 until <t:" in done.text
    assert "- denied servers.wipe on EU1" in done.text and "their other roles count again" in done.text
    for what, permission in (("", ""), ("role", ""), ("", "servers.wipe")):
        with pytest.raises(NotFound, match="nothing of their own"):
            await court.clearing.clear(again(owner), MIA, what, permission)
    with pytest.raises(NotFound, match="nothing of their own"):
        await court.clearing.clear(again(owner), person("nobody"), "")
    with pytest.raises(Invalid, match="is an exception, not a role"):
        await court.clearing.clear(again(owner), MIA, "role", "servers.wipe")


async def test_nobody_gets_back_more_than_who_takes_it_has(court: Court, owner: Actor) -> None:
    """A server's role also holds back what lies under it."""
    ed = person("ed")
    await court.members.grant(again(owner), ed, "spy")
    await court.members.grant(again(owner), ed, "viewer", "EU1")
    dora = await court.actor("dora", DEPUTIES)
    with pytest.raises(NotPermitted, match=r"no `servers\.wipe` on EU1"):
        await court.clearing.clear(dora, ed, "server roles")
    with pytest.raises(NotPermitted, match=r"no `servers\.wipe` in the whole community"):
        await court.clearing.clear(again(dora), ed, "role")
    await court.clearing.clear(await court.actor("ada", ADMINS), ed, "")


async def test_who_never_used_the_bot_gets_a_row(court: Court, owner: Actor) -> None:
    before = await court.world.value("select count(*) from users")
    assert not await court.may(person("zoe"), "servers.kill")
    assert await court.world.value("select count(*) from users") == before, "looking makes none"
    await court.allow(again(owner), person("zoe"), "servers.kill")
    assert await court.may(person("zoe"), "servers.kill")
    assert await court.world.value("select username from users order by created_at desc limit 1") == "zoe"


async def test_an_owner_is_told_that_an_exception_changes_nothing_for_them(court: Court, owner: Actor) -> None:
    boss = person("boss", owner=True)
    done = await court.deny(again(owner), boss, "servers.kill")
    assert "changes nothing for them now" in done.text and await court.may(boss, "servers.kill")


async def test_every_change_is_notified_and_a_refused_one_is_not_there(court: Court, owner: Actor) -> None:
    heard: list[str] = []
    task = asyncio.create_task(court.world.db.listen("gk_access", heard.append))
    await court.world.db.catch_up()
    await given(court, owner)
    await court.clearing.clear(again(owner), MIA, "")
    await court.unbind(again(owner), LOCALS, server="EU1")
    await court.choose(again(owner), "viewer", "files.view", has=True)
    with pytest.raises(AppError):
        await court.bind(await court.actor("mia", MODERATORS), NEW, "viewer")
    await court.world.db.catch_up()
    task.cancel()
    assert [one for one in heard if one] == [str(court.world.org_id)] * 9


DECIDED: dict[Step, tuple[str, ...]] = {
    Step.BREAK_GLASS: (),
    Step.SERVER_OVERRIDE: ("deny EU1", "allow", "role EU1"),
    Step.ORG_OVERRIDE: ("allow", "role EU1"),
    Step.SERVER_ROLE: ("role EU1",),
    Step.ROLE: ("deny EU2", "role EU2"),
    Step.NOTHING: ("deny EU2", "role EU2"),
}


async def test_why_names_the_step_that_decided(court: Court, owner: Actor) -> None:
    for number, (step, acts) in enumerate(DECIDED.items()):
        roles = () if step is Step.NOTHING else (MODERATORS,)
        who = person("mia" + "x" * number, *roles, owner=step is Step.BREAK_GLASS)
        for act in acts:
            what, _, server = act.partition(" ")
            await _arrange(court, again(owner), who, what, server)
        found = await court.sight.why(again(owner), who, "servers.restart", "EU1")
        assert found.decision.step is step
        assert {(one.permission, one.role) for one in found.changers} == {
            (permission, role) for permission in ("users.permissions", "users.edit") for role in ("admin", "deputy")
        }
        assert found.having[:2] == ["admin", "operator"]


async def _arrange(court: Court, owner: Actor, who: Person, what: str, server: str) -> None:
    match what:
        case "deny":
            await court.deny(owner, who, "servers.restart", server)
        case "allow":
            await court.allow(owner, who, "servers.restart", server)
        case _:
            await court.members.grant(owner, who, "viewer", server)


async def test_why_says_what_has_ended(court: Court, owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    await court.deny(again(owner), MIA, "servers.restart", "EU1", "1h")
    await court.members.grant(again(owner), MIA, "viewer", "EU1", "1h")
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    found = await court.sight.why(again(owner), MIA, "servers.restart", "EU1")
    assert found.decision.step is Step.ROLE
    assert [one.role for one in found.ended if one.on_server] == [None, "viewer"]


async def test_of_oneself_everybody_may_ask_of_others_only_who_decides(court: Court) -> None:
    mia = await court.actor("mia", MODERATORS)
    assert (await court.sight.why(mia, MIA, "servers.restart")).decision.allowed
    with pytest.raises(NotPermitted, match=r"users\.permissions"):
        await court.sight.why(again(mia), person("ada", ADMINS), "servers.restart")
    lena = await court.actor("lena", LOCALS)
    assert (await court.sight.why(lena, MIA, "servers.restart", "EU1")).decision.allowed
    for server in ("EU2", ""):
        with pytest.raises(NotPermitted):
            await court.sight.why(again(lena), MIA, "servers.restart", server)
    with pytest.raises(NotFound) as refused:
        await court.sight.why(again(mia), MIA, "servers.restart", "EU9")
    assert "EU1" not in refused.value.remedy, "who may see no server is told of none"


async def test_who_holds_what(court: Court, owner: Actor) -> None:
    await given(court, owner)
    overview = await court.sight.overview(again(owner))
    held = {sight.role.name: (len(sight.bound), len(sight.holders)) for sight in overview.rows}
    assert held["admin"] == (2, 0) and held["operator"] == (0, 1) and held["viewer"] == (0, 2)
    sight = await court.sight.role(again(owner), "viewer")
    assert [(one.name, one.server_name) for one in sight.holders] == [("Mia", "EU1"), ("Mia", "EU2")]
    seen = await court.sight.member(again(owner), MIA)
    assert {role.role for role in seen.grants.roles} == {"operator", "moderator", "player"}
    assert set(seen.servers.values()) == {"EU1", "EU2"}
