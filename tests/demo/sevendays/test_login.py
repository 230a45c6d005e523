"""Who gets to the console."""

import asyncio
from collections.abc import Callable

import pytest

from tests.demo.sevendays.running import PASSWORD, Running

BANNER = (
    "*** Connected with 7DTD server.\r\n"
    "*** Server version: V 2.5 (b32) Compatibility Version: V 2.5\r\n"
    "*** Dedicated server only build\r\n\r\n"
    "Server IP:   Any\r\nServer port: 26900\r\nMax players: 8\r\nGame mode:   GameModeSurvival\r\n"
    "World:       Navezgane\r\nGame name:   My Game\r\nDifficulty:  2\r\n\r\n"
    "Press 'help' to get a list of all commands. Press 'exit' to end session.\r\n\r\n"
)


async def test_the_whole_conversation(shared: Running) -> None:
    client = await shared.connect()
    client.send("", "wrong")
    text = await client.until("Password incorrect, please enter password:\r\n")
    client.send(PASSWORD)
    text += await client.until("end session.\r\n\r\n")
    client.send("exit")
    text += await client.rest()
    assert text.replace("\0", "") == (
        "Please enter password:\r\nPassword incorrect, please enter password:\r\n"
        f"Logon successful.\r\n\r\n\r\n\r\n{BANNER}"
    )
    await shared.logged(f"INF Telnet connection from: {client.address}")
    await shared.logged(f"INF Telnet connection closed: {client.address}")


async def test_too_many_wrong_passwords_shut_an_address_out_for_a_while(made: Callable[..., Running]) -> None:
    server = made({"TelnetFailedLoginLimit": "3", "TelnetFailedLoginsBlocktime": "1"}).start()
    first = await server.connect("127.0.0.2")
    first.send("a", "b", "c", PASSWORD)
    text = await first.rest()
    assert text.count("Password incorrect") == 2
    assert text.endswith("Too many failed login attempts!\r\n")
    blocked = await server.connect("127.0.0.2")
    assert await blocked.rest() == ""
    await server.logged(f"INF Telnet connection not accepted for too many login attempts: {blocked.address}")
    (await server.console("127.0.0.3")).close()
    await server.logged("Telnet connection closed: 127.0.0.3")
    again = await _connect_when_allowed(server)
    assert "Please enter password:" in again


async def _connect_when_allowed(server: Running) -> str:
    """What an address reads once its time is over; up to then it reads nothing."""
    for _ in range(200):
        client = await server.connect("127.0.0.2")
        if await client.some():
            return await client.until("\r\n")
        await asyncio.sleep(0.02)
    raise AssertionError("still shut out")


async def test_wrong_passwords_count_over_connections_and_a_right_one_forgets_them(
    made: Callable[..., Running],
) -> None:
    server = made({"TelnetFailedLoginLimit": "2"}).start()
    client = await server.connect()
    client.send("a", PASSWORD, "exit")
    assert "Logon successful." in await client.rest()
    texts: list[str] = []
    for _ in range(2):
        client = await server.connect()
        client.send("a", "exit")
        texts.append(await client.rest())
    assert ["Too many failed login attempts!" in text for text in texts] == [False, True]


async def test_without_a_password_the_banner_comes_at_once(made: Callable[..., Running]) -> None:
    server = made({"TelnetPassword": ""}).start()
    client = await server.connect()
    text = await client.until("end session.\r\n\r\n")
    assert text.replace("\0", "").startswith("*** Connected with 7DTD server.")
    assert await client.ask("lpi") == ["Total of 0 in the game"]


@pytest.mark.parametrize(("hide", "on_telnet", "in_file"), [("0", True, True), ("1", False, True), ("3", False, False)])
async def test_where_the_echo_of_a_command_appears(
    made: Callable[..., Running], hide: str, on_telnet: bool, in_file: bool
) -> None:
    server = made({"HideCommandExecutionLog": hide}).start()
    client = await server.console()
    echo = f"INF Executing command 'lp x' by' y' by Telnet from {client.address}"
    assert any(record.endswith(echo) for record in await client.records("lp x' by' y")) == on_telnet
    assert (echo in server.messages()) == in_file


async def test_telnet_may_be_switched_off(made: Callable[..., Running]) -> None:
    server = made({"TelnetEnabled": "false"}).start()
    assert not any("Started Telnet" in message for message in server.messages())
    with pytest.raises(ConnectionRefusedError):
        await server.connect()
