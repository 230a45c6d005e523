"""Somebody who is denied things on one server: what they see, and what they are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from bot.domain.actors import Actor
from bot.domain.jobs import JobType
from bot.errors import NotFound, NotPermitted
from bot.services.alerts import Alerts, Scope
from bot.services.bans import Bans
from bot.services.consoles import Consoles
from bot.services.fleet import Fleet
from bot.services.incidents import Incidents
from bot.services.jobs import Jobs
from bot.services.mods import Mods
from bot.services.panels import Panels, Where
from bot.services.players import Players
from bot.services.power import Power
from bot.services.servers import Servers
from tests.bot.grants import bind, deny, give, put
from tests.bot.people import MODERATORS, People, again, caller
from tests.bot.world import CHANNEL, World

HERE, THERE = "EU", "US"
BOARD = Where(CHANNEL)


@dataclass
class Town:
    """Two servers on one host, the same on both: a job, a player, an incident, a rule, a ban; and Mia, an operator."""

    world: World
    people: People
    host: UUID
    here: UUID
    there: UUID
    mia: Actor

    def __post_init__(self) -> None:
        db = self.world.db
        self.alerts, self.bans, self.incidents, self.jobs = Alerts(db), Bans(db), Incidents(db), Jobs(db)
        self.mods, self.panels, self.players, self.servers = Mods(db), Panels(db), Players(db), Servers(db)
        self.power, self.consoles, self.fleet = Power(db, self.jobs), Consoles(db), Fleet(db)

    async def denied(self, *permissions: str) -> Actor:
        """Mia, who may not do this on the server over there."""
        for permission in permissions:
            await deny(self.world, self.mia, permission, self.there)
        return await self.again()

    async def again(self, *roles: int) -> Actor:
        """Mia in another interaction, with what she may now."""
        self.people.identity.forget()
        return await self.people.actor("mia", *(roles or (MODERATORS,)))

    async def one(self, statement: str, **values: Any) -> UUID:
        return await self.world.value(statement, org=self.world.org_id, **values)


@pytest.fixture
async def town(world: World) -> Town:
    people = People(world.db)
    host, _ = await world.pair()
    here, there = await world.server(host, HERE), await world.server(host, THERE)
    games = '[{"id": "teeworlds", "name": "Teeworlds", "capabilities": ["restart", "say", "console", "kick"]}]'
    await world.rows("update hosts set games = cast(:games as jsonb), status = 'online'", games=games)
    await bind(world, MODERATORS, "operator")
    town = Town(world, people, host.id, here, there, await people.actor("mia", MODERATORS))
    for number, server in enumerate((here, there), 1):
        await world.enqueue(host, server, JobType.SERVER_RESTART)
        await _filled(town, server, number)
    return town


async def _filled(town: Town, server: UUID, number: int) -> None:
    place = {"server": server, "number": number, "host": town.host}
    player = await town.one(
        "insert into players (org_id, name) values (:org, 'bob' || cast(:number as int)) returning id", number=number
    )
    await town.one(
        "insert into player_sessions (org_id, player_id, server_instance_id, started_at) values (:org, :p, :s, now())",
        p=player,
        s=server,
    )
    await town.one(
        """insert into incidents (org_id, number, title, severity, source, host_id, server_instance_id)
           values (:org, :number, 'down', 'high', 'alert', :host, :server)""",
        **place,
    )
    await town.one(
        """insert into alert_rules (org_id, name, type, condition, severity, server_instance_id)
           values (:org, 'rule ' || cast(:number as int), 'server_down', '{}', 'high', :server)""",
        server=server,
        number=number,
    )
    ban = await town.one(
        "insert into org_bans (org_id, number, player_id, player_name, reason, banned_at) "
        "values (:org, :number, :p, 'bob', 'x', now()) returning id",
        number=number,
        p=player,
    )
    await town.one(
        "insert into ban_entries (org_id, org_ban_id, server_instance_id) values (:org, :ban, :server)",
        ban=ban,
        server=server,
    )


async def seen(town: Town, actor: Actor) -> dict[str, Sequence[Any]]:
    """Everything that lists and suggestions tell."""
    return {
        "servers": [card.name for card in (await town.servers.list(actor)).rows],
        "suggested servers": [card.name for card in await town.servers.suggest(actor, "")],
        "jobs": sorted(card.number for card in (await town.jobs.list(actor)).rows),
        "suggested jobs": sorted(card.number for card in await town.jobs.suggest(actor, "")),
        "players": [one.server_name for one in (await town.players.online(actor)).rows],
        "suggested players": sorted((one.name, one.server_name) for one in await town.players.suggest(actor, "")),
        "incidents": sorted(card.number for card in (await town.incidents.list(actor)).rows),
        "suggested incidents": sorted(card.number for card in await town.incidents.suggest(actor, "")),
        "rules": [rule.name for rule in (await town.alerts.list(actor)).rows if rule.server_id],
        "suggested rules": [rule.name for rule in await town.alerts.suggest(actor, "") if rule.server_id],
        "bans": sorted(case.number for case in (await town.bans.list(actor)).rows),
        "suggested bans": sorted(case.number for case in await town.bans.suggest(actor, "")),
        "on hosts": [name for host in (await town.world.hosts.list(actor)).rows for name in host.servers],
        "on the host": (await town.world.hosts.show(actor, "gs-1")).servers,
    }


EVERYTHING: dict[str, Sequence[Any]] = {
    "servers": [HERE, THERE],
    "suggested servers": [HERE, THERE],
    "jobs": [1, 2],
    "suggested jobs": [1, 2],
    "players": [HERE, THERE],
    "suggested players": [("bob1", HERE), ("bob2", THERE)],
    "incidents": [1, 2],
    "suggested incidents": [1, 2],
    "rules": ["rule 1", "rule 2"],
    "suggested rules": ["rule 1", "rule 2"],
    "bans": [1, 2],
    "suggested bans": [1, 2],
    "on hosts": [HERE, THERE],
    "on the host": [HERE, THERE],
}


async def test_who_is_denied_nothing_sees_everything(town: Town) -> None:
    assert await seen(town, town.mia) == EVERYTHING
    assert await seen(town, await town.people.owner()) == EVERYTHING


async def test_a_server_that_somebody_does_not_see_is_nowhere(town: Town) -> None:
    mia = await town.denied("servers.view")
    hidden: dict[str, Sequence[Any]] = {name: [found[0]] for name, found in EVERYTHING.items()}
    hidden["suggested players"] = [("bob1", HERE), ("bob2", None)]
    assert await seen(town, mia) == hidden


@pytest.mark.parametrize(
    ("permission", "hidden"),
    [
        ("jobs.view", ("jobs", "suggested jobs")),
        ("incidents.view", ("incidents", "suggested incidents")),
        ("alerts.view", ("rules", "suggested rules")),
        ("bans.view", ("bans", "suggested bans")),
    ],
)
async def test_what_somebody_is_denied_of_a_server_is_not_told(
    town: Town, permission: str, hidden: tuple[str, ...]
) -> None:
    mia = await town.denied(permission)
    assert await seen(town, mia) == {name: found[:1] if name in hidden else found for name, found in EVERYTHING.items()}


async def test_who_may_on_one_server_only_sees_that_one(town: Town) -> None:
    await town.world.rows("delete from role_bindings")
    await bind(town.world, MODERATORS, "operator", town.there)
    with pytest.raises(NotPermitted, match=r"nodes\.view"):
        await town.world.hosts.list(await town.again())  # hosts belong to no server
    await give(town.world, town.mia, "nodes.view")
    mia = await town.again()
    found = await seen(town, mia)
    assert found["on hosts"] == [THERE]
    assert found["servers"] == [THERE] and found["jobs"] == [2] and found["incidents"] == [2] and found["bans"] == [2]
    with pytest.raises(NotPermitted):
        await town.servers.show(mia, str(town.here))


async def test_asking_by_name_is_refused_with_the_reason(town: Town) -> None:
    mia = await town.denied("servers.view")
    there = str(town.there)
    for asked in (
        town.servers.show(mia, there),
        town.servers.show(mia, THERE.lower()),
        town.servers.history(mia, there),
        town.jobs.show(mia, 2),
        town.jobs.list(mia, server=there),
        town.players.online(mia, there),
        town.incidents.show(mia, "I-2"),
        town.bans.show(mia, "B-2"),
        town.bans.list(mia, server=there),
        town.mods.inventory(mia, there),
        town.mods.history(mia, there),
        town.alerts.scope(mia, "server_down", "", there),
        town.fleet.draft_of(mia, there),
    ):
        with pytest.raises(NotPermitted, match=r"servers\.view") as refused:
            await asked
        assert refused.value.remedy.startswith(
            "An exception takes it from you on this server. Roles that can change that"
        )
    with pytest.raises(NotFound) as unknown:
        await town.servers.show(mia, "nothing")
    assert unknown.value.remedy == f"Pick one of the suggestions. Servers here: {HERE}."


async def test_a_look_needs_its_own_permission_there(town: Town) -> None:
    there, looks = str(town.there), ("jobs.view", "incidents.view", "bans.view", "workshop.view")
    mia = await town.denied(*looks, "servers.edit", "alerts.manage")
    assert (await town.servers.show(mia, there)).name == THERE
    for asked in (
        town.jobs.show(mia, 2),
        town.jobs.list(mia, server=there),
        town.incidents.show(mia, "2"),
        town.bans.show(mia, "2"),
        town.mods.history(mia, there),
        town.alerts.scope(mia, "server_down", "", there),
        town.fleet.draft_of(mia, there),
    ):
        with pytest.raises(NotPermitted):
            await asked


async def test_a_change_needs_its_permission_there(town: Town) -> None:
    mia = await town.denied("servers.restart", "servers.console", "players.kick", "incidents.manage", "alerts.manage")
    there, here = str(town.there), str(town.here)
    await town.power.ask(again(mia), here, "restart")
    bob = (await town.players.suggest(mia, "bob2"))[0]
    rule = (await town.alerts.suggest(mia, "rule 2"))[0]
    for act in (
        town.power.ask(again(mia), there, "restart"),
        town.power.cancel(again(mia), there),
        town.jobs.cancel(again(mia), 2),
        town.jobs.retry(again(mia), 2),
        town.consoles.run(again(mia), there, "status"),
        town.consoles.announce(again(mia), "hi", there),
        town.players.kick(again(mia), str(bob.player_id), "x"),
        town.incidents.acknowledge(again(mia), "2"),
        town.alerts.toggle(again(mia), str(rule.id)),
        town.alerts.add(again(mia), "server_down", "new", "high", {}, Scope(None, town.there, THERE)),
    ):
        with pytest.raises(NotPermitted):
            await act
    await town.jobs.cancel(again(mia), 1)
    await town.incidents.acknowledge(again(mia), "1")


async def test_retrying_needs_what_the_job_needed(town: Town) -> None:
    owner = await town.people.owner()
    for number in (1, 2):
        await town.jobs.cancel(again(owner), number)
    mia = await town.denied("servers.restart")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await town.jobs.retry(again(mia), 2)
    assert (await town.jobs.retry(again(mia), 1)).number == 3


async def test_an_announcement_leaves_out_where_it_may_not_be_said(town: Town) -> None:
    mia = await town.denied("servers.console")
    done = await town.consoles.announce(again(mia), "hi")
    assert done.title == "Announced"
    assert done.text.splitlines()[1:] == ["Left out, because you may not do it there: US."]
    await deny(town.world, mia, "servers.view", town.there)
    done = await town.consoles.announce(again(await town.again()), "hi")
    assert done.text.endswith("there: 1 that you do not see.")
    await deny(town.world, mia, "servers.console", town.here)
    with pytest.raises(NotPermitted, match=r"servers\.console"):
        await town.consoles.announce(again(mia), "hi")


async def test_a_player_is_kicked_where_one_may(town: Town) -> None:
    """Who is on two servers is kicked from the one on which the moderator may."""
    bob = (await town.players.suggest(town.mia, "bob1"))[0]
    await town.one(
        "insert into player_sessions (org_id, player_id, server_instance_id, started_at) values (:org, :p, :s, now())",
        p=bob.player_id,
        s=town.there,
    )
    mia = await town.denied("players.kick")
    assert HERE in (await town.players.kick(again(mia), str(bob.player_id), "x")).title
    with pytest.raises(NotPermitted):
        await town.players.kick(again(mia), str(bob.player_id), "x", THERE)


async def test_a_case_shows_the_servers_that_its_reader_sees(town: Town) -> None:
    await town.world.rows(
        """insert into ban_entries (org_id, org_ban_id, server_instance_id, sync_status, applied_state, synced_at)
           select org_id, id, :there, 'synced', 'banned', now() from org_bans where number = 1""",
        there=town.there,
    )
    await town.world.rows(
        """insert into ban_events (org_id, org_ban_id, type, details)
           select org_id, id, 'evaded', jsonb_build_object('server', 'US', 'serverId', cast(:there as uuid))
             from org_bans where number = 1""",
        there=town.there,
    )
    whole = await town.bans.show(town.mia, "1")
    assert (whole.case.servers, whole.case.applied, len(whole.receipts)) == (2, 1, 2) and whole.may_lift
    assert (await town.bans.show(await town.denied("bans.revoke"), "1")).may_lift is False, "not on all of them"
    mia = await town.denied("bans.view")
    part = await town.bans.show(mia, "1")
    assert (part.case.servers, part.case.applied) == (1, 0)
    assert [one.server_name for one in part.receipts] == [HERE]
    assert "server" in whole.history[0].details and "server" not in part.history[0].details
    (listed,) = (await town.bans.list(mia)).rows
    assert (listed.number, listed.servers, listed.applied) == (1, 1, 0)


async def test_a_board_is_for_those_who_may_edit_all_that_it_shows(town: Town) -> None:
    owner = await town.people.owner()
    await town.world.rows(
        "insert into server_tags (org_id, server_instance_id, tag) select org_id, id, 'eu' from server_instances"
    )
    everything = await town.panels.create(again(owner), BOARD)
    single = await town.panels.create(again(owner), BOARD, server=str(town.there))
    mia = await town.denied("servers.edit")
    assert [panel.id for panel in await town.panels.list(mia)] == [everything.id]
    assert [panel.id for panel in await town.panels.suggest(mia)] == [everything.id]
    for act in (
        town.panels.create(again(mia), Where(CHANNEL + 1)),
        town.panels.create(again(mia), BOARD, tag="eu"),
        town.panels.create(again(mia), Where(CHANNEL + 1), server=str(town.there)),
        town.panels.remove(again(mia), str(single.id)),
        town.panels.remove(again(mia), str(everything.id)),
    ):
        with pytest.raises(NotPermitted, match=r"servers\.edit"):
            await act
    await town.panels.create(again(mia), BOARD, server=str(town.here))


async def test_a_role_of_one_server_shows_and_hides_there(town: Town) -> None:
    await put(town.world, town.mia, "player", town.there)
    mia = await town.again()
    found = await seen(town, mia)
    assert found["servers"] == [HERE, THERE] and found["jobs"] == [1] and found["bans"] == [1]
    with pytest.raises(NotPermitted) as refused:
        await town.power.ask(again(mia), THERE, "restart")
    assert refused.value.remedy.startswith("On this server you have the role player in place of all others.")
    ann = await town.people.identity.actor(caller("ann"), None)
    await put(town.world, ann, "moderator", town.there)
    await give(town.world, ann, "nodes.view")
    town.people.identity.forget()
    found = await seen(town, await town.people.identity.actor(caller("ann"), None))
    assert found["servers"] == [HERE, THERE] and found["jobs"] == [2] and found["rules"] == ["rule 2"]
