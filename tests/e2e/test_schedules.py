"""/schedule as its users meet it, with a host that speaks the protocol."""

from typing import Any

import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, up


async def saved(community: Community, **options: Any) -> str:
    """Adds a schedule as the owner; what the answer to Save says."""
    asked = await community.owner.slash(community.general, "schedule add", **options)
    return said(await community.owner.click(shown_to(asked), label="Save"))


async def comes(community: Community, seconds: int = 5) -> None:
    """Every schedule's time has come, so many seconds ago."""
    async with community.app.db.engine.begin() as connection:
        await connection.execute(
            text("update schedules set next_run_at = now() - make_interval(secs => :late) where enabled"),
            {"late": seconds},
        )
    await community.tick("schedules.due")


async def listed(community: Community) -> str:
    return said(await community.owner.slash(community.general, "schedule list"))


async def test_a_schedule_from_the_command_to_its_result(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    when = {"action": "restart", "when": "every day at 4", "server": server}
    asked = await community.owner.slash(community.general, "schedule add", **when)
    assert "Save restart EU #1?" in said(asked) and "At 04:00 every day" in said(asked)
    assert said(asked).count("04:00 (<t:") == 5 and shown_to(asked).ephemeral
    assert "Nothing is done by itself yet" in await listed(community)
    assert "restart EU #1 is saved" in said(await community.owner.click(shown_to(asked), label="Save"))
    assert "never ran · by Olga" in (await listed(community)).replace("olga", "Olga")
    await community.tick("schedules.due")
    assert await host.claim(wait=0) == [], "it is not 4 o'clock"
    await comes(community)
    message = await community.message_with("Restart · EU #1")
    assert "last under way" in await listed(community)
    (job,) = await host.claim()
    assert job["params"] == {"type": "SERVER_RESTART"}
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, duration_ms=1500)
    done = await community.message_with("It took 1.5 s.")
    assert done.id == message.id
    assert "last done `J-2`" in await listed(community)
    audited = await community.rows("select actor_type, action from audit_logs where action like 'schedule%' order by id")
    assert [tuple(row) for row in audited] == [
        ("user", "schedule.list"), ("user", "schedule.add.ask"),
    ] or [row.action for row in audited if row.action != "schedule.list"] == [
        "schedule.add.ask", "schedule.add", "schedule.run",
    ]  # fmt: skip
