"""Bans on the console server of 7 Days to Die: two ids, its durations, and whom it understands."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agent import wire
from agent.runtime.server import GameServer
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from tests.agent.runtime.conftest import Card, Host, free_port, inside

EVE = {"eos": "0002" + "e" * 28, "steam": "76561198000000001"}
KICKED = "You have been banned from this server until"


@pytest.fixture
async def server(host: Host) -> GameServer:
    """Up, with nobody on it."""
    install(host.place / "servers/one")
    server = await host.server(host.spec("7dtd", vars={"port": str(free_port()), "telnet_port": str(free_port())}))
    await server.create(Card())
    await game(host).slow_start(0.1)
    await server.start(Card())
    return server


def game(host: Host) -> AsyncControl:
    return AsyncControl(host.place / "servers/one")


def item(known: Mapping[str, str], want: str = "banned", *, reason: str = "B-7: griefing") -> wire.BanItem:
    return wire.BanItem.model_validate(
        {
            "entry_id": uuid4(),
            "revision": 3,
            "want": want,
            "identities": [wire.Identity(kind=kind, value=value) for kind, value in known.items()],
            "name": 'eve, "the" (bad)) - x',
            "reason": reason,
        }
    )


async def sync(server: GameServer, *items: wire.BanItem, seconds: float = 60) -> list[tuple[str, str]]:
    """The words of the receipts, which are those of the items."""
    receipts = await server.sync_bans(items, Card(), seconds)
    assert [(one.entry_id, one.revision) for one in receipts] == [(one.entry_id, one.revision) for one in items]
    return [(one.outcome, one.detail) for one in receipts]


async def said(server: GameServer, command: str) -> list[str]:
    return list((await server.command(command)).lines)


async def listed(server: GameServer) -> list[str]:
    return (await said(server, "ban list"))[2:]


def commands(host: Host) -> list[str]:
    """The bans and unbans that the game was told so far."""
    log = (host.place / "servers/one/output_log.txt").read_text()
    told = [line.partition("Executing command '")[2].rpartition("' by Telnet")[0] for line in log.splitlines()]
    return [line for line in told if line.startswith(("ban add", "ban remove"))]


async def test_a_job_that_was_given_up_does_not_undo_the_next_one(host: Host, server: GameServer) -> None:
    """The first one is still at the game's list: what it takes back, the second one has to see."""
    assert await sync(server, item(EVE)) == [("applied", "")]
    await game(host).hang(0.5)
    first = asyncio.create_task(sync(server, item(EVE, "unbanned")))
    await asyncio.sleep(0.1)
    late = asyncio.create_task(sync(server, item(EVE), seconds=0.1))
    assert await sync(server, item(EVE)) == [("applied", "")]
    assert await first == [("applied", "")] and (await late)[0][0] == "waiting"
    assert len(await listed(server)) == len(EVE)


async def test_a_ban_holds_by_both_ids_and_a_lift_ends_both(host: Host, server: GameServer) -> None:
    await game(host).join("eve", **EVE)
    assert await sync(server, item(EVE)) == [("applied", "")]
    assert await game(host).players() == {}
    log = (host.place / "servers/one/output_log.txt").read_text()
    assert f"Kicking player ({KICKED}" in log
    assert "reason: B-7: griefing)" in log
    for ids in ({"eos": EVE["eos"], "steam": ""}, {"steam": EVE["steam"], "eos": "0003" + "a" * 28}):
        assert KICKED in str(await game(host).join("somebody", **ids))
    assert "[Auth] BansAndWhitelist authorization failed" in (host.place / "servers/one/output_log.txt").read_text()
    assert await sync(server, item(EVE, "unbanned")) == [("applied", "")]
    assert await listed(server) == []
    assert isinstance(await game(host).join("eve", **EVE), int)


