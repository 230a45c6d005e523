"""`gamekeeper-agent doctor` and `template check` as a person types them."""

from pathlib import Path

import pytest
from aiohttp import web

from agent.identity import StateLock
from games.catalog import SHIPPED
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine


async def doctor(host: HostMachine) -> tuple[int, str]:
    return await host.command("doctor", "--config", str(host.config))


async def test_all_is_well(host: HostMachine, plane: ControlPlane) -> None:
    code, report = await doctor(host)
    assert code == 0, report
    assert f"ok       bot answers at {plane.url}" in report
    assert f"ok       key of host {plane.host_id} is accepted" in report
    assert "games: counter, teeworlds" in report
    assert "note     the agent is not running" in report
    with StateLock(host.state):
        assert "ok       the agent is running" in (await doctor(host))[1]


@pytest.mark.parametrize("date", ["yesterday", "Sat, 21 Nov 99999 05:00:00 GMT"])
async def test_a_date_that_is_none_is_passed_over(host: HostMachine, plane: ControlPlane, date: str) -> None:
    async def odd(*_: object) -> web.StreamResponse:
        return web.json_response({}, headers={"Date": date})

    plane.faults["servers"].append(odd)
    code, report = await doctor(host)
    assert code == 0, report
    assert "clock" not in report


async def test_what_is_amiss_is_named_with_its_remedy(host: HostMachine, plane: ControlPlane) -> None:
    templates = host.place / "templates"
    templates.mkdir()
    (templates / "broken.yaml").write_text("schema: 1\nid: broken\n")
    host.configure(
        template_dirs=f'["{templates}"]', templates='["broken", "teeworlds"]', adopt='{ old = "/nowhere/at/all" }'
    )
    plane.keys = {plane.new_key()}
    code, report = await doctor(host)
    assert code == 1
    for words in (
        "problem  the bot refuses this host's key\n         -> Pair this host again",
        "problem  template",
        "problem  no template for broken",
        "problem  adopted server old: there is no /nowhere/at/all",
    ):
        assert words in report


async def test_not_paired_and_nobody_there(host: HostMachine, plane: ControlPlane) -> None:
    await plane.stop()
    code, report = await doctor(host)
    assert code == 1
    assert "cannot be reached" in report
    (host.state / "identity.json").unlink()
    assert "is not paired" in (await doctor(host))[1]
    host.config.unlink()
    assert "There is no configuration" in (await doctor(host))[1]


async def test_two_agents_at_once(host: HostMachine) -> None:
    with StateLock(host.state):
        code, output = await host.command("run", "--config", str(host.config))
    assert code == 1
    assert output == f"Another agent is already running on {host.state}.\n"


async def test_check_a_template(host: HostMachine, tmp_path: Path) -> None:
    code, output = await host.command("template", "check", str(SHIPPED / "teeworlds.yaml"))
    assert code == 0, output
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: 1\n")
    code, output = await host.command("template", "check", str(broken))
    assert code == 1
    assert output.startswith("problem  ")
