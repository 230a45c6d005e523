"""What heartbeats change, and what their absence means."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from bot.errors import NotPermitted
from bot.services.agents import HostIdentity, NotRecognised
from tests.bot.world import World, heartbeat, player, result


def report(server: UUID, state: wire.Status = "running", **more: Any) -> wire.ServerReport:
    return wire.ServerReport(id=server, state=state, **more)


async def online(world: World) -> list[tuple[str, str]]:
    """(server, player) of the open sessions."""
    return list(
        await world.rows(
            """select s.name, p.name from player_sessions o join players p on p.id = o.player_id
                 join server_instances s on s.id = o.server_instance_id where o.ended_at is null order by 1, 2"""
        )
    )


@pytest.fixture
async def host(world: World) -> HostIdentity:
    return (await world.pair())[0]


async def test_states_players_and_facts_are_kept(world: World, host: HostIdentity) -> None:
    server = await world.server(host, status="starting")
    await world.beat(
        host, report(server, version="0.7", map="dm1", players=[player("Eve", steam="1" * 17)], max_players=8)
    )
    ((status, players, observed),) = await world.rows("select status, players_online, observed from server_instances")
    assert (status, players, observed["map"], observed["maxPlayers"]) == ("running", 1, "dm1", 8)
    assert "players" not in observed
    assert await world.events() == ["host.online", "player.join", "server.ready"]


@pytest.mark.parametrize(
    ("old", "new", "event"),
    [
        ("running", "crashed", ["server.crashed"]),
        ("running", "stopped", ["server.stopped"]),
        ("stopped", "starting", []),
        ("unknown", "running", []),
        ("running", "running", []),
    ],
)
async def test_changes_of_state_are_events(
    world: World, host: HostIdentity, old: str, new: wire.Status, event: list[str]
) -> None:
    server = await world.server(host, status=old)
    await world.beat(host)
    await world.beat(host, report(server, new))
    assert await world.events() == ["host.online", *event]


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (("running", 0), ("running", 1), ["server.crashed"]),
        (("running", 2), ("starting", 3), ["server.crashed"]),
        (("running", 0), ("crashed", 1), ["server.crashed"]),
        (("running", 3), ("running", 0), []),
        (("running", 3), ("running", 3), []),
    ],
)
async def test_a_crash_that_was_over_before_it_could_be_reported_is_an_event(
    world: World, host: HostIdentity, before: tuple[wire.Status, int], after: tuple[wire.Status, int], event: list[str]
) -> None:
    server = await world.server(host)
    await world.beat(host, report(server, before[0], crashes=before[1]))
    await world.beat(host, report(server, after[0], crashes=after[1]))
    assert await world.events() == ["host.online", *event]


async def test_servers_of_others_are_never_touched(world: World, host: HostIdentity) -> None:
    neighbour, _ = await world.pair("gs-2")
    stranger = await World(world.db, guild=2002).found()
    foreign_host, _ = await stranger.pair()
    theirs = [await world.server(neighbour, "EU9"), await stranger.server(foreign_host, "US1")]
    reports = [report(server, "crashed", players=[player("Eve")]) for server in (*theirs, uuid4())]
    await world.beat(host, *reports)
    assert await world.rows("select distinct status, last_seen_at from server_instances") == [("running", None)]
    assert await world.value("select count(*) from players") == 0


async def test_a_removed_server_stays_as_it_was(world: World, host: HostIdentity) -> None:
    server = await world.server(host, status="stopped")
    await world.rows("update server_instances set deleted_at = now()")
    await world.beat(host, report(server, "running"))
    assert await world.value("select status from server_instances") == "stopped"


async def test_players_come_and_go(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    eve, bob = player("Eve", steam="Steam_76561198000000001"), player("Bob", steam="76561198000000002")
    await world.beat(host, report(server, players=[eve, bob]))
    assert await online(world) == [("EU1", "Bob"), ("EU1", "Eve")]
    await world.beat(host, report(server, players=None))  # could not be asked
    assert await online(world) == [("EU1", "Bob"), ("EU1", "Eve")]
    await world.beat(host, report(server, players=[bob]))
    assert await online(world) == [("EU1", "Bob")]
    await world.beat(host, report(server, "crashed", players=None))  # nobody is on a server that is down
    assert await online(world) == []
    names = [
        row[0] for row in await world.rows("select event_type from events where event_type like 'player%' order by id")
    ]
    assert names == ["player.join", "player.join", "player.leave", "player.leave"]
    assert await world.value("select count(*) from players") == 2


async def test_the_same_person_under_another_name_and_on_another_server(world: World, host: HostIdentity) -> None:
    eu1, eu2 = await world.server(host, "EU1"), await world.server(host, "EU2")
    await world.beat(host, report(eu1, players=[player("Eve", eos="EOS_00AA" + "0" * 28)]))
    await world.beat(host, report(eu2, players=[player("Adam", eos="00aa" + "0" * 28, steam="76561198000000001")]))
    assert await world.value("select count(*) from players") == 1
    assert await world.rows("select name from player_names order by name") == [("Adam",), ("Eve",)]
    identities = await world.rows("select kind, value from player_identities order by kind")
    assert identities == [("eos", "00aa" + "0" * 28), ("steam", "76561198000000001")]


async def test_names_alone_decide_only_where_there_is_nothing_better(world: World, host: HostIdentity) -> None:
    teeworlds, sevendays = await world.server(host, "TW"), await world.server(host, "7D")
    await world.beat(
        host,
        report(teeworlds, players=[player("Eve", name="Eve", ip="192.0.2.7", slot="3")]),
        report(sevendays, players=[player("Eve", steam="76561198000000001", ip="192.0.2.7")]),
    )
    assert await world.value("select count(*) from players") == 2  # a stolen name makes nobody somebody else
    kinds = await world.rows("select distinct kind from player_identities order by 1")
    assert kinds == [("name",), ("steam",)]
    assert await world.value("select count(*) from player_sessions where ip = '192.0.2.7'") == 2


FORGED = [
    "eve' score=9",
    "'); drop table players; --",
    "**bold** @everyone <@1>",
    "\u202egnp.exe",
    "a\x07b\x1b[31mc",
    "   ",
    "",
    "x" * 128,
    "{steam}",
    "%s%n\\",
]


async def test_forged_names_are_only_names(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    people = [player(name, steam=f"7656119800000{n:04}") for n, name in enumerate(FORGED)]
    await world.beat(host, report(server, players=people))
    stored = {row[0] for row in await world.rows("select name from players")}
    assert {"eve' score=9", "'); drop table players; --", "gnp.exe", "ab[31mc", "(no name)"} <= stored
    assert not any(ord(letter) < 32 for name in stored for letter in name)
    assert await world.value("select count(*) from player_sessions where ended_at is null") == len(FORGED)


async def test_a_player_listed_twice_is_there_once(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    twin = [player("Eve", steam="76561198000000001"), player("Mallory", steam="76561198000000001")]
    await world.beat(host, report(server, players=twin))
    assert await world.value("select count(*) from players") == 1
    assert len(await online(world)) == 1


async def test_hosts_that_see_the_same_new_player_at_once(world: World) -> None:
    hosts = [(await world.pair(f"gs-{n}"))[0] for n in range(4)]
    servers = [await world.server(host, f"EU{n}") for n, host in enumerate(hosts)]
    people = [player(f"P{n}", steam=f"7656119800000{n:04}") for n in range(20)]
    for _ in range(3):
        orders = (people, people[::-1], people[10:] + people[:10], people)
        await asyncio.gather(
            *(
                world.beat(host, report(server, players=list(order)))
                for host, server, order in zip(hosts, servers, orders, strict=True)
            )
        )
    assert await world.value("select count(*) from players") == 20
    assert await world.value("select count(*) from player_identities") == 20
    assert await world.value("select count(*) from player_sessions") == 80


async def test_an_unchanged_heartbeat_writes_little(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    same = report(server, players=[player("Eve", steam="76561198000000001")])
    await world.beat(host, same)
    before = await world.rows("select xmin, ctid from players union all select xmin, ctid from player_names")
    await world.beat(host, same)
    assert await world.rows("select xmin, ctid from players union all select xmin, ctid from player_names") == before
    assert (await world.events()).count("player.join") == 1


async def test_cards_are_edited_when_they_show_something_new(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    await world.rows(
        "insert into bot_messages (org_id, kind, subject_id, channel_id) values (:org, 'server', :server, 5)",
        org=world.org_id,
        server=str(server),
    )
    edits = "select count(*) from notification_jobs where op = 'edit' and status = 'pending'"
    for beat, expected in (
        (report(server, map="dm1", cpu_percent=1.0), 1),  # the host came online
        (report(server, map="dm1", cpu_percent=9.0), 0),  # a card does not show the load
        (report(server, map="dm2"), 1),
        (report(server, "crashed", map="dm2"), 1),
    ):
        await world.rows("update notification_jobs set status = 'sent'")
        await world.beat(host, beat)
        assert await world.value(edits) == expected


async def test_a_silent_host_is_offline_since_its_last_heartbeat(world: World, host: HostIdentity) -> None:
    await world.beat(host)
    assert await world.heartbeats.sweep() == {"offline": 0}
    then = clock.now() - timedelta(minutes=3)
    await world.rows("update hosts set last_heartbeat_at = :then", then=then)
    assert sum(row["offline"] for row in await asyncio.gather(*(world.heartbeats.sweep() for _ in range(3)))) == 1
    card = await world.hosts.show(world.admin(), "gs-1")
    assert (card.status, card.silent_since) == ("offline", then)
    await world.beat(host)
    assert await world.events() == ["host.online", "host.offline", "host.online"]
    assert (await world.hosts.show(world.admin(), "gs-1")).silent_since is None


async def test_after_a_long_silence_players_left_when_last_seen(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    await world.beat(host, report(server, players=[player("Eve", steam="76561198000000001")]))
    seen = clock.now() - timedelta(hours=2)
    await world.rows("update server_instances set last_seen_at = :seen", seen=seen)
    await world.rows("update player_sessions set started_at = :start", start=seen - timedelta(hours=1))
    await world.beat(host, report(server, players=[]))
    assert await world.value("select ended_at from player_sessions") == seen


async def test_a_game_that_only_a_host_knows_can_be_chosen(world: World, host: HostIdentity) -> None:
    odd = wire.GameReport(id="oddgame", name="Odd Game", version=1, sha256="1" * 64, capabilities=["start"])
    await world.heartbeats.beat(host, heartbeat(games=[odd]), None)
    await world.heartbeats.beat(host, heartbeat(games=[odd]), None)
    rows = await world.rows("select name, capabilities from game_types where slug = 'oddgame'")
    assert rows == [("Odd Game", ["start"])]
    assert await world.value("select games -> 0 ->> 'id' from hosts") == "oddgame"


async def test_the_list_of_servers_has_its_revision(world: World, host: HostIdentity) -> None:
    assert (await world.agents.servers(host)).servers == []
    kept, gone = await world.server(host, "EU1"), await world.server(host, "EU2")
    await world.server((await world.pair("gs-2"))[0], "US1")
    await world.rows("update hosts set servers_revision = 7 where id = :id", id=host.id)
    listed = await world.agents.servers(host)
    assert (listed.revision, {server.id for server in listed.servers}) == (7, {kept, gone})

    await world.enqueue(host, gone, JobType.SERVER_REMOVE, wire.ServerRemove())
    await world.rows("update server_instances set deleted_at = now() where id = :id", id=gone)
    assert len((await world.agents.servers(host)).servers) == 2  # until its host has removed it, too
    job = await world.started(host)
    await world.queue.finish(host, job.run_id, result(job))
    assert [server.id for server in (await world.agents.servers(host)).servers] == [kept]


async def test_a_removed_host_is_told_so(world: World, host: HostIdentity) -> None:
    async with world.db.uow(world.admin()) as tx:
        await world.hosts.remove_in(tx, "gs-1")
    with pytest.raises(NotRecognised):
        await world.beat(host)


async def test_nobody_removes_a_host_without_permission(world: World, host: HostIdentity) -> None:
    with pytest.raises(NotPermitted, match=r"nodes\.delete"):
        async with world.db.uow(world.member()) as tx:
            await world.hosts.remove_in(tx, str(host.id))


@pytest.mark.parametrize(("wrong_by", "least", "most"), [(0, -2, 2), (90, 88, 92), (-3600, -3602, -3598)])
async def test_how_far_a_hosts_clock_is_wrong(
    world: World, host: HostIdentity, wrong_by: int, least: int, most: int
) -> None:
    beat = heartbeat().model_copy(update={"sent_at": clock.now() + timedelta(seconds=wrong_by)})
    await world.heartbeats.beat(host, beat, None)
    skew = await world.value("select cast(last_metrics ->> 'clockSkewSec' as float8) from hosts")
    assert least <= skew <= most


async def test_an_older_agent_does_not_say_what_time_it_has(world: World, host: HostIdentity) -> None:
    sent = heartbeat().model_dump(by_alias=True, mode="json")
    del sent["sentAt"]
    await world.heartbeats.beat(host, wire.Heartbeat.model_validate(sent), None)
    assert await world.value("select last_metrics ? 'clockSkewSec' from hosts") is False