async def test_what_stands_already_is_not_said_again(host: Host, server: GameServer) -> None:
    ban = item(EVE).model_copy(update={"until": datetime.now(UTC) + timedelta(days=2)})
    for _ in range(2):
        assert await sync(server, ban) == [("applied", "")]
    assert commands(host) == [
        f'ban add {id_} 2 days "B-7: griefing" "eve, ""the"" (bad)) - x"'
        for id_ in (f"EOS_{EVE['eos']}", f"Steam_{EVE['steam']}")
    ]
    longer = ban.model_copy(update={"until": datetime.now(UTC) + timedelta(days=3)})
    assert await sync(server, longer) == [("applied", "")]
    assert len(commands(host)) == 4
    assert await sync(server, longer.model_copy(update={"until": None})) == [("applied", "")]
    assert len(commands(host)) == 6
    assert all(int(line.split("-")[0]) > 2500 for line in await listed(server))
    assert await sync(server, item(EVE, "unbanned")) == await sync(server, item(EVE, "unbanned"))
    assert len(commands(host)) == 8


async def test_the_games_times_are_those_of_its_own_zone(
    host: Host, server: GameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/St_Johns")
    time.tzset()
    try:
        await server.restart(Card())
        ban = item(EVE).model_copy(update={"until": datetime.now(UTC) + timedelta(hours=1)})
        for _ in range(2):
            assert await sync(server, ban) == [("applied", "")]
        until = (datetime.now(UTC).astimezone() + timedelta(hours=1)).strftime("%Y-%m-%d %H:")
        assert all(until in line for line in await listed(server))
        assert len(commands(host)) == 2
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_half_of_a_ban_is_made_whole(host: Host, server: GameServer) -> None:
    """An agent died between the two ids; the next one sends what is missing, and no more."""
    await server.command(f'ban add EOS_{EVE["eos"]} 500 years "B-7: griefing" "eve"')
    assert await sync(server, item(EVE)) == [("applied", "")]
    assert [line.split()[2] for line in commands(host)] == [f"EOS_{EVE['eos']}", f"Steam_{EVE['steam']}"]


async def test_bans_outlive_a_restart(host: Host, server: GameServer) -> None:
    ban = item(EVE)
    await sync(server, ban)
    await server.restart(Card())
    assert KICKED in str(await game(host).join("eve", **EVE))
    told = len(commands(host))
    assert await sync(server, ban) == [("applied", "")]
    assert len(commands(host)) == told


async def test_who_is_on_is_not_put_down_to_an_id_that_nobody_lifts(host: Host, server: GameServer) -> None:
    """The game stores somebody who is on under his EOS id, whatever it was given."""
    await game(host).join("eve", **EVE)
    assert await sync(server, item({"steam": EVE["steam"]})) == [("applied", "")]
    assert await game(host).players() == {}
    assert [line.split(" - ")[1].split(" ")[0] for line in await listed(server)] == [f"Steam_{EVE['steam']}"]
    await sync(server, item({"steam": EVE["steam"]}, "unbanned"))
    assert isinstance(await game(host).join("eve", **EVE), int)


async def test_who_takes_an_id_for_a_name_is_not_banned_for_it(host: Host, server: GameServer) -> None:
    await game(host).join(f"EOS_{EVE['eos']}", steam="76561198000000002", eos="0002" + "f" * 28)
    assert await sync(server, item(EVE)) == [("applied", "")]
    assert {line.split(" - ")[1].split(" ")[0] for line in await listed(server)} == {
        f"EOS_{EVE['eos']}",
        f"Steam_{EVE['steam']}",
    }
    assert isinstance(await game(host).join("an innocent", steam="76561198000000002", eos="0002" + "f" * 28), int)


async def test_whoever_lends_a_game_is_not_banned_with_the_borrower(host: Host, server: GameServer) -> None:
    await game(host).join("eve", **EVE, owner="76561198000000005")
    assert await sync(server, item(EVE)) == [("applied", "")]
    assert len(await listed(server)) == 2
    assert isinstance(await game(host).join("the owner", steam="76561198000000005"), int)


async def test_each_item_has_its_own_answer(host: Host, server: GameServer) -> None:
    past = item(EVE).model_copy(update={"until": datetime.now(UTC) - timedelta(minutes=1)})
    await sync(server, item(EVE))
    answers = await sync(
        server,
        past,
        item({"ip": "192.0.2.1", "name": "bob"}),
        item({"eos": "not an id", "steam": "76561198000000003"}),
        item({"xuid": "2535400000000001"}, "unbanned"),
        item({"xuid": "25354"}),
    )
    assert answers == [
        ("applied", "Its time is over."),
        ("unsupported", "7 Days to Die bans by eos or steam or xuid; known of this player is only ip, name."),
        ("applied", ""),
        ("applied", ""),
        ("refused", 'The game refused: "XBL_25354" is not a valid entity id, player name or user id.'),
    ]
    assert [line.split(" - ")[1].split(" ")[0] for line in await listed(server)] == ["Steam_76561198000000003"]


async def test_a_ban_and_a_lift_of_one_id_in_one_job_leave_the_ban(host: Host, server: GameServer) -> None:
    answers = await sync(server, item({**EVE, "xuid": "2535400000000001"}, "unbanned"), item(EVE))
    assert [outcome for outcome, _ in answers] == ["applied", "applied"]
    assert len(await listed(server)) == 2


async def test_what_is_not_up_is_waited_for(host: Host, server: GameServer) -> None:
    await server.stop(Card())
    assert await sync(server, item(EVE)) == [("waiting", "`one` is not up.")]
    await server.start(Card())
    inside(server).memory.update(ready=False)
    assert (await sync(server, item(EVE)))[0][0] == "waiting"


async def test_a_game_that_hangs_is_waited_for_and_takes_it_later(host: Host, server: GameServer) -> None:
    assert await listed(server) == []
    await game(host).hang(1.2)
    ban = item(EVE)
    assert await sync(server, ban, seconds=0.8) == [("waiting", "The game's list of bans could not be read.")]
    assert await sync(server, ban) == [("applied", "")]


async def test_what_there_is_no_time_for_is_waited_for(host: Host, server: GameServer) -> None:
    """The console is written to at its own pace; a job says in time how far it came."""
    items = [item({"steam": f"765611980000{number:05}"}) for number in range(60)]
    words = [outcome for outcome, _ in await sync(server, *items, seconds=3)]
    done = words.count("applied")
    assert words == ["applied"] * done + ["waiting"] * (60 - done)
    assert 5 < done < 60
    assert len(await listed(server)) == done


async def test_noise_and_dribble_change_nothing(host: Host, server: GameServer) -> None:
    await game(host).dribble(7)
    await game(host).noise(400, between=True)
    assert await sync(server, item(EVE), item({"steam": "76561198000000003"}, "unbanned")) == [("applied", "")] * 2


async def test_a_hostile_reason_is_only_a_reason(host: Host, server: GameServer) -> None:
    reason = 'B-7: "; shutdown" ) - \x1b[31m 2099-01-01 00:00:00 - EOS_x (a) - b @everyone ' + "é" * 90
    assert await sync(server, item(EVE, reason=reason)) == [("applied", "")]
    assert all('"; shutdown" ) - [31m 2099' in line for line in await listed(server))
    assert (await server.status()).state == "running"


async def test_who_is_on_although_banned_is_kicked(host: Host, server: GameServer) -> None:
    """Somebody wrote the ban into the game's file while they were playing."""
    ban = item({"steam": EVE["steam"]})
    await sync(server, ban)
    file = host.place / "servers/one/UserData/Saves/serveradmin.xml"
    with_ban = file.read_bytes()
    await sync(server, item({"steam": EVE["steam"]}, "unbanned"))
    await game(host).join("eve", **EVE)
    await game(host).join("alice")
    file.write_bytes(with_ban)
    async with asyncio.timeout(5):
        while not await listed(server):
            await asyncio.sleep(0.05)
    assert set(await game(host).players()) == {"eve", "alice"}
    assert await sync(server, ban) == [("applied", "")]
    assert set(await game(host).players()) == {"alice"}
