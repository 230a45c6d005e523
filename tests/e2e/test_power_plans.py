"""Restarts and stops that wait: their time, their countdown in the game, and how people change their mind."""

from uuid import UUID

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up

CHOICES = ["Restart EU #1", "When empty (max 2 h)", "In 15 min with countdown", "Never mind"]


async def told(host: Host) -> list[str]:
    """What the host is asked to say in its games now; it does."""
    texts: list[str] = []
    for job in await host.claim(wait=1):
        await host.progress(job, wire.Step.STARTED)
        await host.result(job)
        texts.append(job["params"]["text"])
    return texts


async def two_online(community: Community, host: Host) -> str:
    await community.set_up()
    server = await add_server(community, host)
    await up(host, server, online("eve", "192.0.2.1"), online("bob", "192.0.2.2", "1"))
    return server


async def test_a_countdown_is_told_postponed_and_cancelled(community: Community, host: Host) -> None:
    server = await two_online(community, host)
    asked = await community.mod.slash(community.general, "server restart", server=server, reason="update")
    assert "**2 players are online** and will be disconnected." in said(asked)
    assert reading.buttons(shown_to(asked)) == CHOICES
    pressed = await community.mod.click(shown_to(asked), label="In 15 min with countdown")
    assert "Restart EU #1 in 15 minutes" in said(pressed)
    message = await community.message_with("Players are told 10, 5 and 1 minutes before.")
    assert reading.buttons(message) == ["Postpone", "Cancel"]
    assert await told(host) == ["Restart in 15 minutes: update"]
    again = await community.mod.slash(community.general, "server restart", server=server)
    assert "A restart of EU #1 is planned by mia" in said(again)
    form = await community.mod.click(message, label="Postpone")
    moved = await community.mod.submit_modal(form, {"duration": "10m"})
    assert "Postponed by 10 minutes" in said(moved)
    assert await told(host) == ["Restart postponed. Restart in 25 minutes: update"]
    gone = await community.mod.click(message, label="Cancel")
    assert "The restart of EU #1 is cancelled" in said(gone)
    assert await told(host) == ["Restart cancelled"]
    ended = await community.message_with("**cancelled**")
    assert ended.id == message.id and "By mia" in reading.text(ended)
    assert await host.claim(wait=0) == []


async def test_when_empty_waits_until_somebody_says_that_nobody_is_on(community: Community, host: Host) -> None:
    server = await two_online(community, host)
    asked = await community.mod.slash(community.general, "server stop", server=server)
    await community.mod.click(shown_to(asked), label="When empty (max 2 h)")
    message = await community.message_with("As soon as nobody is on.")
    assert await told(host) == ["Shutdown as soon as nobody is on"]
    await host.beat(wire.ServerReport(id=UUID(server), state="running", reachable=False, players=None))
    await community.tick("power.plans")
    assert await host.claim(wait=0) == []
    await up(host, server)
    await community.tick("power.plans")
    (job,) = await host.claim()
    assert job["params"] == {"type": "SERVER_STOP"}
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, duration_ms=1500)
    done = await community.message_with("by mia · ")
    await community.eventually(lambda: "It took 1.5 s." in community.texts(community.ops)[-2])
    assert done.id == message.id
    assert community.texts(community.ops)[-1].startswith("### Stop · EU #1\n`J-3` · **done**")
    assert [row.status for row in await community.rows("select status from power_plans")] == ["done"]
