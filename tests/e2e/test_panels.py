"""/panel: a board that shows how servers are, and goes on doing so whatever becomes of its message."""

from datetime import timedelta
from uuid import UUID

import discord
import pytest
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online, up

ADDRESS = "203.0.113.7"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boards are edited as often as anything else, so that tests need not wait."""
    monkeypatch.setattr("bot.services.outbox.EDIT_EVERY_BOARD", timedelta(seconds=0.1))
    monkeypatch.setattr("bot.services.outbox.EDIT_EVERY", timedelta(seconds=0.1))


@pytest.fixture
async def server(community: Community, host: Host) -> str:
    await community.set_up()
    return await add_server(community, host)


def boards(community: Community) -> list[discord.Message]:
    return [one for one in community.general.history() if "Last change" in reading.text(one)]


async def shows(community: Community, *words: str) -> str:
    """Waits until the only board says these words; all that it says."""

    def look() -> str | None:
        found = boards(community)
        assert len(found) == 1
        said_there = reading.text(found[0])
        return said_there if all(word in said_there for word in words) else None

    return await community.eventually(look)


async def changed(community: Community, statement: str) -> None:
    """What time or somebody else does to the database, and the look that notices it."""
    async with community.app.work_db.statement() as session:
        await session.execute(text(statement))
    await community.tick("panels.refresh")


async def tag(community: Community, server: str) -> None:
    await changed(
        community,
        f"""insert into server_tags (org_id, server_instance_id, tag)
            select org_id, id, 'eu' from server_instances where id = '{server}'""",
    )


async def create(community: Community, **options: object) -> str:
    return said(await community.owner.slash(community.general, "panel create", channel=community.general, **options))


async def test_a_board_lives(community: Community, host: Host, server: str) -> None:
    """What people see of a server that changes: one message, edited."""
    assert "A board goes to" in await create(community)
    await shows(community, "🟢 **EU #1** · up · 0/8")
    (first,) = boards(community)
    await up(host, server, online("eve", ADDRESS), map="ctf5")
    shown = await shows(community, "up · 1/8 · map ctf5")
    for secret in (server, "alpha", ADDRESS, "8303", "eve"):
        assert secret not in shown
    await host.beat(wire.ServerReport(id=UUID(server), state="crashed", note=f"ended at {ADDRESS}"))
    assert ADDRESS not in await shows(community, "🔴 **EU #1** · crashed")
    await changed(community, "update hosts set last_heartbeat_at = last_heartbeat_at - interval '40 seconds'")
    await shows(community, "🟡 **EU #1** · checking…", "last seen <t:")
    await changed(community, "update hosts set last_heartbeat_at = last_heartbeat_at - interval '10 minutes'")
    await community.tick("hosts.sweep")
    async with community.app.work_db.statement() as session:  # the tick itself waits before it concludes anything
        await session.execute(text("update hosts set status = 'offline', offline_since = last_heartbeat_at"))
    await changed(community, "select 1")
    await shows(community, "🟠 **EU #1** · host offline")
    await up(host, server)
    await shows(community, "🟢 **EU #1** · up · 0/8")
    (last,) = boards(community)
    assert last.id == first.id


async def test_the_next_restart_and_an_open_incident(community: Community, host: Host, server: str) -> None:
    await create(community, server=server)
    await shows(community, "### EU #1")
    await changed(
        community,
        """insert into incidents (org_id, number, server_instance_id, title, severity, source)
           select org_id, 12, id, 'secret 203.0.113.7', 'high', 'manual' from server_instances""",
    )
    assert ADDRESS not in await shows(community, "🚨 I-12 since <t:")
    await changed(community, "update incidents set status = 'resolved', resolved_at = now()")
    await community.eventually(lambda: "I-12" not in reading.text(boards(community)[0]))
    await changed(
        community,
        """insert into jobs (org_id, number, server_instance_id, host_id, type, payload, status, not_before, created_at)
           select s.org_id, 77, s.id, s.host_id, 'SERVER_RESTART', '{"type": "SERVER_RESTART"}', 'queued',
                  now() + interval '1 hour', now() from server_instances s""",
    )
    await shows(community, "next restart <t:")


@pytest.mark.parametrize(("action", "words"), [("restart", "next restart <t:"), ("stop", "stops <t:")])
async def test_what_is_planned(community: Community, host: Host, server: str, action: str, words: str) -> None:
    await create(community)
    await up(host, server, online("eve", ADDRESS))
    asked = await community.owner.slash(community.general, f"server {action}", server=server)
    await community.owner.click(shown_to(asked), label="In 15 min with countdown")
    await community.tick("panels.refresh")
    await shows(community, words)
    await community.owner.slash(community.general, "server cancel", server=server)
    await community.tick("panels.refresh")
    await community.eventually(lambda: words not in reading.text(boards(community)[0]))


async def test_nothing_is_edited_while_nothing_changes(community: Community, host: Host, server: str) -> None:
    await create(community)
    await shows(community, "up · 0/8")
    edited = boards(community)[0].edited_at
    for _ in range(3):
        await up(host, server)
        await community.tick("panels.refresh")
    done = "select count(*) as n from notification_jobs where status in ('pending', 'processing')"

    async def quiet() -> bool:
        return (await community.rows(done))[0].n == 0

    await community.eventually(quiet)
    assert boards(community)[0].edited_at == edited


async def test_boards_of_a_tag_and_of_a_server(community: Community, host: Host, server: str) -> None:
    other = await add_server(community, host, "US #2")
    assert "No server has the tag eu" in await create(community, tag="eu")
    await tag(community, server)
    assert "A board goes to" in await create(community, tag="EU")
    shown = await shows(community, "### eu", "EU #1")
    assert "US #2" not in shown
    await tag(community, other)
    await shows(community, "EU #1", "US #2")
    assert "of one server or of a tag" in await create(community, tag="eu", server=server)


async def test_what_is_refused(community: Community, host: Host, server: str) -> None:
    assert community.app.client.user is not None
    quiet = {community.app.client.user: discord.PermissionOverwrite(send_messages=False)}
    silent = community.guild.create_text_channel("silent", overwrites={**quiet})
    refused = await community.owner.slash(community.general, "panel create", channel=silent)
    assert "I may not post in" in said(refused) and "Send Messages" in said(refused)
    assert "There is no such server here" in await create(community, server="12345678-1234-1234-1234-123456789abc")
    await create(community)
    assert "has this board already" in await create(community)
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    nina = community.guild.add_member(community.env.create_user("nina"), roles=[manager])
    refused = await nina.slash(community.general, "panel create", channel=community.general)
    assert "You need the permission `servers.edit`" in said(refused)
    refused = await community.owner.slash(community.general, "panel remove", panel="nonsense")
    assert "There is no such board here" in said(refused)


async def test_somebody_deletes_it_twice(community: Community, host: Host, server: str) -> None:
    """It comes back once; then the list says why it stays away, and how to have it again."""
    await create(community)
    await shows(community, "up · 0/8")
    (first,) = boards(community)
    await first.delete()
    await up(host, server, online("eve", ADDRESS))
    await shows(community, "up · 1/8")
    (second,) = boards(community)
    assert second.id != first.id
    await second.delete()
    await up(host, server)

    async def off() -> bool:
        listed = said(await community.owner.slash(community.general, "panel list"))
        return "switched off" in listed and "deleted twice" in listed and "/panel create" in listed

    await community.eventually(off)
    assert boards(community) == []
    assert "A board goes to" in await create(community)
    await shows(community, "up · 0/8")


async def test_its_channel_is_gone(community: Community, host: Host, server: str) -> None:
    boards_channel = community.guild.create_text_channel("boards")
    await community.owner.slash(community.general, "panel create", channel=boards_channel)
    await community.eventually(lambda: len(boards_channel.history()) == 1)
    channel = community.app.client.get_channel(boards_channel.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    await up(host, server, online("eve", ADDRESS))

    async def off() -> bool:
        return "switched off" in said(await community.owner.slash(community.general, "panel list"))

    await community.eventually(off)


async def test_it_is_removed_with_its_message(community: Community, host: Host, server: str) -> None:
    await create(community)
    await shows(community, "up · 0/8")
    ((panel,),) = await community.rows("select id from bot_messages where kind = 'panel'")

    async def removed() -> bool:
        # Discord shows the message before the bot has written down that it is posted; until then it says so.
        answer = said(await community.owner.slash(community.general, "panel remove", panel=str(panel)))
        assert "The board is removed" in answer or "just being posted" in answer, answer
        return "The board is removed" in answer

    await community.eventually(removed)
    await community.eventually(lambda: boards(community) == [])

    async def forgotten() -> bool:
        return await community.rows("select id from bot_messages where kind = 'panel'") == []

    await community.eventually(forgotten)
    assert "There is none yet" in said(await community.owner.slash(community.general, "panel list"))
    assert ("panel.create", "success") in await community.audit()
    assert ("panel.remove", "success") in await community.audit()


async def test_a_hostile_name_pings_nobody(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host, name="@everyone **x**")
    await create(community)
    await up(host, server, map="[free](https://evil.example)")
    shown = await shows(community, "map")
    assert "@everyone" not in shown and "https://evil" not in shown and "**x**" not in shown
    (board,) = boards(community)
    assert not board.mention_everyone
