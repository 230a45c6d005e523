"""One row for each interaction, of whatever kind and whatever comes of it; none for what is typed while choosing."""

import re
from typing import Any

import discord
from discord import app_commands
from sqlalchemy import text

from bot.gate import Call, Reply, gate
from bot.ui.cards import notice
from tests.e2e import forging
from tests.e2e.community import Community, Host, filled, said, shown_to
from tests.e2e.servers import add_server


class Log:
    """The audit log as a test follows it."""

    def __init__(self, community: Community) -> None:
        self.community = community

    async def newest(self) -> int:
        (row,) = await self.community.rows("select coalesce(max(id), 0) as id from audit_logs")
        return row.id

    async def one(self, since: int, command: str, outcome: str, action: str = "") -> Any:
        """The only row of a person since then: this one, whole."""
        rows = await self.community.rows(
            "select * from audit_logs where id > :since and actor_type = 'user' order by id", since=since
        )
        assert [(row.command, row.outcome) for row in rows] == [(command, outcome)], rows
        (row,) = rows
        assert row.action == (action or command.replace(" ", "."))
        assert row.correlation_id == f"{row.interaction_id:x}"
        assert row.channel_id and row.duration_ms is not None and row.actor_discord_id and row.actor_id
        assert bool(row.error) == (outcome != "success")
        return row


async def test_commands(community: Community, host: Host) -> None:
    log, server = Log(community), await add_server(community, host)
    for who, name, options, outcome, action in [
        (community.owner, "server list", {}, "success", ""),
        (community.owner, "notify add", {"name": "n", "purpose": "ops", "channel": community.ops}, "success", ""),
        (community.owner, "server restart", {"server": server}, "success", "server.restart.ask"),
        (community.owner, "server show", {"server": "nowhere"}, "failed", ""),
        (community.mod, "server restart", {"server": server}, "denied", ""),
        (community.mod, "job list", {}, "denied", ""),
    ]:
        since = await log.newest()
        answer = said(await who.slash(community.general, name, **options))
        row = await log.one(since, name, outcome, action)
        if outcome != "success":
            assert f"Reference: `{row.correlation_id}`" in answer and row.error in answer


async def test_a_command_that_we_do_not_know_or_that_lacks_an_option(community: Community) -> None:
    log = Log(community)
    leaf: list[dict[str, Any]] = [{"type": 1, "name": "show", "options": []}]
    for name, options in (("abolished", []), ("server", leaf)):
        since = await log.newest()
        data = {"id": "1", "name": name, "type": 1, "options": options}
        answer = await forging.send(community.env, forging.Act(community.owner, community.general, 2, data))
        assert "comes from an older version" in said(answer)
        await log.one(since, name, "failed")
    vars(community.env)["_errors"].clear()  # discord.py said that it did not know them


async def test_buttons(community: Community, host: Host) -> None:
    log, server = Log(community), await add_server(community, host)
    await community.set_up()
    shown = await community.owner.slash(community.general, "server show", server=server)
    since = await log.newest()
    await community.owner.click(shown_to(shown), label="Refresh")
    await log.one(since, "server.show", "success")

    asked = await community.mod.slash(community.general, "server restart", server=server)
    since = await log.newest()
    await community.mod.click(shown_to(asked), label="Never mind")
    await log.one(since, "confirm.dismiss", "success", "confirmation.dismiss")

    asked = await community.mod.slash(community.general, "server restart", server=server)
    since = await log.newest()
    await community.mod.click(shown_to(asked), label="Restart EU #1")
    row = await log.one(since, "confirm.press", "success", "server.restart")
    assert (row.resource_type, row.resource_id) == ("server", server) and row.details["jobId"]


async def test_a_question_of_somebody_else_and_one_that_is_over(community: Community, host: Host) -> None:
    log, server = Log(community), await add_server(community, host)
    await community.set_up()
    asked = shown_to(await community.mod.slash(community.general, "server stop", server=server))
    (button,) = [one for one in _custom_ids(asked) if one.startswith("gk:confirm.press:")]
    since = await log.newest()
    other = forging.component(community.owner, asked, community.general, button)
    assert "put to somebody else" in said(await forging.send(community.env, other))
    await log.one(since, "confirm.press", "failed")
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update pending_confirmations set expires_at = now() - interval '1 second'"))
    since = await log.newest()
    late = await community.mod.click(asked, label="Stop EU #1")
    assert "The two minutes for this are over" in said(late)
    await log.one(since, "confirm.press", "failed")
    (jobs,) = await community.rows("select count(*) as n from jobs where type = 'SERVER_STOP'")
    assert jobs.n == 0


