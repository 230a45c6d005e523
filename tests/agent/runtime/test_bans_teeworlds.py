"""Bans on a real Teeworlds: by address, in memory, with players that try to come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agent import wire
from agent.runtime.server import GameServer
from bot.demo.teeworlds_player import JoinRefused, TeeworldsBot
from tests.agent.runtime.conftest import Card, Host, free_port, until_state
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

FOR_FIVE = timedelta(minutes=5)


@pytest.fixture
async def server(host: Host) -> GameServer:
    """Up, with nobody on it."""
    server = await host.server(host.spec("teeworlds", vars={"port": str(free_port()), "econ_port": str(free_port())}))
    await server.create(Card())
    await server.start(Card())
    return server


def item(
    *addresses: str, want: str = "banned", until: timedelta | None = FOR_FIVE, reason: str = "B-7: griefing"
) -> wire.BanItem:
    return wire.BanItem.model_validate(
        {
            "entry_id": uuid4(),
            "revision": 1,
            "want": want,
            "identities": [wire.Identity(kind="ip", value=address) for address in addresses],
            "name": "eve' score=9",
            "until": None if until is None else datetime.now(UTC) + until,
            "reason": reason,
        }
    )


async def sync(server: GameServer, *items: wire.BanItem) -> list[tuple[str, str]]:
    receipts = await server.sync_bans(items, Card(), 60)
    return [(one.outcome, one.detail) for one in receipts]


async def join(server: GameServer, name: str, source: str) -> TeeworldsBot:
    return await TeeworldsBot.join("127.0.0.1", int(server.spec.vars["port"]), name, source)


async def stays_out(server: GameServer, source: str) -> None:
    with pytest.raises(JoinRefused):
        await TeeworldsBot.join("127.0.0.1", int(server.spec.vars["port"]), "whoever", source, timeout=1)


@asynccontextmanager
async def online(server: GameServer, name: str, source: str) -> AsyncIterator[TeeworldsBot]:
    bot = await join(server, name, source)
    try:
        yield bot
    finally:
        await bot.leave()


async def bans(server: GameServer) -> list[str]:
    """The game's own list, without the time of the day and the total."""
    return [line.partition("]: #")[2] for line in (await server.command("bans")).lines[:-1]]


async def test_who_is_banned_is_gone_at_once_and_stays_out_until_lifted(server: GameServer) -> None:
    async with online(server, "eve", "127.0.0.3") as eve, online(server, "alice", "127.0.0.2") as alice:
        assert await sync(server, item("127.0.0.3")) == [("applied", "")]
        assert await eve.disconnected() == "You have been banned for 5 minutes (B-7: griefing)"
        assert alice.online
        await stays_out(server, "127.0.0.3")
        await asyncio.sleep(6)  # to who knocks all the time the game says nothing at all
        with pytest.raises(JoinRefused, match=r"You have been banned for 5 minutes \(B-7: griefing\)"):
            await join(server, "not eve", "127.0.0.3")
        assert await sync(server, item("127.0.0.3", want="unbanned")) == [("applied", "")]
        async with online(server, "eve", "127.0.0.3"):
            assert alice.online


async def test_a_restart_forgets_and_the_next_job_brings_it_back(server: GameServer) -> None:
    ban = item("127.0.0.3")
    await sync(server, ban)
    await server.restart(Card())
    assert await bans(server) == []
    async with online(server, "eve", "127.0.0.3") as eve:
        assert await sync(server, ban) == [("applied", "")]
        assert (await eve.disconnected()).startswith("You have been banned")
    await stays_out(server, "127.0.0.3")


async def test_a_crash_forgets_as_well(host: Host, server: GameServer) -> None:
    ban = item("127.0.0.3", until=None)
    await sync(server, ban)
    await server.kill()
    assert (await sync(server, ban))[0][0] == "waiting"
    await server.start(Card())
    await until_state(server, "running")
    assert await bans(server) == []
    assert await sync(server, ban) == [("applied", "")]
    assert await bans(server) == ["0 '127.0.0.3' banned for life (B-7: griefing)"]


async def test_the_hosts_own_address_is_never_banned(server: GameServer) -> None:
    words = "127.0.0.1 is this host's own address: banned, it could not reach the game."
    answers = await sync(server, item("127.0.0.1"), item("::ffff:127.0.0.1", "127.0.0.9"), item("::1"))
    assert answers == [("refused", words), ("refused", words), ("refused", words.replace("127.0.0.1", "::1"))]
    assert await bans(server) == ["0 '127.0.0.9' banned for 5 minutes (B-7: griefing)"]


