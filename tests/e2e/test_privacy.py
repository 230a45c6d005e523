"""/my export and /my forget: what people get of their own data, and what is left when they are forgotten."""

import json
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.results import InteractionResult
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from bot.demo.simcord_private.env import owner_of
from bot.services.privacy import WORDS
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up

NAME = "zz-marker-of-vera"
STAYS = {
    "audit_logs": "audit logs",
    "notification_jobs": "its copy of that for 30 days",
    "users": "your Discord id with it: Dust & Iron (1 denial and 1 role on a server)",
}
"""Where somebody may still be found afterwards, and the words that told them so."""


@pytest.fixture
async def vera(community: Community) -> MemberActor:
    """An administrator of our own making, whom Discord shows every command."""
    permissions = discord.Permissions(manage_guild=True, moderate_members=True, ban_members=True, view_audit_log=True)
    role = community.guild.create_role("Staff", permissions=permissions)
    member = community.guild.add_member(community.env.create_user(NAME), roles=[role])
    await community.set_up()
    await community.owner.slash(community.general, "access grant", member=member, role="admin")
    return member


@pytest.fixture
async def busy(community: Community, host: Host, vera: MemberActor) -> str:
    """What Vera leaves behind in a day; the id of a server."""
    server = await add_server(community, host)
    await another(community)

    async def do(name: str, /, **options: Any) -> InteractionResult:
        return await vera.slash(community.general, name, **options)

    for who in ("allow", "deny"):
        options = {"member": vera, "permission": "servers.wipe" if who == "allow" else "servers.kill"}
        await community.owner.slash(community.general, f"access {who}", **options)
    await community.owner.slash(community.general, "access grant", member=vera, role="operator", server=server)
    await up(host, server, online("fae", "127.0.0.5"), online("eve", "127.0.0.6", "1"))
    (fae,) = await community.owner.autocomplete(community.general, "player link", "player", "fae")
    await community.owner.slash(community.general, "player link", player=fae["value"], member=vera)
    banned = await community.owner.slash(
        community.general, "ban add", player=fae["value"], reason="rude", note="snitch"
    )
    await community.owner.click(shown_to(banned), label=ban_button(banned))
    asked = await do("server restart", server=server, when="in 5 minutes")
    await vera.click(shown_to(asked), label="Restart EU #1")
    await do("server cancel", server=server)
    await do("console run", server=server, command="status")
    (running,) = [job for job in await host.claim() if job["params"]["type"] == "CONSOLE_COMMAND"]
    await host.progress(running, wire.Step.STARTED)
    await do("job cancel", job=f"J-{running['number']}")
    await host.result(running, "cancelled")
    await do("schedule add", action="restart", when="every day at 4", server=server)
    await do("notify add", name="night", purpose="ops", channel=community.ops)
    await do("notify test", name="night")
    await do("alert test", rule="host")
    await do("server stop", server=server)
    return server


async def another(community: Community) -> None:
    """Makes somebody else an administrator, too."""
    await community.owner.slash(community.general, "access grant", member=community.player, role="admin")


def ban_button(asked: InteractionResult) -> str:
    """The verb under the preview of a ban."""
    return next(label for label in reading.buttons(shown_to(asked)) if label.startswith("Ban"))


async def forget(who: Any, shown: InteractionResult, words: str = WORDS) -> str:
    """Presses the button under a plan and types the words."""
    form = await who.click(shown_to(shown), label="Forget me")
    return said(await who.submit_modal(form, {"words": words}))


async def found(community: Community, *marks: str) -> dict[str, set[str]]:
    """Tables that hold one of the marks in any column that can hold a word, a number or JSON, with these columns."""
    columns = await community.rows(
        """select c.table_name, c.column_name from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
            where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
              and c.data_type in ('text', 'character varying', 'bigint', 'numeric', 'json', 'jsonb', 'ARRAY')"""
    )
    assert len({row.table_name for row in columns}) > 30
    hits: dict[str, set[str]] = {}
    for row in columns:
        (count,) = await community.rows(
            f"select count(*) as n from {row.table_name} where cast({row.column_name} as text) like any(:marks)",
            marks=[f"%{mark}%" for mark in marks],
        )
        if count.n:
            hits.setdefault(row.table_name, set()).add(row.column_name)
    return hits