def _custom_ids(message: Any) -> list[str]:
    return re.findall(r"gk:[^'\" ]+", str(message.components))


async def test_custom_ids_that_lead_nowhere(community: Community) -> None:
    log = Log(community)
    shown = shown_to(await community.owner.slash(community.general, "help"))
    for custom_id, command in [
        ("gk:abolished.route:1:2", "abolished.route"),
        ("nothing of ours", "?"),
        ("gk:confirm.press:nonsense", "confirm.press"),
    ]:
        for act in (
            forging.component(community.player, shown, community.general, custom_id),
            forging.component(community.player, shown, community.general, custom_id, kind=3, values=["x"]),
            forging.form(community.player, community.general, custom_id, {"name": "x"}),
        ):
            since = await log.newest()
            answer = said(await forging.send(community.env, act))
            row = await log.one(since, command, "failed")
            assert len(answer.splitlines()) == 3 and f"Reference: `{row.correlation_id}`" in answer


async def test_selects(community: Community) -> None:
    log = Log(community)
    await community.owner.slash(community.general, "help")
    page = await community.owner.slash(community.general, "audit search")
    since = await log.newest()
    await community.owner.select(shown_to(page), ["denied"])
    row = await log.one(since, "audit.result", "success")
    assert row.options["values"] == "denied"


async def test_forms(community: Community, host: Host) -> None:
    log = Log(community)
    since = await log.newest()
    new = {"host": host.id, "game": "teeworlds", "name": "EU #1"}
    form = await community.owner.slash(community.general, "fleet add", **new)
    await log.one(since, "fleet add", "success")
    since = await log.newest()
    await community.owner.submit_modal(form, filled(form, **{"var.port": "80"}))
    await log.one(since, "fleet.added", "failed")
    form = await community.owner.slash(community.general, "fleet add", **new)
    since = await log.newest()
    await community.owner.submit_modal(form, filled(form))
    row = await log.one(since, "fleet.added", "success", "fleet.add")
    assert row.resource_type == "server" and row.options["name"] == "EU #1"


async def test_context_menus(community: Community) -> None:
    @gate("players.view")
    async def profile(call: Call, user: discord.User) -> Reply:
        return Reply(notice(f"{call.actor.name} looks at {user.name}"))

    community.app.client.tree.add_command(app_commands.ContextMenu(name="Game profile", callback=profile))
    await community.app.client.register(anew=True)
    log = Log(community)
    for who, outcome in ((community.owner, "success"), (community.player, "denied")):
        since = await log.newest()
        await who.context_menu(community.general, "Game profile", community.mod)
        row = await log.one(since, "Game profile", outcome)
        assert row.options == {"user": str(community.mod.id)}


async def test_typing_leaves_nothing(community: Community, host: Host) -> None:
    await add_server(community, host)
    log = Log(community)
    since = await log.newest()
    for words in ("", "E", "EU"):
        await community.owner.autocomplete(community.general, "server show", "server", words)
    assert not await community.rows("select 1 from audit_logs where id > :since", since=since)


async def test_secrets_do_not_reach_the_log(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    await community.owner.slash(community.general, "console run", server=server, command="sv_rcon_password hunter2")
    await community.owner.slash(community.general, "announce", text="see https://eve:hunter2@example.org")
    await community.owner.slash(
        community.general, "mod upload", url="https://a.example/m.zip?sig=hunter2", sha256="0" * 64
    )
    form = await community.owner.slash(community.general, "fleet edit", server=server)
    await community.owner.submit_modal(form, filled(form, name="token=hunter2"))
    rows = await community.rows("select * from audit_logs where cast(audit_logs as text) like '%hunter2%'")
    assert rows == [], rows
