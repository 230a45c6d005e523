"""Banning and lifting: one case a person, one transaction, nothing half-done."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, Unsupported
from bot.services.confirmations import Done
from tests.bot.people import MODERATORS, People, again
from tests.bot.services.court import OTHER_STEAM, STEAM, Court, court, game, later
from tests.bot.world import World, player

KEPT = "select count(*) from pending_confirmations"


@pytest.fixture(name="court")
async def made(world: World) -> Court:
    return await court(world)


async def test_everything_about_a_ban_is_one_transaction(court: Court) -> None:
    host = await court.host("gs-1", "EU1", "EU2")
    await court.up(host, "EU1", player("bob", steam=STEAM, ip="192.0.2.9"))
    asked = await court.ask("bob", duration="7d", note="was warned")
    assert (asked.number, asked.question.verb, asked.kick_text) == (1, "Ban on 2 servers", "B-1: griefing")
    assert asked.who.identities == {("steam", STEAM), ("ip", "192.0.2.9")} and asked.who.online_on == ("EU1",)
    assert await court.world.value("select count(*) from org_bans") == 0, "a preview changes nothing"
    assert (await court.press(asked)).title == "B-1: bob is banned"
    ((number, name, reason, status, until),) = await court.world.rows(
        "select number, player_name, reason, status, expires_at - banned_at from org_bans"
    )
    assert (number, name, reason, status, until.days) == (1, "bob", "griefing", "active", 7)
    assert await court.history() == ["created", "note"]
    assert await court.statuses() == {"EU1": "syncing", "EU2": "syncing"}
    assert await court.jobs() == [(1, "queued"), (2, "queued")]
    assert (await court.world.audited())[-2:] == ["ban.add.ask", "ban.add"]
    posts = await court.world.rows(
        "select m.kind, n.event_type from notification_jobs n join bot_messages m on m.id = n.bot_message_id"
    )
    assert posts == [("ban_notice", "ban.created")], "the jobs post nothing of their own"


async def test_a_second_press_is_shown_the_first_result(court: Court) -> None:
    await court.host("gs-1", "EU1")
    asked = await court.ask(f"steam:{STEAM}")
    first, second = await court.press(asked), await court.press(asked)
    assert first == second and await court.world.value("select count(*) from org_bans") == 1


async def test_somebody_never_seen_is_banned_by_id(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    assert (await court.ban(f"Steam_{STEAM}")).title == "B-1: A player who was never seen is banned"
    (item,) = await court.sync(host)
    assert [(one.kind, one.value) for one in item.identities] == [("steam", STEAM)]
    assert (item.name, item.reason, item.want, item.until) == ("", "B-1: griefing", "banned", None)


async def test_an_eos_id_is_no_number_of_ours(court: Court) -> None:
    """Both have 32 hexadecimal digits."""
    court.games = [game(ban_by=["eos"])]
    await court.host("gs-1", "EU1")
    eos = "0002a10186d9414496bf20d22d3860ba"
    assert (await court.ask(eos)).who.identities == {("eos", eos)}


async def test_a_hundred_servers_are_not_too_many_for_a_card(court: Court) -> None:
    await court.host("gs-1", *(f"s{n}" for n in range(100)))
    await court.world.rows("update server_instances set name = repeat('*_', 60) || name, status = 'stopped'")
    done = await court.ban(STEAM)
    assert "and 9" in done.text and len(done.text) < 1500, done.text
    await court.world.rows("update ban_entries set sync_status = 'synced', applied_state = 'banned'")
    asked = await court.lifting.ask(again(court.actor), "B-1", "*" * 200)
    assert "and 9" in asked.effect[0] and sum(map(len, asked.effect)) < 2500


async def test_a_server_that_cannot_is_named_and_not_told(court: Court) -> None:
    court.games = [game(ban_by=["eos"])]
    first = await court.host("gs-1", "EU1")
    court.games = [game()]
    second = await court.host("gs-2", "EU2")
    asked = await court.ask(STEAM)
    assert {target.place.name: target.kinds for target in asked.targets} == {"EU1": (), "EU2": ("steam",)}
    await court.press(asked)
    assert await court.statuses() == {"EU1": "unsupported", "EU2": "syncing"}
    assert await court.world.claim(first) == []
    await court.sync(second)


async def test_an_address_counts_only_where_a_game_bans_by_it(court: Court) -> None:
    court.games = [game(ban_by=["steam"])]
    host = await court.host("gs-1", "EU1")
    await court.up(host, "EU1", player("bob", steam=STEAM, ip="192.0.2.9"), player("tee", ip="192.0.2.8"))
    assert (await court.ask("bob")).who.identities == {("steam", STEAM)}
    with pytest.raises(Invalid, match="Nothing is known of this player"):
        await court.ask("tee")


async def test_banning_again_changes_the_case(court: Court) -> None:
    host = await court.host("gs-1", "EU1", "EU2")
    await court.ban(STEAM, server="EU1", duration="1d", reason="first")
    (item,) = await court.sync(host)
    asked = await court.ask(STEAM, duration="7d", reason="second")
    assert asked.question.title == "Change ban B-1?" and asked.existing and asked.change
    assert (asked.number, asked.question.verb, asked.kick_text) == (1, "Change the ban on 2 servers", "B-1: second")
    assert (await court.press(asked)).title == "B-1 was changed"
    assert await court.world.rows("select number, reason, applies_to_all from org_bans") == [(1, "second", True)]
    assert await court.history() == ["created", "edited"]
    told = [*await court.sync(host), *await court.sync(host)]
    assert [one.reason for one in told] == ["B-1: second"] * 2
    assert max(one.revision for one in told) > item.revision
    shorter = await court.ask(STEAM, duration="1h", reason="third")
    assert shorter.change and shorter.existing and shorter.change.until == shorter.existing.expires_at
    with pytest.raises(Conflict, match="B-1 says this already"):
        await court.ask(STEAM, duration="1h", reason="second")


async def test_two_who_are_called_the_same_are_two_cases(court: Court) -> None:
    """Where a game knows a name and an address, the name is no reason to take one for the other."""
    host = await court.host("gs-1", "EU1")
    await court.up(host, "EU1", player("nameless tee", ip="192.0.2.1"))
    await court.ban("nameless tee")
    await court.up(host, "EU1")
    await court.up(host, "EU1", player("nameless tee", ip="192.0.2.2"))
    assert (await court.ban("nameless tee")).title.startswith("B-2")


async def test_an_end_that_passes_before_the_button_is_pressed(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    await court.host("gs-1", "EU1")
    asked = await court.ask(STEAM, duration="until tomorrow 0:01")
    later(monkeypatch, days=2)
    with pytest.raises(Invalid, match="That end is over meanwhile"):
        await court.press(asked)
    assert await court.world.value("select count(*) from org_bans") == 0


async def test_two_at_once_are_one_case(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1")
    ann, bea = await People(world.db).actor("ann", administrator=True), court.actor
    first, second = await court.ask(STEAM, ann), await court.ask(STEAM, bea)
    answers: tuple[Any, ...] = await asyncio.gather(
        court.press(first, ann), court.press(second, bea), return_exceptions=True
    )
    (done,) = [answer for answer in answers if isinstance(answer, Done)]
    (lost,) = [answer for answer in answers if isinstance(answer, Conflict)]
    assert "B-1" in done.title and "is banned already: B-1" in lost.what and "/ban show" in lost.remedy
    assert await world.rows("select number, status from org_bans") == [(1, "active")]
    assert await court.history() == ["created"] and await court.jobs() == [(1, "queued")]
    assert await world.value("select value from org_counters where name = 'ban'") == 1
    assert await world.value(f"{KEPT} where consumed_at is null") == 1, "the loser's button is as if not pressed"


async def test_ids_of_two_cases_are_not_joined_in_passing(court: Court) -> None:
    court.games = [game(ban_by=["eos", "steam"])]
    host = await court.host("gs-1", "EU1")
    await court.ban("eos:" + "0" * 32)
    await court.ban(STEAM)
    await court.up(host, "EU1", player("bob", steam=STEAM, eos="0" * 32))
    with pytest.raises(Conflict, match="in two cases: B-1 and B-2"):
        await court.ask("bob", reason="again")


async def test_lifting(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.sync(host)
    assert (await court.lift()).title == "B-1 is lifted"
    (item,) = await court.sync(host)
    assert item.want == "unbanned"
    assert await court.entries() == [("EU1", 1, "unbanned", "synced", "unbanned")]
    assert await court.history() == ["created", "lifted"] and (await court.world.audited())[-2] == "ban.lift"
    with pytest.raises(Conflict, match="B-1 is over: it was lifted already"):
        await court.lift()
    assert (await court.ban(STEAM)).title.startswith("B-2"), "a case that is over holds nobody's id"


async def test_a_lift_while_the_ban_is_being_applied(court: Court) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    job = await court.take(host)
    await court.lift()
    assert await court.world.claim(host) == [], "one job per server at a time"
    await court.answer(host, job)
    assert await court.entries() == [("EU1", 1, "unbanned", "syncing", None)], "the late receipt changed nothing"
    (item,) = await court.sync(host)
    assert item.want == "unbanned"
    assert await court.entries() == [("EU1", 1, "unbanned", "synced", "unbanned")]


async def test_what_no_server_was_told_needs_no_taking_back(court: Court) -> None:
    host = await court.host("gs-1", "EU1", status="stopped")
    await court.ban(STEAM)
    await court.lift()
    assert await court.entries() == [("EU1", 1, "unbanned", "synced", "unbanned")]
    assert await court.world.claim(host) == []


async def test_an_end_that_nobody_came_by_for_stands_in_no_ones_way(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await court.host("gs-1", "EU1")
    await court.ban(STEAM, duration="1h")
    await court.sync(host)
    later(monkeypatch, hours=2)
    assert (await court.ban(STEAM, reason="again")).title.startswith("B-2")
    assert await court.world.rows("select number, status from org_bans order by 1") == [(1, "expired"), (2, "active")]
    wanted = {(item.want, item.reason) for item in await court.sync(host)}
    assert wanted == {("banned", "B-2: again")}, "the new case holds the id: nothing is taken back"
    assert {status for _, _, _, status, _ in await court.entries()} == {"synced"}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"reason": "x" * 3_000_000}, Invalid, "has 3000000 characters; 200 are possible"),
        ({"reason": "one\ntwo"}, Invalid, "has a line break"),
        ({"reason": "one\u2028two"}, Invalid, "has a line break"),
        ({"reason": "a\rb"}, Invalid, "has a line break"),
        ({"reason": "  "}, Invalid, "is empty"),
        ({"reason": "\u200b\u2060"}, Invalid, "is empty"),
        ({"duration": "a fortnight"}, Invalid, "is not a duration"),
        ({"duration": "until yesterday"}, Invalid, "yesterday"),
        ({"duration": "0d"}, Invalid, "is not a usable duration"),
        ({"note": "x" * 1001}, Invalid, "The note has 1001 characters"),
        ({"player": "nobody"}, NotFound, "no such player"),
        ({"player": "steam:bob"}, Invalid, "no steam id"),
        ({"player": "0" * 8 + "-0000-4000-8000-" + "0" * 12}, NotFound, "no such player"),
        ({"server": "Mars"}, NotFound, "no such server"),
        ({"player": "eos:" + "a" * 32}, Unsupported, "cannot ban this player"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    court: Court, options: dict[str, str], error: type[AppError], words: str
) -> None:
    await court.host("gs-1", "EU1")
    with pytest.raises(error, match=words) as refused:
        await court.ask(options.pop("player", STEAM), **options)
    assert refused.value.remedy and len(refused.value.what) < 300
    assert await court.world.value(KEPT) == 0 and await court.world.value("select count(*) from org_bans") == 0


@pytest.mark.parametrize("ref", ["B-0", "7", "B-999999999999"])
async def test_a_case_that_is_not_there(court: Court, ref: str) -> None:
    with pytest.raises(NotFound, match="There is no ban"):
        await court.bans.show(court.actor, ref)
    with pytest.raises(NotFound, match="There is no ban"):
        await court.lift(ref)


@pytest.mark.parametrize("ref", ["", "B", "J-1", "-1", "1.5", "9" * 16, "٣"])
async def test_what_is_no_number_of_a_case(court: Court, ref: str) -> None:
    with pytest.raises(Invalid, match="no number of a ban"):
        await court.bans.show(court.actor, ref)


async def test_another_org_sees_none_of_it(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    other = await World(world.db, guild=2002).found()
    stranger = replace(other.admin(), user_id=court.actor.user_id)
    for asked in (court.bans.show(stranger, "B-1"), court.lifting.ask(stranger, "B-1", "x")):
        with pytest.raises(NotFound, match="There is no ban B-1 here"):
            await asked
    assert (await court.bans.list(stranger)).rows == [] and await court.bans.suggest(stranger, "") == []


async def test_a_removed_server_is_told_nothing(court: Court) -> None:
    host = await court.host("gs-1", "EU1", "EU2")
    await court.world.rows("update server_instances set deleted_at = now() where name = 'EU1'")
    await court.ban(STEAM)
    assert await court.statuses() == {"EU2": "syncing"}
    with pytest.raises(NotFound, match="no such server"):
        await court.ask(OTHER_STEAM, server="EU1")
    await court.sync(host)


async def test_a_case_outlives_its_server(court: Court) -> None:
    await court.host("gs-1", "EU1")
    await court.ban(STEAM)
    await court.world.rows("update server_instances set deleted_at = now()")
    await court.lift()
    assert (await court.bans.show(court.actor, "B-1")).receipts == []


async def local(world: World, *permissions: str, server: str = "EU1") -> Actor:
    """Somebody who may do this on one server only."""
    role = await world.value(
        "insert into roles (org_id, name, priority) values (:org, :name, 50) returning id",
        org=world.org_id,
        name="local",
    )
    for permission in permissions:
        await world.rows(
            """insert into role_permissions (role_id, permission_id)
               select :role, id from permissions where name = :name""",
            role=role,
            name=permission,
        )
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id)
           select :org, :discord, :role, id from server_instances where name = :server""",
        org=world.org_id,
        discord=MODERATORS,
        role=role,
        server=server,
    )
    return await People(world.db).actor("lou", MODERATORS)


