"""Bytes on the wire: ends of lines, packets, what the log looks like from outside."""

import asyncio

import pytest

from bot.demo.sevendays.session import packets
from tests.demo.sevendays.running import RECORD, Client, Running

TAIL = "Total of 0 in the game"


@pytest.mark.parametrize(
    ("text", "dribble", "expected"),
    [
        ("", 0, []),
        ("x" * 130, 0, [b"x" * 64, b"x" * 64, b"xx"]),
        ("ü" * 65, 0, ["ü".encode() * 64, "ü".encode()]),
        ("aü\r\n", 2, [b"a\xc3", b"\xbc\r", b"\n"]),
    ],
)
def test_packets(text: str, dribble: int, expected: list[bytes]) -> None:
    assert list(packets(text, dribble)) == expected


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n \n"])
async def test_a_line_ends_at_either_character(console: Client, end: str) -> None:
    console.send("  lpi  ", "zzend", end=end)
    assert (await console.until("'zzend'\r\n")).endswith(f"{TAIL}\r\n*** ERROR: unknown command 'zzend'\r\n")


async def test_lines_may_arrive_in_pieces(console: Client) -> None:
    console.send("l", end="")
    await asyncio.sleep(0.05)
    console.send("pi")
    await console.until(f"{TAIL}\r\n")


async def test_dribbled_packets_make_the_same_text(shared: Running, console: Client) -> None:
    shared.control.join("Käthe")
    await console.records()
    shared.control.dribble(1)
    rows = await console.ask("lpi")
    shared.control.dribble(0)
    assert [rows[0].partition(", ")[2], rows[1]] == ["Käthe", "Total of 1 in the game"]


async def test_every_session_hears_the_log_and_strangers_get_nul(shared: Running, console: Client) -> None:
    stranger = await shared.connect()
    await stranger.until("Please enter password:\r\n")
    await console.records()
    shared.control.join("alice")
    shared.control.leave("alice")
    records = await console.records()
    await stranger.until("\0" * len(records))
    stranger.close()
    assert all(RECORD.match(record) for record in records)
    assert records[-1].endswith(" INF GMSG: Player 'alice' left the game")


async def test_a_trace_is_one_record_with_bare_line_feeds(shared: Running, console: Client) -> None:
    shared.control.noise(14)
    traces = [record for record in await console.records() if " EXC " in record]
    assert len(traces) == 2
    assert all("\n  at " in trace and RECORD.match(trace) for trace in traces)
    assert "Fallback handler could not load library libfmodstudio.so" in shared.messages()


async def test_records_may_come_between_the_lines_of_an_answer(shared: Running, console: Client) -> None:
    shared.control.noise(2, between=True)
    records = await console.records("ban list")
    assert [bool(RECORD.match(record)) for record in records[1:]] == [False, True, False, True]


async def test_exit_closes_in_any_case_after_what_was_asked_before(console: Client) -> None:
    console.send("lpi", "EXIT", "gt")
    text = await console.rest()
    assert TAIL in text
    assert "Day " not in text


async def test_a_client_that_shuts_its_side_still_gets_the_answer(shared: Running, console: Client) -> None:
    console.send("lpi")
    console.end()
    assert TAIL in await console.rest()
    await shared.logged(f"Telnet connection closed: {console.address}")
