"""What goes wrong in daily use: a clear sentence, and nothing half-done."""

from typing import Any

import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from bot.services.heartbeats import Heartbeats
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server, online, up


async def jobs_of(community: Community, kind: str) -> int:
    (row,) = await community.rows("select count(*) as n from jobs where type = :kind", kind=kind)
    return row.n


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("x" * 600, "has 600 characters; a console takes 512"),
        ("say hello\nshutdown", "has a line break, which would be a second command"),
        ("say hello\rshutdown", "has a line break, which would be a second command"),
        ("   ", "is empty"),
    ],
)
async def test_a_console_line_that_cannot_be_sent(community: Community, host: Host, command: str, words: str) -> None:
    server = await add_server(community, host)
    refused = await community.owner.slash(community.general, "console run", server=server, command=command)
    assert words in said(refused)
    assert await jobs_of(community, "CONSOLE_COMMAND") == 0


async def test_a_host_that_is_offline_is_named_with_its_time(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update hosts set last_heartbeat_at = now() - interval '10 minutes'"))
    await Heartbeats(community.app.work_db).sweep()
    asked = await community.mod.slash(community.general, "server restart", server=server)
    assert "Its host alpha is offline: this waits for it for 15 minutes" in said(asked)
    await community.mod.click(shown_to(asked), label="Restart EU #1")
    card = await community.message_with("Restart · EU #1")
    assert "**alpha** is offline since" in reading.text(card) and "This waits and expires" in reading.text(card)
    async with community.app.db.engine.begin() as connection:
        await connection.execute(
            text("update jobs set expires_at = now() - interval '1 second' where status = 'queued'")
        )
    await community.tick("queue.expire")
    await community.message_with("did not come back in time, so this was not done")


async def test_a_player_with_a_forged_name_is_kicked_by_id_and_shown_harmless(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    name = "eve' score=9 **@everyone**"
    await up(host, server, online(name, "127.0.0.5"), online("bob", "127.0.0.6", "1"))
    (choice,) = await community.mod.autocomplete(community.general, "player kick", "player", "eve")
    kicked = await community.mod.slash(
        community.general, "player kick", player=choice["value"], reason="forged; shutdown"
    )
    assert "Kicking eve' score=9" in said(kicked)
    (job,) = await host.claim()
    assert job["params"]["identities"] == {"name": name, "ip": "127.0.0.5"} and job["params"]["name"] == name
    assert job["params"]["reason"] == "forged; shutdown", "quoting is the console driver's, per game"
    card = await community.message_with("Kick · EU #1")
    assert "@everyone" not in reading.text(card) and "**@" not in reading.text(card)
    public = await community.player.slash(community.general, "players")
    assert "127.0.0.5" not in said(public) and "@everyone" not in said(public)


async def test_what_a_player_who_left_gets(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("bob", "127.0.0.6"))
    (choice,) = await community.mod.autocomplete(community.general, "player kick", "player", "bob")
    await up(host, server)
    refused = await community.mod.slash(community.general, "player kick", player=choice["value"], reason="x")
    assert "bob is not on any server now." in said(refused)


async def test_ports_and_names_are_given_once(community: Community, host: Host) -> None:
    await add_server(community, host)
    again = {"host": host.id, "game": "teeworlds"}
    form = await community.owner.slash(community.general, "fleet add", name="eu #1", **again)
    twice = await community.owner.submit_modal(form, filled(form))
    assert "There is a server called eu #1 already" in said(twice)
    form = await community.owner.slash(community.general, "fleet add", name="EU #2", **again)
    assert filled(form)["var.port"] == "8305", "the form proposes the next free port"
    clash = await community.owner.submit_modal(form, filled(form, **{"var.port": "8303"}))
    assert "Port 8303 is used by EU #1" in said(clash)
    form = await community.owner.slash(community.general, "fleet add", name="EU #2", **again)
    wrong = await community.owner.submit_modal(form, filled(form, **{"var.port": "80; rm"}))
    assert "is a port from 1024 to 65535" in said(wrong)
    (row,) = await community.rows("select count(*) as n from server_instances")
    assert row.n == 1


@pytest.mark.parametrize("when", ["tomorrow", "in 0x10 minutes", "-5m", "in 9999 hours"])
async def test_a_when_that_cannot_be_read(community: Community, host: Host, when: str) -> None:
    server = await add_server(community, host)
    refused = await community.owner.slash(community.general, "server restart", server=server, when=when)
    assert "`when`" in said(refused)
    assert await jobs_of(community, "SERVER_RESTART") == 0


async def test_two_power_actions_at_once(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    first = await community.mod.slash(community.general, "server restart", server=server, when="in 5 minutes")
    second = await community.mod.slash(community.general, "server stop", server=server)
    await community.mod.click(shown_to(first), label="Restart EU #1")
    refused = await community.mod.click(shown_to(second), label="Stop EU #1")
    assert "A restart of EU #1 is planned by mia" in said(refused)
    cancelled = await community.mod.slash(community.general, "server cancel", server=server)
    assert "The restart of EU #1 is cancelled" in said(cancelled)
    await community.message_with("**cancelled**")


async def test_a_kill_asks_for_the_name_and_passes_what_waits(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    waiting = await community.owner.slash(community.general, "server restart", server=server, when="in 5 minutes")
    await community.owner.click(shown_to(waiting), label="Restart EU #1")
    asked = await community.owner.slash(community.general, "server kill", server=server, reason="hangs")
    form = await community.owner.click(shown_to(asked), label="Kill EU #1")
    wrong = await community.owner.submit_modal(form, {"name": "EU #2"})
    assert "That is not the name. Nothing was done" in said(wrong)
    form = await community.owner.click(shown_to(asked), label="Kill EU #1")
    done = await community.owner.submit_modal(form, {"name": "eu #1"})
    assert "Kill EU #1" in said(done)
    given = await host.claim()
    assert {job["params"]["type"] for job in given} <= {"SERVER_KILL", "ANNOUNCE"}
    assert await jobs_of(community, "SERVER_KILL") == 1
    assert [row.status for row in await community.rows("select status from power_plans")] == ["cancelled"]


async def test_a_failed_job_can_be_done_again_from_its_card(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await community.mod.slash(community.general, "console run", server=server, command="status")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, "failed", error="The console did not answer.", output="half an ``` answer")
    card = await community.message_with("The console did not answer.")
    again = await community.mod.click(card, label="Retry")
    assert f"J-{job['number']} is done again" in said(again)
    (retried,) = await host.claim()
    assert retried["params"] == job["params"] and retried["number"] > job["number"]


async def test_a_host_is_removed_only_when_it_is_empty(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    asked = await community.owner.slash(community.general, "host remove", host=host.id)
    form = await community.owner.click(shown_to(asked), label="Remove alpha")
    refused = await community.owner.submit_modal(form, {"name": "alpha"})
    assert "alpha still has EU #1" in said(refused)
    asked = await community.owner.slash(community.general, "fleet remove", server=server)
    form = await community.owner.click(shown_to(asked), label="Remove EU #1")
    await community.owner.submit_modal(form, {"name": "EU #1"})
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job)
    asked = await community.owner.slash(community.general, "host remove", host=host.id)
    form = await community.owner.click(shown_to(asked), label="Remove alpha")
    assert "alpha is removed" in said(await community.owner.submit_modal(form, {"name": "alpha"}))
    status, _ = await host.call("POST", "jobs/claim?wait=0", wire.ClaimRequest(slots=1))
    assert status == 401


async def test_what_a_game_says_is_not_shown_in_public(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await community.owner.slash(community.general, "console run", server=server, command="status")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, output="id=0 addr=127.0.0.9:4711 name='bob'")

    def ended() -> Any:
        messages = community.general.history()
        return [one for one in messages if "Console" in reading.text(one) and "**done**" in reading.text(one)]

    (message,) = await community.eventually(ended)
    assert "127.0.0.9" not in reading.text(message)
    assert "127.0.0.9" in said(await community.owner.click(message, label="Output"))
    assert "You need the permission" in said(await community.player.click(message, label="Output"))