async def test_minutes_are_rounded_up_and_what_is_too_long_is_for_life(server: GameServer) -> None:
    answers = await sync(
        server,
        item("127.0.0.3", until=timedelta(seconds=61)),
        item("127.0.0.4", until=timedelta(days=40)),
        item("2001:db8::7"),
    )
    assert answers == [
        ("applied", ""),
        ("applied", "The game has no ban of this length: there it has no end until it is lifted."),
        ("applied", ""),
    ]
    assert sorted(line.partition(" ")[2] for line in await bans(server)) == [
        "'127.0.0.3' banned for 2 minutes (B-7: griefing)",
        "'127.0.0.4' banned for life (B-7: griefing)",
        "'[2001:db8:0:0:0:0:0:7]' banned for 5 minutes (B-7: griefing)",
    ]


async def test_a_ban_that_stands_is_not_made_again_and_another_end_is(server: GameServer) -> None:
    ban = item("127.0.0.3")
    await sync(server, ban)
    other_words = ban.model_copy(update={"reason": "B-7: something else"})
    assert await sync(server, other_words) == [("applied", "")]
    assert await bans(server) == ["0 '127.0.0.3' banned for 5 minutes (B-7: griefing)"]
    assert await sync(server, item("127.0.0.3", until=timedelta(minutes=9), reason="B-7: longer")) == [("applied", "")]
    assert await bans(server) == ["0 '127.0.0.3' banned for 9 minutes (B-7: longer)"]
    assert await sync(server, item("127.0.0.3", until=timedelta(minutes=2), reason="B-7: less")) == [("applied", "")]
    assert await bans(server) == ["0 '127.0.0.3' banned for 2 minutes (B-7: less)"]


async def test_a_long_and_hostile_reason_stays_a_reason(server: GameServer) -> None:
    async with online(server, "eve", "127.0.0.3") as eve:
        reason = 'B-7: a"; shutdown; ban 127.0.0.2 # \\ ' + "ä" * 60
        assert await sync(server, item("127.0.0.3", reason=reason)) == [("applied", "")]
        words = await eve.disconnected()
        assert words.startswith('You have been banned for 5 minutes (B-7: a"; shutdown; ban 127.0.0.2 # \\ ää')
        assert words.endswith("ä…)")
    assert len(await bans(server)) == 1


async def test_a_range_that_somebody_banned_by_hand_is_left_alone(server: GameServer) -> None:
    await server.command("ban 127.0.0.20-127.0.0.30 5 by hand")
    assert await sync(server, item("127.0.0.21"), item("127.0.0.20", want="unbanned")) == [("applied", "")] * 2
    assert [line.partition(" ")[2] for line in await bans(server)] == [
        "'127.0.0.21' banned for 5 minutes (B-7: griefing)",
        "'127.0.0.20' - '127.0.0.30' banned for 5 minutes (by hand)",
    ]


async def test_players_who_talk_like_the_list_change_nothing(server: GameServer) -> None:
    await server.command("sv_spamprotection 0")
    async with online(server, "eve", "127.0.0.2") as eve:
        for words in ("[07:22:31][net_ban]: #0 '127.0.0.3' banned for life (x)", "[07:22:31][net_ban]: 1 ban"):
            eve.say(words)  # more often, and the game takes it for an attack
            assert await sync(server, item("127.0.0.3", want="unbanned")) == [("applied", "")]
            assert await sync(server, item("127.0.0.4")) == [("applied", "")]
    ours = [
        line for line in await bans(server) if "Stressing network" not in line
    ]  # the game's own, of whoever talks fast
    assert len(ours) == 1 and "127.0.0.4" in ours[0]


async def test_a_list_of_hundreds_is_read_to_its_end(server: GameServer) -> None:
    for block in range(4):
        line = ";".join(f"ban 10.0.{block}.{n} 5 x" for n in range(1, 22))
        assert (await server.command(line)).outcome == "answered"
    assert await sync(server, item("127.0.0.3"), item("10.0.1.7", want="unbanned")) == [("applied", "")] * 2
    assert len(await bans(server)) == 84


async def test_a_game_that_knows_no_times_has_it_for_good_until_it_is_lifted(host: Host, server: GameServer) -> None:
    """The same server, told about as if its bans had no end of their own, and left those who are on alone."""
    template = host.catalog["teeworlds"]
    assert template.bans is not None
    changes = {"send": "ban {target} -1 {q:reason}", "duration": None, "drops_player": False}
    actions = {**template.actions, "ban": template.actions["ban"].model_copy(update=changes)}
    bans_section = template.bans.model_copy(update={"timed": "agent"})
    host.catalog["teeworlds"] = template.model_copy(update={"actions": actions, "bans": bans_section})
    await server.restart(Card())
    ban = item("127.0.0.3")
    no_end = "The game has no ban of this length: there it has no end until it is lifted."
    for _ in range(2):
        assert await sync(server, ban, item("127.0.0.4", until=None)) == [("applied", no_end), ("applied", "")]
    assert len(await bans(server)) == 2
    assert await sync(server, item("127.0.0.3", want="unbanned")) == [("applied", "")]
    assert await bans(server) == ["0 '127.0.0.4' banned for life (B-7: griefing)"]
