"""The list of servers: what is wanted, what is remembered, and what is told at once."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime

import pytest

from agent import wire
from tests.agent.control_plane import ControlPlane
from tests.agent.faults import slow
from tests.agent.harness import HostMachine, free_port

TEEWORLDS = "/usr/games/teeworlds-server"


async def test_a_server_that_left_the_list_is_let_go_and_may_still_be_removed(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.interval = 1
    await plane.enqueue(wire.ServerStart(), counter).success()
    plane.remove_server(counter)
    while (await plane.next_heartbeat()).servers:
        continue
    os.kill(host.game_pid(counter.id), 0)  # it runs on

    await host.terminate()
    await host.start()
    result = await plane.enqueue(wire.ServerRemove(), counter).success()
    assert "arena.removed-" in result.output
    assert not (host.servers / "arena").exists()
    again = await plane.enqueue(wire.ServerRemove(), counter).result()
    assert again.error == "This host has no such server."


async def test_a_server_that_comes_back_to_the_list(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.interval = 1
    await plane.enqueue(wire.ServerStart(), counter).success()
    plane.remove_server(counter)
    while (await plane.next_heartbeat()).servers:
        continue
    plane.servers[counter.id] = counter
    plane.revision += 1
    await plane.until(lambda report: report.state == "running")


async def test_a_crash_is_told_at_once(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.interval = 300
    await plane.enqueue(wire.ServerStart(), counter).success()
    await plane.until(lambda report: report.state == "running")
    await asyncio.sleep(1.5)
    began = time.monotonic()
    os.kill(host.game_pid(counter.id), signal.SIGKILL)
    crashed = await plane.until(lambda report: report.state == "crashed")
    assert time.monotonic() - began < 5
    assert "ended by SIGKILL" in crashed.note


async def test_the_host_looks_after_its_servers_while_the_bot_is_away(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.change_server(counter, restart_policy="on_crash", desired_state="running")
    await plane.enqueue(wire.ServerStart(), counter).success()
    await host.terminate()
    await plane.stop()
    os.kill(host.game_pid(counter.id), signal.SIGKILL)
    await host.start()
    await host.until(lambda: host.count("arena", "starts") == 2)


async def test_a_damaged_list_is_fetched_again(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    await host.terminate()
    (host.state / "servers.json").write_text("{")
    await host.start()
    await plane.until(lambda report: report.id == counter.id)


async def test_a_server_that_cannot_be_found_again_keeps_no_other_from_its_agent(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    other = plane.add_server("other", "counter")
    host.install("other")
    await plane.enqueue(wire.ServerCreate(), other).success()
    await host.terminate()
    keeper = host.state / "instances" / str(counter.id) / "keeper"
    keeper.mkdir(mode=0o700, exist_ok=True)
    (keeper / "state.json").write_bytes(b"\xff")
    await host.start()
    await plane.enqueue(wire.ServerStart(), other).success()
    refused = await plane.enqueue(wire.ServerStart(), counter).result()
    assert "state.json is damaged" in refused.error
    await plane.until(lambda report: report.id == counter.id and "state.json is damaged" in report.note)
    await plane.until(lambda report: report.id == other.id and report.state == "running")
    (keeper / "state.json").unlink()


async def test_a_start_uses_the_settings_of_its_command(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.interval = 300
    plane.change_server(counter, vars={"delay": "10"})  # and no heartbeat comes in between
    job = plane.enqueue(wire.ServerStart(), counter)
    await job.success()
    assert job.results[0].duration_ms >= 1000


async def test_a_slow_list_does_not_keep_a_task_for_ever(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.faults["servers"].append(slow(30))
    await plane.enqueue(wire.ServerStart(), counter).success(timeout=12)
    assert "going by the last one" in host.log()


async def test_the_heartbeat_says_what_the_machine_is(host: HostMachine, plane: ControlPlane) -> None:
    await host.start()
    beat = plane.heartbeats[-1] if plane.heartbeats else await plane.next_heartbeat()
    assert {game.id for game in beat.games} == {"counter", "teeworlds"}
    assert beat.metrics.memory_total_mb > beat.metrics.memory_mb > 0
    assert beat.metrics.disk_total_mb >= beat.metrics.disk_mb > 0
    assert beat.sent_at is not None and abs((beat.sent_at - datetime.now(UTC)).total_seconds()) < 30
    teeworlds = next(game for game in beat.games if game.id == "teeworlds")
    assert "kick" in teeworlds.capabilities
    assert not any("password" in variable.name for variable in teeworlds.vars if variable.name != "password")


@pytest.mark.skipif(not os.access(TEEWORLDS, os.X_OK), reason="needs the package teeworlds-server")
async def test_console_actions_on_teeworlds(host: HostMachine, plane: ControlPlane) -> None:
    await host.start()
    spec = plane.add_server("dm", "teeworlds", vars={"port": str(free_port()), "econ_port": str(free_port())})
    await plane.enqueue(wire.ServerCreate(), spec).success()
    await plane.enqueue(wire.ServerStart(), spec).success()

    said = await plane.enqueue(wire.ConsoleCommand(command="echo hello from afar"), spec).success()
    assert "hello from afar" in said.output
    await plane.enqueue(wire.Announce(text="Restart; in 5 minutes"), spec).success()
    refused = await plane.enqueue(wire.ConsoleCommand(command="ec_password"), spec).result()
    assert refused.outcome == "failed"
    assert refused.error
    nobody = wire.PlayerKick(identities={"slot": "3"}, name="eve", reason="spam")
    gone = await plane.enqueue(nobody, spec).result()
    assert gone.outcome == "failed"
    report = await plane.until(lambda report: report.reachable is True)
    assert report.players == []
    await plane.enqueue(wire.ServerStop(), spec).success()
    down = await plane.enqueue(wire.ConsoleCommand(command="status"), spec).result()
    assert (down.outcome, "does not run" in down.error) == ("failed", True)
