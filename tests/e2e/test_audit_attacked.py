"""What people try who want to leave no row, a row that nobody can read, or somebody's password in it."""

from typing import Any

from tests.e2e import forging
from tests.e2e.community import Community, Host, said
from tests.e2e.servers import add_server
from tests.e2e.test_audit_kinds import Log

NAMES = ("a\0b", "\ud800", "k" * 5_000, "token=hunter2")
SECRET = "password=hunter2"


async def test_forms_whose_entries_have_names_that_nobody_can_store(community: Community) -> None:
    log = Log(community)
    for route in ("my.forgotten:1", "abolished"):
        for name in NAMES:
            since = await log.newest()
            entries = {name: "x\0y\ud800", "words": "forget me"}
            act = forging.form(community.player, community.general, f"gk:{route}", entries)
            assert "Reference" in said(await forging.send(community.env, act))
            row = await log.one(since, route.split(":")[0], "failed")
            assert len(str(row.options)) < 1_000 and "hunter2" not in str(row.options)


async def test_commands_with_names_that_nobody_can_store(community: Community) -> None:
    log = Log(community)
    for name in NAMES:
        since = await log.newest()
        data: dict[str, Any] = {"id": "1", "name": name, "type": 1, "options": []}
        answer = await forging.send(community.env, forging.Act(community.player, community.general, 2, data))
        assert "comes from an older version" in said(answer)
        (row,) = await community.rows("select * from audit_logs where id > :since", since=since)
        assert len(row.command) < 1_000 and row.outcome == "failed" and "hunter2" not in row.command
    vars(community.env)["_errors"].clear()  # discord.py said that it did not know them


async def test_what_was_typed_is_in_no_refusal_that_is_kept(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    for name, options in [
        ("audit search", {"target": SECRET}),
        ("audit search", {"since": SECRET}),
        ("schedule add", {"action": "restart", "when": SECRET, "server": server}),
        ("server show", {"server": "https://eve:hunter2@example.org"}),
        ("job show", {"job": SECRET}),
    ]:
        await community.owner.slash(community.general, name, **options)
    for table in ("audit_logs", "notification_jobs"):
        assert not await community.rows(f"select * from {table} t where cast(t as text) like '%hunter2%'")


async def test_what_comes_while_the_bot_ends(community: Community) -> None:
    log = Log(community)
    await community.player.slash(community.general, "help")
    await community.app.client.gate.drain(0)
    for name in ("help", "status"):
        since = await log.newest()
        assert "The bot is restarting" in said(await community.player.slash(community.general, name))
        await log.one(since, name, "failed")
