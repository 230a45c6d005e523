"""The Teeworlds template on a real server with real players."""

import asyncio
import itertools
import random
from pathlib import Path

import pytest

from bot.demo.teeworlds_player import JoinRefused, TeeworldsBot
from games.catalog import GameTemplate
from games.consoles import Console, LoginRefused
from games.consoles.quoting import parts
from games.sections.process import LogReady
from tests.games import teeworlds_server
from tests.games.conftest import Teeworlds

EVE = "eve' score=9"


async def join(server: Teeworlds, name: str, source: str = "127.0.0.2") -> TeeworldsBot:
    return await TeeworldsBot.join("127.0.0.1", server.port, name, source)


async def names(server: Teeworlds) -> list[str]:
    rows, complete = await server.console.players()
    assert complete
    return [row.name for row in rows]


async def settled(server: Teeworlds, expected: list[str]) -> None:
    """Until the server's list says so; joining and leaving take a tick."""
    async with asyncio.timeout(5):
        while await names(server) != expected:
            await asyncio.sleep(0.02)


async def test_players_come_are_listed_and_leave(teeworlds: Teeworlds) -> None:
    assert await teeworlds.console.players() == ([], True)
    alice = await join(teeworlds, "alice")
    eve = await join(teeworlds, EVE, "127.0.0.3")
    rows, complete = await teeworlds.console.players()
    assert complete
    assert [(row.slot, row.name, row.identities["ip"]) for row in rows] == [
        ("0", "alice", "127.0.0.2"),
        ("1", EVE, "127.0.0.3"),
    ]
    await alice.leave()
    await settled(teeworlds, [EVE])
    await eve.leave()


async def test_a_kick_hits_its_slot_and_its_reason_stays_one(teeworlds: Teeworlds) -> None:
    alice = await join(teeworlds, "alice")
    eve = await join(teeworlds, EVE, "127.0.0.3")
    reason = 'rude; kick 0 "you" # \\'
    answer = await teeworlds.console.action("kick", {"slot": "1", "reason": reason})
    assert answer.outcome == "answered"
    assert await eve.disconnected() == f"Kicked ({reason} )"
    assert alice.online
    assert await names(teeworlds) == ["alice"]
    await alice.leave()


async def test_a_kick_of_nobody_is_refused(teeworlds: Teeworlds) -> None:
    answer = await teeworlds.console.action("kick", {"slot": "7", "reason": "x"})
    assert answer.outcome == "refused"
    assert answer.reason == "The game refused: invalid client id to kick"


async def test_say_says_exactly_that(teeworlds: Teeworlds) -> None:
    answer = await teeworlds.console.action("say", {"text": 'hi; say "b" # c'})
    assert answer.outcome == "answered"
    assert [line.partition("]: ")[2] for line in answer.lines] == ['*** hi; say "b" # c']


async def test_a_player_cannot_speak_for_the_console(teeworlds: Teeworlds) -> None:
    eve = await join(teeworlds, "eve")
    await teeworlds.console.command("sv_spamprotection 0")
    for text in ("[Console]: No such command: zz00.", "[server]: cid=0 cmd='status'", "[server]: id=1 addr=1.1.1.1:1"):
        eve.say(text)
    assert await names(teeworlds) == ["eve"]
    async with asyncio.timeout(5):
        said = ""
        while "id=1 addr" not in said:
            said = await teeworlds.console.records.get()
    assert "[chat]: " in said
    await eve.leave()


async def test_a_free_line_may_not_reach_files_or_secrets(teeworlds: Teeworlds) -> None:
    marker = teeworlds.resolved.directory / "marker.cfg"
    marker.write_text("say executed\n")
    for line in (
        "exec marker.cfg",
        'say "a";EXEC marker.cfg',
        "ec_password",
        "say a;sv_rcon_password",
        "\u00a0exec marker.cfg",
    ):
        answer = await teeworlds.console.command(line)
        assert answer.outcome == "refused", line
    harmless = await teeworlds.console.command('say "a; exec marker.cfg"')
    assert harmless.outcome == "answered"
    log = (teeworlds.resolved.directory / "out.log").read_text(errors="replace")
    assert "*** executed" not in log
    assert "*** a; exec marker.cfg" in log


async def test_the_words_of_the_game_are_the_answer_to_a_free_line(teeworlds: Teeworlds) -> None:
    assert (await teeworlds.console.command("dance")).lines[0].endswith("[Console]: No such command: dance.")
    assert (await teeworlds.console.command("sv_map")).lines[0].endswith("Value: dm1")
    long = await teeworlds.console.command("say " + "ä" * 400)
    assert len(long.lines) == 1


async def test_lines_are_cut_into_commands_as_the_game_does_it(teeworlds: Teeworlds) -> None:
    """Differential: what we think the commands are against what the server complains about."""
    assert teeworlds.resolved.console is not None
    quoting = teeworlds.resolved.console.spec.quoting
    draw = random.Random(7)
    for _ in range(60):
        line = "".join(draw.choice(['"', "\\", '\\"', ";", ";", "#", " ", "zq", "zr"]) for _ in range(12))
        # The game stops at an empty command; we go on, which forbids more than it has to.
        run = itertools.takewhile(bool, (part.split() for part in parts(quoting, line)))
        answer = await teeworlds.console.command(line)
        if line.strip():
            assert [text.partition("No such command: ")[2] for text in answer.lines] == [f"{w[0]}." for w in run], line


async def test_a_wrong_password_is_said_in_a_sentence(catalog: dict[str, GameTemplate], teeworlds: Teeworlds) -> None:
    values = {**teeworlds.resolved.values, "econ_password": "not the password"}
    console = Console(catalog["teeworlds"].resolve(teeworlds.resolved.directory, values))
    with pytest.raises(LoginRefused, match="does not take the password"):
        await console.connect()
    assert (await teeworlds.console.command("status")).outcome == "answered"


async def test_shutdown_ends_it_and_the_name_may_be_anything(catalog: dict[str, GameTemplate], tmp_path: Path) -> None:
    if not teeworlds_server.installed():
        pytest.skip(teeworlds_server.MISSING)
    name = 'a "b" ; sv_port 1 # \\'
    resolved = teeworlds_server.resolve(catalog["teeworlds"], tmp_path, {"name": name})
    async with teeworlds_server.running(resolved) as process:
        console = Console(resolved)
        assert (await console.command("sv_name")).lines[0].endswith(f"Value: {name}")
        assert (await console.command("sv_port")).outcome == "refused"
        assert (await console.action("shutdown")).outcome == "answered"
        assert await asyncio.wait_for(process.wait(), 5) == 0
        await console.close()
    log = (tmp_path / "out.log").read_text(errors="replace")
    ready = [condition.log for condition in resolved.ready.all if isinstance(condition, LogReady)]
    assert ready
    assert all(any(pattern.matches(line) for line in log.splitlines()) for pattern in ready)
    assert not any(secret in log for secret in resolved.secrets)
    assert (tmp_path / "userdata" / "teeworlds").is_dir()


async def test_no_answer_is_no_player() -> None:
    with pytest.raises(JoinRefused):
        await TeeworldsBot.join("127.0.0.1", teeworlds_server.free_port(), "alice", timeout=1)
