"""/server as its users meet it, with a host that speaks the protocol."""

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


async def test_a_restart_from_the_command_to_the_edited_message(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    choices = await community.mod.autocomplete(community.general, "server restart", "server", "eu")
    assert choices == [{"name": "EU #1 · 0/8 · up", "value": server}]
    asked = await community.mod.slash(community.general, "server restart", server=server)
    assert "Restart EU #1 now?" in said(asked) and shown_to(asked).ephemeral
    pressed = await community.mod.click(shown_to(asked), label="Restart EU #1")
    assert f"<#{community.ops.id}>" in said(pressed)
    message = await community.message_with("Restart · EU #1")
    (job,) = await host.claim()
    assert job["params"] == {"type": "SERVER_RESTART"}
    assert (await host.progress(job, wire.Step.STARTED))[0] == 200
    await host.progress(job, wire.Step.STOPPING)
    await community.message_with("▸ **Stop**")
    await host.result(job, duration_ms=1500)
    done = await community.message_with("It took 1.5 s.")
    assert done.id == message.id and "**done**" in reading.text(done)
    assert [row for row in await community.audit() if row[0].startswith("server.")] == [
        ("server.restart.ask", "success"),
        ("server.restart", "success"),
    ]
