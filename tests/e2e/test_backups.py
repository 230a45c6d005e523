"""/backup and schedules that make backups, with a host that speaks the protocol."""

from typing import Any

from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server

MADE = wire.SaveBackupResult(size_bytes=3 << 20, sha256="ab" * 32, files=34)


async def done(host: Host, job: dict[str, Any], **changed: Any) -> None:
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, output="Packed 34 files.", result=MADE.dump() | changed)


async def test_a_schedule_makes_backups_and_the_host_drops_what_it_is_told(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host, game="7dtd")
    options = {"action": "backup", "when": "every day at 4", "server": server, "name": "nightly"}
    asked = await community.owner.slash(community.general, "schedule add", **options)
    assert "nightly is saved" in said(await community.owner.click(shown_to(asked), label="Save"))
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update server_instances set backup_keep = 1"))
    made: list[str] = []
    for night in range(3):
        async with community.app.db.engine.begin() as connection:
            due = "update schedules set next_run_at = now() - interval '5 seconds' where enabled"
            await connection.execute(text(due))
        await community.tick("schedules.due")
        (job,) = await host.claim()
        assert job["params"]["type"] == "SAVE_BACKUP" and job["params"]["drop"] == made[-2:-1], night
        made.append(job["params"]["backupId"])
        await done(host, job, dropped=job["params"]["drop"])
    assert len(set(made)) == 3, "each run makes one of its own"
    listed = said(await community.mod.slash(community.general, "backup list", server=server))
    assert listed.count("complete") == 1 and "3.0 MiB in 34 files" in listed and "The newest is kept" in listed
    assert "last done" in said(await community.owner.slash(community.general, "schedule list"))


async def test_what_failed_is_said_and_who_may_not_does_not(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host, game="7dtd")
    shown = said(await community.mod.slash(community.general, "backup create", server=server))
    again = said(await community.mod.slash(community.general, "backup create", server=server))
    assert "Backing up EU #1" in shown and "J-2 is waiting or under way already" in again
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job, "failed", error="There is no room for it on the host. @everyone")
    message = await community.message_with("There is no room")
    assert "@everyone" not in reading.text(message) and "Retry" in reading.buttons(message)
    listed = said(await community.mod.slash(community.general, "backup list", server=server))
    assert "**failed**" in listed and "There is no room for it" in listed and "@everyone" not in listed
    for command in ("backup create", "backup list"):
        denied = await community.mod.slash(community.general, command, server="EU #9")
        assert "There is no such server here" in said(denied)
    teeworlds = await add_server(community, host, "Arena")
    refused = said(await community.mod.slash(community.general, "backup create", server=teeworlds))
    assert "does not support `backup` here" in refused
