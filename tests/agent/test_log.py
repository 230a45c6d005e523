"""The agent's own log: what others say in it stays within its line."""

import logging

import pytest
from aiohttp import web

from agent.__main__ import OneLine
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine

FORGED = "no\n2026-11-21 01:00:00,000 INFO    agent.app: all is well\r\x1b[2J\u2028"


def test_a_record_is_one_line() -> None:
    record = logging.LogRecord("agent.run", logging.INFO, __file__, 1, "failed: %s", (FORGED + "\ud800 ä",), None)
    line = OneLine("%(levelname)s %(message)s").format(record)
    assert line.startswith(r"INFO failed: no\n2026")
    assert line.endswith(r"well\r\x1b[2J\u2028\ud800 ä")
    assert len(line.splitlines()) == 1


def test_the_trace_of_a_bug_keeps_its_lines() -> None:
    try:
        raise ValueError
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
    record = logging.LogRecord("agent.run", logging.ERROR, __file__, 1, "a bug", (), trace)
    assert len(OneLine("%(message)s").format(record).splitlines()) > 2


@pytest.mark.usefixtures("own_process")
async def test_what_the_bot_says_forges_no_line(host: HostMachine, plane: ControlPlane) -> None:
    async def refuse(*_: object) -> web.StreamResponse:
        return web.json_response({"error": FORGED}, status=503)

    plane.always["heartbeat"] = refuse
    await host.start()
    await host.until_log("all is well")
    assert not any(line.startswith("2026-11-21 01:00:00") for line in host.log().splitlines())
    assert "\x1b" not in host.log()