async def test_forgotten_is_forgotten_in_every_table(community: Community, busy: str, vera: MemberActor) -> None:
    before = await found(community, NAME, str(vera.id))
    assert before.keys() >= {"users", "audit_logs"}, "the search finds what is there"
    (old,) = await community.rows("select id from users where username = :name", name=NAME)
    rows = await community.rows("select count(*) as n from audit_logs")
    plan = await vera.slash(community.general, "my forget")
    for words in ("your role admin", "1 exception", "the link to fae", "questions to confirm"):
        assert words in said(plan), said(plan)
    told = said(plan)
    assert "You are forgotten" in await forget(vera, plan)
    left = await found(community, NAME, str(vera.id))
    assert left.keys() <= STAYS.keys(), left
    assert all(words in told for table, words in STAYS.items() if table in left)
    (user,) = await community.rows("select * from users where id = :id", id=old.id)
    assert (user.discord_user_id, user.username, user.display_name) == (None, "deleted", None) and user.forgotten_at
    assert left["users"] == {"discord_user_id"}, "what holds somebody back knows whom, and no more"
    for table in ("user_orgs", "user_permissions", "user_server_roles", "pending_confirmations", "players"):
        assert not await community.rows(f"select 1 from {table} where user_id = :id", id=old.id), table
    (now,) = await community.rows("select count(*) as n from audit_logs")
    assert now.n > rows[0].n, "nothing left the log"
    (entry,) = await community.rows("select actor_id, actor_discord_id from audit_logs where action = 'user.forget'")
    assert (entry.actor_id, entry.actor_discord_id) == (old.id, None)


async def test_whoever_comes_back_is_somebody_new(community: Community, busy: str, vera: MemberActor) -> None:
    plan = await vera.slash(community.general, "my forget")
    await forget(vera, plan)
    await community.app.work_db.catch_up()
    refused = said(await vera.slash(community.general, "config show"))
    assert "You need the permission `settings.view`" in refused, "the rights went at once"
    refused = said(await vera.slash(community.general, "server kill", server=busy, reason="x"))
    assert "An exception takes it from you" in refused, "what holds somebody back did not"
    assert "rude" not in said(await vera.slash(community.general, "my bans"))
    users = await community.rows("select username, forgotten_at from users where username in ('deleted', :n)", n=NAME)
    assert len(users) == 2 and sorted(bool(user.forgotten_at) for user in users) == [False, True]
    shown = said(await community.owner.slash(community.general, "audit search", result="success"))
    assert "deleted" in shown, "what was done has somebody who did it"


async def test_an_export_is_whole_and_one_s_own(community: Community, busy: str, vera: MemberActor) -> None:
    shown = await vera.slash(community.general, "my export")
    (file,) = shown_to(shown).attachments
    assert shown_to(shown).ephemeral and file.filename.startswith("my-data-")
    data = json.loads(await file.read())
    assert data["account"]["username"] == NAME and data["account"]["discord_id"] == vera.id
    assert [(one["name"], one["role"]) for one in data["communities"]] == [("Dust & Iron", "admin")]
    assert [(one["server"], one["role"]) for one in data["serverRoles"]] == [("EU #1", "operator")]
    assert sorted((one["permission"], one["allowed"]) for one in data["exceptions"]) == [
        ("servers.kill", False),
        ("servers.wipe", True),
    ]
    (player,) = data["players"]
    assert player["name"] == "fae" and [one["name"] for one in player["names"]] == ["fae"]
    assert [one["player"] for one in data["sessions"]] == ["fae"]
    (ban,) = data["bans"]
    assert ban["reason"] == "rude" and "snitch" not in json.dumps(data), "what staff wrote for staff is not in it"
    assert "127.0.0.5" not in json.dumps(data) and "eve" not in {one["name"] for one in data["players"]}
    actions = [entry["action"] for entry in data["auditEntries"]]
    assert "server.restart.plan" in actions and "fleet.add" not in actions
    assert {entry["actor_discord_id"] for entry in data["auditEntries"]} == {vera.id}
    assert data["confirmations"]


