"""The conversation when things go wrong: nothing is said twice, and no late answer reaches anybody else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from games.catalog import GameTemplate
from games.consoles import Answer, Console, ConsoleUnreachable, LoginRefused
from games.resolved import ResolvedTemplate
from games.sections.console import Pace
from tests.games.consoles.scripted import BANNER, HANG_UP, PASSWORD, Scripted, fence
from tests.games.teeworlds_server import free_port

Catalog = dict[str, GameTemplate]


@asynccontextmanager
async def talking(catalog: Catalog, server: Scripted) -> AsyncIterator[Console]:
    async with server.running(catalog["7dtd"]) as resolved:
        console = Console(resolved)
        yield console
        await console.close()


def answering(**answers: bytes) -> Callable[[str], bytes]:
    """These bytes for these commands; every other line is unknown."""
    return lambda line: answers.get(line.split()[0], b"") if line.split()[0] in answers else fence(line)


def with_login(resolved: ResolvedTemplate, **changes: float) -> ResolvedTemplate:
    assert resolved.console is not None
    spec = resolved.console.spec
    changed = spec.model_copy(update={"login": spec.login.model_copy(update=changes)})
    return replace(resolved, console=replace(resolved.console, spec=changed))


async def test_one_connection_for_many_commands(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1, 08:28\r\n"))
    async with talking(catalog, server) as console:
        assert not console.connected
        answers = await asyncio.gather(*(console.command("gettime") for _ in range(5)))
        assert answers == [Answer("answered", ("Day 1, 08:28",))] * 5
        assert console.connected
    assert server.connections == 1
    assert server.heard[0] == PASSWORD
    assert server.heard[1::2] == ["gettime"] * 5
    assert all(line.startswith("zz") for line in server.heard[2::2])


async def test_nothing_comes_between_the_commands_of_one_turn(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1\r\n", lp=b"Total of 0 in the game\r\n"))
    async with talking(catalog, server) as console:
        async with console.one_turn():
            await console.players()
            others = [asyncio.create_task(console.command("gettime")) for _ in range(3)]
            await asyncio.sleep(0.05)
            await console.players()
            with pytest.raises(TimeoutError):
                await asyncio.create_task(_take_turn(console))
        assert [answer.outcome for answer in await asyncio.gather(*others)] == ["answered"] * 3
    assert server.heard[1::2] == ["lp", "lp", "gettime", "gettime", "gettime"]


async def _take_turn(console: Console) -> None:
    async with console.one_turn(timeout=0.05):
        raise AssertionError("two turns at once")


async def test_a_console_without_a_password(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1\r\n"))
    server.greeting = BANNER.removeprefix(b"Logon successful.\r\n")
    async with talking(catalog, server) as console:
        assert (await console.command("gettime")).lines == ("Day 1",)
    assert PASSWORD not in server.heard


async def test_an_answer_that_never_ends_is_unknown_and_its_connection_gone(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"half an answer\r\n" if line == "lp" else b"")
    async with talking(catalog, server) as console:
        answer = await console.command("lp", timeout=0.2)
        assert answer == Answer("unknown", ("half an answer",), "The game did not answer within 0.2 seconds.")
        assert not console.connected
        server.answer = answering(gettime=b"Day 1\r\n")
        assert await console.command("gettime") == Answer("answered", ("Day 1",))
    assert server.connections == 2
    assert server.heard.count("lp") == 1


async def test_an_old_fence_does_not_end_a_new_answer(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"")
    async with talking(catalog, server) as console:
        assert (await console.command("lp", timeout=0.1)).outcome == "unknown"
        late = server.heard[-1]

        def behind(line: str) -> bytes:
            return b"late\r\n" + fence(late) + (b"now\r\n" if line == "gettime" else fence(line))

        server.answer = behind
        assert "now" in (await console.command("gettime")).lines


async def test_hanging_up_in_the_middle_is_unknown(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"Kicking Pl" if line.startswith("kick") else HANG_UP)
    async with talking(catalog, server) as console:
        answer = await console.action("kick", {"slot": "1", "reason": "x"})
    assert answer.outcome == "unknown"
    assert answer.reason == "The console hung up before the answer was complete."


async def test_hanging_up_is_the_answer_to_shutdown(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"Shutting server down...\r\n" if line == "shutdown" else HANG_UP)
    async with talking(catalog, server) as console:
        assert await console.action("shutdown") == Answer("answered", ("Shutting server down...",))
        assert (await console.command(" shutdown ")).outcome == "answered"


async def test_a_game_that_refuses_to_end_says_so(catalog: Catalog) -> None:
    async with talking(catalog, Scripted()) as console:
        answer = await console.action("shutdown")
    assert answer.outcome == "refused"
    assert answer.reason == "The game refused: *** ERROR: unknown command 'shutdown'"


async def test_nobody_listens(catalog: Catalog) -> None:
    values = {"telnet_password": PASSWORD, "telnet_port": str(free_port())}
    console = Console(catalog["7dtd"].resolve(Path("/srv/x"), values))
    answer = await console.command("lp")
    assert answer == Answer("refused", (), "The game's console does not answer: the game is down or starting.")
    assert await console.players() == ([], False)
    with pytest.raises(ConsoleUnreachable):
        await console.connect()


async def test_a_wrong_password_is_not_tried_again_at_once(catalog: Catalog) -> None:
    server = Scripted()
    server.login = lambda _: b"Password incorrect, please enter password:\r\n"
    async with talking(catalog, server) as console:
        first = await console.command("lp")
        second = await console.command("lp")
        with pytest.raises(LoginRefused):
            await console.connect()
    assert first.outcome == second.outcome == "refused"
    assert "does not take the password" in first.reason
    assert "is not asked again yet" in second.reason
    assert server.connections == 1
    assert server.heard == [PASSWORD]


async def test_after_a_while_the_password_is_tried_again(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1\r\n"))
    server.login = lambda _: b"Password incorrect, please enter password:\r\n"
    async with server.running(catalog["7dtd"]) as resolved:
        console = Console(with_login(resolved, retry=0.05))
        assert (await console.command("gettime")).outcome == "refused"
        server.login = lambda _: BANNER
        await asyncio.sleep(0.06)
        assert (await console.command("gettime")).lines == ("Day 1",)
        await console.close()


async def test_locked_out(catalog: Catalog) -> None:
    server = Scripted()
    server.login = lambda _: b"Too many failed login attempts!\r\n"
    async with talking(catalog, server) as console:
        assert "locked this host out" in (await console.command("lp")).reason


async def test_a_console_that_hangs_up_on_us(catalog: Catalog) -> None:
    server = Scripted()
    server.login = lambda _: HANG_UP
    async with talking(catalog, server) as console:
        answer = await console.command("lp")
    assert answer == Answer("refused", (), "The game's console took the connection but let nobody in.")


async def test_a_silent_console_is_given_up(catalog: Catalog) -> None:
    server = Scripted()
    server.greeting = b""
    async with server.running(catalog["7dtd"]) as resolved:
        console = Console(with_login(resolved, timeout=0.1))
        with pytest.raises(ConsoleUnreachable):
            await console.connect()
        assert not console.connected


async def test_waiting_for_ones_turn_counts(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"")
    async with talking(catalog, server) as console:
        first = asyncio.create_task(console.command("lp", timeout=0.5))
        await asyncio.sleep(0.1)
        second = await console.command("gettime", timeout=0.1)
        assert second == Answer("refused", (), "The console took nothing within 0.1 seconds: not sent.")
        assert (await first).outcome == "unknown"
    assert "gettime" not in server.heard


async def test_a_cancelled_command_drops_its_connection(catalog: Catalog) -> None:
    server = Scripted(lambda line: b"" if line.startswith(("lp", "zz")) else fence(line))
    async with talking(catalog, server) as console:
        asking = asyncio.create_task(console.command("lp"))
        await asyncio.sleep(0.1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert not console.connected
        server.answer = answering(gettime=b"Day 1\r\n")
        assert (await console.command("gettime")).lines == ("Day 1",)


async def test_lines_of_people_are_checked_before_anything_is_sent(catalog: Catalog) -> None:
    server = Scripted()
    async with talking(catalog, server) as console:
        for line in ("x" * 600, "say a\nshutdown", "exit", ""):
            assert (await console.command(line)).outcome == "refused"
        assert (await console.action("kick", {"slot": "1\nshutdown", "reason": "x"})).outcome == "refused"
        assert (await console.action("dance")).reason == "7dtd cannot do `dance`."
    assert server.connections == 0


async def test_the_password_is_redacted_everywhere(catalog: Catalog) -> None:
    said = f"TelnetPassword = {PASSWORD}\r\n".encode()
    server = Scripted(answering(getgamepref=said, kick=f'"{PASSWORD}" matches multiple player names.\r\n'.encode()))
    async with talking(catalog, server) as console:
        assert (await console.command("getgamepref")).lines == ("TelnetPassword = •••",)
        kicked = await console.action("kick", {"slot": "1", "reason": "x"})
        assert PASSWORD not in kicked.reason
        server.writers[0].write(b"2024-08-24T20:26:29 1.0 INF " + said)
        assert await asyncio.wait_for(console.records.get(), 2) == "2024-08-24T20:26:29 1.0 INF TelnetPassword = •••"


async def test_unread_records_make_room_for_newer_ones(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1\r\n"))
    async with talking(catalog, server) as console:
        await console.connect()
        server.writers[0].write(b"".join(b"2024-08-24T20:26:29 1.0 INF %d\r\n" % n for n in range(1500)))
        assert (await console.command("gettime")).lines == ("Day 1",)
        kept = [console.records.get_nowait() for _ in range(console.records.qsize())]
    assert [record.rpartition(" ")[2] for record in kept] == [str(n) for n in range(500, 1500)]


async def test_the_pace_is_kept(catalog: Catalog) -> None:
    server = Scripted(answering(gettime=b"Day 1\r\n"))
    async with server.running(catalog["7dtd"]) as resolved:
        assert resolved.console is not None
        spec = resolved.console.spec.model_copy(update={"pace": Pace(burst=2, per_second=20)})
        console = Console(replace(resolved, console=replace(resolved.console, spec=spec)))
        await console.connect()
        started = asyncio.get_running_loop().time()
        for _ in range(4):
            await console.command("gettime")
        assert asyncio.get_running_loop().time() - started >= 0.28
        await console.close()
