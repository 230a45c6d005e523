"""`gamekeeper-agent pair` as a person types it."""

import tomllib

import pytest

from agent.config import AgentConfig
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine


@pytest.fixture
def fresh(host: HostMachine) -> HostMachine:
    """A host that was never paired."""
    host.config.unlink()
    (host.state / "identity.json").unlink()
    return host


async def pair(host: HostMachine, *arguments: str) -> tuple[int, list[str]]:
    code, output = await host.command("pair", *arguments, "--config", str(host.config), "--state-dir", str(host.state))
    return code, output.splitlines()


async def test_pair_a_host(fresh: HostMachine, plane: ControlPlane) -> None:
    code, lines = await pair(fresh, plane.url + "/", plane.token, "--root", str(fresh.servers))
    assert code == 0, lines
    assert lines[0] == f"Paired as host {plane.host_id}."
    assert AgentConfig.load(fresh.config).roots == (fresh.servers,)
    assert tomllib.loads(fresh.config.read_text())["url"] == plane.url
    assert fresh.config.stat().st_mode & 0o777 == 0o600
    assert fresh.identity.key in plane.keys
    assert {game.id for game in plane.paired[0].games} >= {"7dtd", "teeworlds"}
    assert plane.paired[0].resources["cores"] >= 1
    assert fresh.identity.key not in "".join(lines)

    code, lines = await pair(fresh, plane.url, "another")
    assert (code, len(lines), lines[0]) == (1, 3, "This host is paired already.")
    plane.token = "second"
    code, lines = await pair(fresh, plane.url, "second", "--again")
    assert code == 0, lines


async def test_a_wrong_token(fresh: HostMachine, plane: ControlPlane) -> None:
    code, lines = await pair(fresh, plane.url, "wrong")
    assert (code, len(lines), lines[0]) == (1, 3, "The bot refused the token.")
    assert "/host add" in lines[2]
    assert not fresh.config.exists()
    assert not (fresh.state / "identity.json").exists()


async def test_nobody_there(fresh: HostMachine, plane: ControlPlane) -> None:
    await plane.stop()
    code, lines = await pair(fresh, plane.url, plane.token)
    assert (code, len(lines), lines[0]) == (1, 3, "The bot did not answer.")


async def test_clear_text_is_for_this_machine_only(fresh: HostMachine, plane: ControlPlane) -> None:
    code, lines = await pair(fresh, "http://bot.example.org", plane.token)
    assert (code, len(lines)) == (1, 3), lines
    assert "must be https://" in lines[1]


async def test_not_the_bot(fresh: HostMachine, plane: ControlPlane) -> None:
    code, lines = await pair(fresh, plane.url + "/elsewhere", plane.token)
    assert (code, len(lines)) == (1, 3), lines


async def test_no_place_for_the_key(fresh: HostMachine, plane: ControlPlane) -> None:
    fresh.state.rmdir()
    fresh.state.write_text("in the way")
    code, lines = await pair(fresh, plane.url, plane.token)
    assert (code, len(lines)) == (1, 3), lines
    assert plane.token, "the token must not be spent when its key has no place"


async def test_another_address_than_the_file(host: HostMachine, plane: ControlPlane) -> None:
    code, lines = await pair(host, "https://other.example.org", plane.token)
    assert (code, lines[0]) == (1, "Two addresses of the bot.")
