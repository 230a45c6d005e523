"""The channel that the imitation is driven through: it is closed to others, and both faces say the same."""

import inspect
import json
import socket

import pytest

from bot.demo.sevendays.control import AsyncControl, Control
from tests.demo.sevendays.running import Running


@pytest.mark.parametrize("line", [b'{"token": "guess", "do": "ready"}', b"nonsense", b"{}", b'["ready"]'])
def test_a_stranger_is_refused(shared: Running, line: bytes) -> None:
    port = json.loads((shared.directory / "control.json").read_text("utf-8"))["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(line + b"\n")
        assert "error" in json.loads(connection.makefile("rb").readline())
    assert shared.control.ready()


def test_both_faces_offer_the_same_calls() -> None:
    def offered(face: type) -> dict[str, inspect.Signature]:
        calls = inspect.getmembers(face, inspect.isfunction)
        return {name: inspect.signature(call) for name, call in calls if not name.startswith("_")}

    assert offered(Control) == offered(AsyncControl)


async def test_the_awaited_calls_reach_the_server(shared: Running) -> None:
    control = AsyncControl(shared.directory)
    await control.wait_ready()
    entity = await control.join("alice")
    await control.chat("alice", "hi")
    await control.die("alice")
    await control.noise(1)
    await control.dribble(3)
    await control.dribble(0)
    assert await control.players() == {"alice": entity}
    assert await control.heard("alice") == []
    await control.leave("alice")
    assert await control.players() == {}
