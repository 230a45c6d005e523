"""What games say: the whole output of a job as a file, and lines of their logs that somebody looks for."""

import re
from datetime import timedelta

from sqlalchemy import text

from agent import wire
from bot import clock
from bot.demo import reading
from bot.domain.actors import system
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server

LINES = "".join(f"client {number} joined\n" for number in range(200))
WRITE = """insert into logs (org_id, server_instance_id, ts, level, message)
           values ((select id from orgs), cast(:server as uuid), :ts, :level, :message)"""


async def test_the_whole_output_of_a_job_is_a_file(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    await community.mod.slash(community.general, "console run", server=server, command="status")
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, output=LINES)
    card = await community.mod.slash(community.general, "job show", job="J-2")
    assert "client 199 joined" in said(card) and "client 0 joined" not in said(card)
    assert "Whole output" not in reading.buttons(shown_to(card)), "moderators may not download files"

    card = await community.owner.slash(community.general, "job show", job="J-2")
    pressed = await community.owner.click(shown_to(card), label="Whole output")
    (file,) = shown_to(pressed).attachments
    assert file.filename == "J-2.txt" and shown_to(pressed).ephemeral
    assert file.size == len(LINES)
    assert ("job.output", "success") in await community.audit()

    message = await community.message_with("`J-2` · **done**")
    refused = await community.mod.click(message, label="Whole output")
    assert "You need the permission `files.download`" in said(refused) and "operator" in said(refused)
    assert (await community.audit())[-1] == ("job.output", "denied")


async def test_words_in_a_log_page_by_page(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    began = clock.now() - timedelta(minutes=30)
    async with community.app.db.uow(system("test")) as tx:
        for number in range(12):
            values = {"ts": began + timedelta(seconds=number), "level": "error" if number == 11 else "info"}
            line = {"server": server, "message": f"chat: {number} **hello** @everyone"}
            await tx.session.execute(text(WRITE), {**values, **line})
    page = await community.mod.slash(community.general, "console search", server=server, text="chat: ")
    assert shown_to(page).ephemeral and "Log of EU #1" in said(page)
    assert re.findall(r"chat: (\d+)", said(page)) == [str(number) for number in reversed(range(2, 12))]
    assert "**error** chat: 11" in said(page) and "@everyone" not in said(page)
    older = await community.mod.click(shown_to(page), label="Older")
    assert re.findall(r"chat: (\d+)", said(older)) == ["1", "0"] and reading.buttons(shown_to(older)) == []
    none = await community.mod.slash(community.general, "console search", server="eu #1", text="chat", since="5 min")
    assert "No line with **chat**" in said(none)
    searched = [row for row in await community.audit() if row[0].startswith("console.")]
    assert searched == [("console.search", "success"), ("console.found", "success"), ("console.search", "success")]