async def test_alone_with_the_bot_it_is_about_every_community(community: Community, vera: MemberActor) -> None:
    guild = community.env.create_guild("Elsewhere", owner=community.env.create_user("zoe"))
    channel = guild.create_text_channel("general")
    there = guild.add_member(vera.user)
    await another(community)
    await vera.slash(community.general, "status")
    await there.slash(channel, "help")
    here = json.loads(await shown_to(await vera.slash(community.general, "my export")).attachments[0].read())
    assert [one["name"] for one in here["communities"]] == ["Dust & Iron"]
    assert "help" not in {entry["action"] for entry in here["auditEntries"]}
    alone = await vera.user.slash("my export")
    data = json.loads(await shown_to(alone).attachments[0].read())
    assert {one["name"] for one in data["communities"]} == {"Dust & Iron", "Elsewhere"}
    assert {"help", "status", "my.export"} <= {entry["action"] for entry in data["auditEntries"]}
    plan = await vera.user.slash("my forget")
    assert "Dust & Iron" in said(plan) and "Elsewhere: that you were there" in said(plan)
    assert "You are forgotten" in await forget(vera.user, plan)
    logs = await community.rows("select org_id, actor_type from audit_logs where action = 'user.forget'")
    assert sorted((row.org_id is None, row.actor_type) for row in logs) == [
        (False, "system"),
        (False, "system"),
        (True, "user"),
    ]
    assert (await found(community, NAME, str(vera.id))).keys() <= STAYS.keys()
    assert owner_of(guild)


async def test_the_last_administrator_is_not_forgotten_unnoticed(community: Community, vera: MemberActor) -> None:
    plan = await vera.slash(community.general, "my forget")
    refused = await forget(vera, plan)
    assert "You are the last administrator of Dust & Iron; nothing was forgotten." in refused
    assert "`/access grant`" in refused
    await another(community)
    assert "You are forgotten" in await forget(vera, await vera.slash(community.general, "my forget"))


async def test_an_owner_is_told_that_nobody_is_left(community: Community) -> None:
    await community.owner.slash(community.general, "access grant", member=community.owner, role="admin")
    done = await forget(community.owner, await community.owner.slash(community.general, "my forget"))
    assert "You are forgotten" in done and "can change rights in Dust & Iron now" in done


async def test_other_words_and_late_ones_forget_nobody(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = await community.player.slash(community.general, "my forget")
    assert "That is not `forget me`" in await forget(community.player, plan, "forget me not")
    form = await community.player.click(shown_to(plan), label="Forget me")
    monkeypatch.setattr("bot.services.privacy.PATIENCE", -1)
    late = said(await community.player.submit_modal(form, {"words": "Forget  Me"}))
    assert "The two minutes for this are over" in late
    (user,) = await community.rows("select count(*) as n from users where forgotten_at is not null")
    assert user.n == 0


async def test_the_log_itself_cannot_be_rewritten(community: Community) -> None:
    await community.player.slash(community.general, "help")
    for change in ("actor_discord_id = null", "options = '{}'", "error = 'x'"):
        with pytest.raises(Exception, match="append-only"):
            async with community.app.db.engine.begin() as connection:
                await connection.execute(text(f"update audit_logs set {change}"))
    async with community.app.db.engine.begin() as connection:
        await connection.execute(text("update audit_logs set actor_id = null, org_id = null"))