async def test_who_may_ban_on_one_server_bans_there(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1", "EU2")
    lou = await local(world, "bans.create", "bans.revoke")
    asked = await court.ask(STEAM, lou)
    assert [target.place.name for target in asked.targets] == ["EU1"] and asked.denied == ("EU2",)
    await court.press(asked, lou)
    assert await court.statuses() == {"EU1": "syncing"}
    assert await world.value("select applies_to_all from org_bans") is False
    with pytest.raises(NotPermitted):
        await court.ask(OTHER_STEAM, lou, server="EU2")
    await court.world.rows(
        """insert into ban_entries (org_id, org_ban_id, server_instance_id)
           select s.org_id, b.id, s.id from server_instances s, org_bans b where s.name = 'EU2'"""
    )
    with pytest.raises(NotPermitted):
        await court.lift("B-1", by=lou)
    await court.world.rows("update server_instances set deleted_at = now() where name = 'EU2'")
    await court.lift("B-1", by=lou)


async def test_a_case_of_all_servers_is_not_changed_from_one(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1", "EU2")
    await court.ban(STEAM)
    lou = await local(world, "bans.create", "bans.revoke")
    with pytest.raises(NotPermitted):
        await court.ask(STEAM, lou, server="EU1", reason="other")
    with pytest.raises(NotPermitted):
        await court.lift("B-1", by=lou)


async def test_a_permission_that_is_gone_when_the_button_is_pressed(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1")
    lou = await local(world, "bans.create")
    asked = await court.ask(STEAM, lou)
    await world.rows("delete from role_bindings where discord_role_id = :role", role=MODERATORS)
    with pytest.raises(NotPermitted):
        await court.press(asked, lou)
    assert await world.value("select count(*) from org_bans") == 0


async def test_own_bans(court: Court, world: World) -> None:
    host = await court.host("gs-1", "EU1")
    await court.up(host, "EU1", player("bob", steam=STEAM))
    await court.ban("bob", note="secret")
    bob = await People(world.db).actor("bob")
    assert (await court.bans.mine(bob)).rows == []
    await world.rows("update players set user_id = :user", user=bob.user_id)
    (own,) = (await court.bans.mine(bob)).rows
    assert (own.number, own.reason, own.servers, own.everywhere, own.org_name) == (
        1,
        "griefing",
        ["EU1"],
        True,
        "Guild 1001",
    )
    (alone,) = (await court.bans.mine(Actor(type="user", name="bob", user_id=bob.user_id))).rows
    assert alone == own, "a direct message lists every org"
    elsewhere = await World(world.db, guild=2002).found()
    assert (
        await court.bans.mine(Actor(type="user", name="bob", org_id=elsewhere.org_id, user_id=bob.user_id))
    ).rows == []


async def test_times_are_read_in_the_orgs_zone(court: Court, world: World) -> None:
    await court.host("gs-1", "EU1")
    await world.rows("update orgs set timezone = 'Asia/Tokyo'")
    asked = await court.ask(STEAM, duration="until 2027-03-01 09:00")
    assert asked.until == datetime(2027, 3, 1, tzinfo=UTC) and asked.zone == "Asia/Tokyo"


async def test_lists_and_suggestions(court: Court) -> None:
    await court.host("gs-1", "EU1", "EU2")
    await court.ban(STEAM, server="EU1")
    await court.ban(OTHER_STEAM, server="EU2")
    await court.lift("B-2")

    async def listed(**options: Any) -> list[int]:
        return [case.number for case in (await court.bans.list(court.actor, **options)).rows]

    assert (await listed(), await listed(status="active"), await listed(server="EU2")) == ([2, 1], [1], [2])
    assert [case.number for case in await court.bans.suggest(court.actor, "b-2")] == [2]
    assert [case.number for case in await court.bans.suggest(court.actor, "", status="active")] == [1]
    nobody = again(await People(court.world.db).actor("nob"))
    assert await court.bans.suggest(nobody, "") == []
