"""/batch as its users meet it, with a host that speaks the protocol."""

import asyncio
from typing import Any

import discord
import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, up


@pytest.fixture
async def servers(community: Community, host: Host) -> list[str]:
    """Three servers with the tag `eu`."""
    await community.set_up()
    return [await added(community, host, name) for name in ("EU #1", "EU #2", "EU #3")]


async def added(community: Community, host: Host, name: str) -> str:
    server = await add_server(community, host, name, "teeworlds")
    answer = await community.owner.slash(community.general, "fleet tag", server=server, add="eu")
    assert "eu" in said(answer)
    return server


async def change(community: Community, statement: str, **values: Any) -> None:
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text(statement), values)


async def start(community: Community, who: Any = None, **options: Any) -> str:
    """Asks, types the tag and presses; the answer."""
    member = who or community.owner
    asked = await member.slash(community.general, "batch start", **{"action": "restart", "tag": "eu", **options})
    form = await member.click(shown_to(asked), label=reading.buttons(shown_to(asked))[0])
    return said(await member.submit_modal(form, {"name": "EU"}))


async def card(community: Community, *words: str) -> discord.Message:
    """The one message of a batch, once it says all this."""

    def find() -> Any:
        found = [message for message in community.ops.history() if "`W-" in reading.text(message)]
        assert len(found) <= 1
        return found[0] if found and all(word in reading.text(found[0]) for word in words) else None

    return await community.eventually(find)


async def turn(host: Host, outcome: str = "success", **values: Any) -> dict[str, Any]:
    """The host begins the next job and ends it."""
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, outcome, **values)
    return job


async def test_a_rolling_restart_in_one_message(community: Community, host: Host, servers: list[str]) -> None:
    for server in servers:
        await up(host, server)
    options = await community.owner.autocomplete(community.general, "batch start", "tag", "")
    assert [choice["value"] for choice in options] == ["eu"]
    asked = await community.owner.slash(community.general, "batch start", action="restart", tag="eu")
    assert "Restart on 3 servers with the tag eu?" in said(asked) and shown_to(asked).ephemeral
    form = await community.owner.click(shown_to(asked), label="Restart on 3 servers")
    wrong = await community.owner.submit_modal(form, {"name": "EU #1"})
    assert "That is not the name. Nothing was done; it is eu." in said(wrong)
    form, other = [await community.owner.click(shown_to(asked), label="Restart on 3 servers") for _ in range(2)]
    done = await community.owner.submit_modal(form, {"name": "eu"})
    assert "Restart on 3 servers" in said(done) and "`W-1` · <#" in said(done)
    again = await community.owner.submit_modal(other, {"name": "eu"})
    assert said(again) == said(done), "a second click shows the first result"
    message = await card(community, "**under way** · by olga", "One after the other.", "**0 of 3 done**")
    before = len(community.ops.history())
    for server in servers:
        assert (await turn(host))["serverId"] == server
    over = await card(community, "**done**", "It took", "✓ **EU #3** · done")
    assert over.id == message.id and len(community.ops.history()) == before, "nothing but the one message"
    assert not reading.buttons(over)
    listed = said(await community.owner.slash(community.general, "job list"))
    assert listed.count("· `W-1`") == 3
    job = said(await community.owner.slash(community.general, "job show", job="J-4"))
    assert "part of `W-1`" in job


async def test_stop_and_show_failed_on_the_message(community: Community, host: Host, servers: list[str]) -> None:
    await start(community)
    await turn(host, "failed", error="it did not start within 60 s")
    message = await card(community, "✗ **EU #1** · failed: it did not start within 60 s", "1 failed · 1 under way")
    failed = said(await community.mod.click(message, label="Show failed"))
    assert "EU #1" in failed and "EU #2" not in failed
    stopped = said(await community.owner.click(message, label="Stop"))
    assert "W-1 begins nothing more" in stopped and "1 server is left as it is" in stopped
    assert "W-1 was stopped by olga already" in said(await community.owner.click(message, label="Stop"))
    message = await card(community, "stopping: what is under way ends", "Stopped by olga.", "– **EU #3** · not begun")
    assert reading.buttons(message) == ["Show failed"]
    await turn(host)
    over = await card(community, "`W-1` · **stopped**", "**1 of 3 done** · 1 failed · 1 not begun")
    assert await host.claim(wait=0) == []
    shown = said(await community.owner.slash(community.general, "batch show", batch="W-1"))
    assert "✓ **EU #2** · done" in shown and reading.buttons(over) == ["Show failed"]
    late = said(await community.owner.slash(community.general, "batch stop", batch="W-1"))
    assert "W-1 has ended already" in late


async def test_a_batch_of_two_hundred_is_one_message(community: Community, host: Host, servers: list[str]) -> None:
    await change(
        community,
        """insert into server_instances (org_id, host_id, game_type_id, name, slug, status)
           select org_id, host_id, game_type_id, 'N' || lpad(n::text, 3, '0'), 'n' || n, 'running'
             from (select * from server_instances limit 1) s, generate_series(1, 197) n""",
    )
    await change(
        community,
        """insert into server_tags (org_id, server_instance_id, tag)
           select org_id, id, 'eu' from server_instances where name like 'N%' on conflict do nothing""",
    )
    posted = len(community.ops.history())
    answer = await start(community, action="announce", text="@everyone Soon!")
    assert "Announce on 200 servers" in answer
    message = await card(community, "**0 of 200 done** · 200 under way", "All at once.")
    assert "@everyone" not in reading.text(message) and len(community.ops.history()) == posted + 1
    claimed = await host.claim()
    for job in claimed:
        await host.progress(job, wire.Step.STARTED)
    await asyncio.gather(*(host.result(job) for job in claimed))
    await card(community, f"**{len(claimed)} of 200 done**")
    page = shown_to(await community.owner.click(message, label="All servers"))
    assert reading.text(page).count("`J-") == 10 and "Next" in reading.buttons(page)
    await change(community, "update jobs set expires_at = now() where status = 'queued'")
    await community.tick("queue.expire")
    over = await card(community, f"**done, {200 - len(claimed)} failed**")
    assert len(reading.text(over)) < 4000 and len(community.ops.history()) == posted + 1
