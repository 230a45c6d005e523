"""`/setup check` as staff meets it: what is wrong, in words; a button that mends it; and how it is then."""

from datetime import timedelta
from pathlib import Path

import discord
import pytest
from simcord.actors import MemberActor
from sqlalchemy import text

from agent import wire
from agent.host import Meter
from bot import clock
from bot.demo import reading
from bot.domain import checks_inside
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


@pytest.fixture(autouse=True)
def _any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the machine of the tests is busy or full is no news about the bot."""
    monkeypatch.setattr(checks_inside, "SLOW_ROUND_TRIP", 1e9)
    monkeypatch.setattr(checks_inside, "FREE_NOTED", 0)


async def check(community: Community) -> str:
    return said(await community.owner.slash(community.general, "setup check"))


async def mended(community: Community, label: str) -> str:
    """What the card says after its first button of this name was pressed."""
    card = await community.owner.slash(community.general, "setup check")
    (button, *_) = [part for part in reading.walk(shown_to(card)) if part.get("label") == label]
    return said(await community.owner.click(shown_to(card), custom_id=button["custom_id"]))


async def has(community: Community, statement: str, rows: int) -> bool:
    return len(await community.rows(statement)) == rows


async def settings(community: Community, command: str, **roles: bool) -> None:
    """What the guild sets for one of our commands, by the names of roles."""
    (found,) = [one for one in await community.app.client.tree.fetch_commands() if one.name == command]
    named = {"moderators": community.moderators, "everyone": community.guild.default_role}
    community.guild.set_command_permissions(found.id, {named[name]: shown for name, shown in roles.items()})


async def shut_out(community: Community, name: str, **rights: bool) -> discord.TextChannel:
    """A channel that bans are announced in, and then the bot's rights there are changed."""
    made = community.guild.create_text_channel(name)
    await community.owner.slash(community.general, "notify add", name=name, purpose="bans", channel=made)
    channel = community.app.client.get_channel(made.id)
    assert isinstance(channel, discord.TextChannel)
    await community.eventually(lambda: reading.text(made.history()[0]))
    await channel.set_permissions(channel.guild.me, overwrite=discord.PermissionOverwrite(**rights))
    return channel


async def test_a_fresh_guild_has_all_to_do_and_nothing_broken(community: Community) -> None:
    answer = await community.owner.slash(community.general, "setup check")
    assert shown_to(answer).ephemeral
    words = said(answer)
    assert words.startswith("### Nothing is broken, 7 things are worth knowing")
    for problem in ("**ops** has no channel", "**audit** has no channel", "There is no host", "No role makes anybody"):
        assert f"⚠ {problem}" in words
    assert (
        "✓ **The bot here** · it has [all it was invited with](https://discord.com/oauth2/authorize?client_id=" in words
    )
    assert "scope=bot+applications.commands&permissions=117760" in words
    for fine in ("**Commands** · those of this version", "duties are on time", "schema up to date", "no job is stuck"):
        assert fine in words
    assert await community.audit() == [("setup.check", "success")]


async def test_nothing_is_left_to_do_where_all_is_set_up(community: Community, host: Host) -> None:
    for _ in range(5):
        await mended(community, "Make a channel")
    rights = discord.Permissions(manage_guild=True, moderate_members=True, ban_members=True, view_audit_log=True)
    boss = community.guild.create_role("Boss", permissions=rights)
    await community.owner.slash(community.general, "access bind", role=boss, preset="admin")
    await add_server(community, host)
    words = await check(community)
    assert words.splitlines()[0] == "### Everything is fine", words
    assert "✓ **Channels** · 5 of 5 can be posted in" in words and "✓ **Hosts** · alpha online, on time" in words


async def test_a_channel_is_made_for_a_purpose(community: Community) -> None:
    words = await mended(community, "Make a channel")
    assert "There is a channel for ops" in words and "**ops** has no channel" not in words


async def test_the_bot_lets_itself_into_a_channel(community: Community) -> None:
    shut = await shut_out(community, "quiet", send_messages=False, read_message_history=False, add_reactions=False)
    problem = f"✗ <#{shut.id}> (**bans** quiet): the bot lacks Send Messages, so nothing appears there."
    assert problem in await check(community)
    words = await mended(community, "Let me in")
    assert f"The bot has its rights in <#{shut.id}>." in words and problem not in words
    own = shut.overwrites_for(shut.guild.me)
    assert own.send_messages and own.read_message_history and own.add_reactions is False, "the rest stays as it was"
    assert ("setup.rights", "success") in await community.audit()


async def test_what_the_bot_may_not_change_has_no_button(community: Community) -> None:
    hidden = await shut_out(community, "hidden", view_channel=False)
    answer = await community.owner.slash(community.general, "setup check")
    assert f"✗ <#{hidden.id}> (**bans** hidden): the bot lacks View Channels" in said(answer)
    assert "Let me in" not in reading.buttons(shown_to(answer))


async def test_a_channel_that_is_gone_is_made_again(community: Community) -> None:
    await community.set_up()
    channel = community.app.client.get_channel(community.ops.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    assert "✗ The channel for **ops** is gone." in await check(community)
    words = await mended(community, "Make it again")
    assert "There is a channel for ops" in words and "is gone" not in words


async def test_a_channel_that_was_switched_off_is_tried_again(community: Community) -> None:
    await community.set_up()
    community.env.inject_error("POST", f"/channels/{community.ops.id}/messages", status=403, code=50001)
    await community.owner.slash(community.general, "notify test", name="ops")

    async def off() -> bool:
        return "is switched off: Discord said 403" in await check(community)

    await community.eventually(off)
    words = await mended(community, "Try again")
    assert f"A test message is on its way to <#{community.ops.id}>" in words and "is switched off" not in words
    await community.message_with("A test, nothing has happened.")


async def test_messages_that_were_given_up_are_sent_again(community: Community) -> None:
    await community.set_up()
    await community.eventually(lambda: community.texts(community.ops))
    for status in (400, 400):
        community.env.inject_error("POST", f"/channels/{community.ops.id}/messages", status=status, code=50035)
        await community.owner.slash(community.general, "notify test", name="ops")
    failed = "select 1 from notification_jobs where status = 'failed'"
    await community.eventually(lambda: has(community, failed, 2))
    assert "2 messages were given up within a day." in await check(community)
    assert "2 messages are on the way again." in await mended(community, "Send again")
    await community.eventually(
        lambda: sum("nothing has happened" in one for one in community.texts(community.ops)) == 2
    )
    assert "given up" not in await check(community)


async def test_commands_that_are_not_those_of_this_version(community: Community) -> None:
    application = community.app.client.application_id or 0
    await community.app.services.state.remember_tree(application, "of another version", {})
    assert "✗ Discord has other commands than this version." in await check(community)
    words = await mended(community, "Register again")
    assert "The commands are registered" in words and "✓ **Commands** · those of this version" in words
    assert ("setup.commands", "success") in await community.audit()


async def test_commands_that_discord_hides_from_those_who_may_use_them(community: Community) -> None:
    await community.set_up()
    assert "shown to those who may use them" in await check(community)
    await settings(community, "server", moderators=False)
    words = await check(community)
    assert "⚠ Discord hides `/server` from **Moderator**, who may use it." in words
    assert "Server Settings, Integrations" in words and "Discord lets no bot change this." in words
    await settings(community, "server", moderators=True)
    await settings(community, "status", everyone=False)
    words = await check(community)
    assert (
        "Discord hides `/status` from **Moderator**" in words and "Discord hides `/status` from **everybody**" in words
    )


async def test_what_discord_does_not_say_is_said(community: Community) -> None:
    guild, application = community.guild.id, community.app.client.application_id
    path = f"/applications/{application}/guilds/{guild}/commands/permissions"
    community.env.inject_error("GET", path, status=403, code=50001)
    words = await check(community)
    assert "⚠ Discord did not say whom it shows them to." in words and "those of this version" in words
    community.env.inject_error("GET", f"/applications/{application}/commands", status=403, code=50001)
    assert "⚠ Discord did not say which commands it has." in await check(community)


async def test_many_problems_take_several_pages(community: Community) -> None:
    for number in range(6):
        doomed = community.guild.create_text_channel(f"doomed-{number}")
        given = {"name": f"n{number}", "purpose": "alerts", "channel": doomed}
        await community.owner.slash(community.general, "notify add", **given)
        channel = community.app.client.get_channel(doomed.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.delete()
    first = await community.owner.slash(community.general, "setup check")
    assert "6 things are broken, 6 things are worth knowing" in said(first) and "✓ **Database**" in said(first)
    second = await community.owner.click(shown_to(first), label="Next (1 of 2)")
    assert "There is no host." in said(second) and "is gone" not in said(second)
    again = await community.owner.click(shown_to(second), label="Previous")
    assert said(again).count("is gone") == 6


async def test_hosts_that_are_late_old_or_silent(community: Community, host: Host) -> None:
    await add_server(community, host)
    metrics = Meter(Path("/")).metrics()
    late = clock.now() + timedelta(minutes=10, seconds=20)
    beat = wire.Heartbeat(agent_version="0.0.1", games=host.games, metrics=metrics, servers=[], sent_at=late)
    status, _ = await host.call("POST", "heartbeat", beat)
    assert status == 200
    words = await check(community)
    assert "✗ The clock of **alpha** is 10 minutes ahead." in words
    assert "⚠ **alpha** has agent 0.0.1, the bot is" in words
    async with community.app.db.statement() as session:
        silent = "update hosts set status = 'offline', offline_since = now() - interval '3 hours 1 minute'"
        await session.execute(text(silent))
    assert "✗ **alpha** is silent for 3 hours." in await check(community)


async def viewer(community: Community) -> MemberActor:
    """A moderator who sees `/setup` in Discord: may look, and mend nothing."""
    await community.set_up()
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    return community.guild.add_member(community.env.create_user("vera"), roles=[community.moderators, manager])


async def test_who_may_look_is_shown_no_button_that_would_refuse_them(community: Community) -> None:
    vera = await viewer(community)
    answer = await vera.slash(community.general, "setup check")
    assert "**bans** has no channel" in said(answer)
    assert reading.buttons(shown_to(answer)) == ["Check again"]
    again = await vera.click(shown_to(answer), label="Check again")
    assert "**bans** has no channel" in said(again)


async def test_a_button_whose_permission_was_taken_meanwhile(community: Community) -> None:
    vera = await viewer(community)
    await community.owner.slash(community.general, "access bind", role=community.moderators, preset="admin")
    answer = await vera.slash(community.general, "setup check")
    assert "Make a channel" in reading.buttons(shown_to(answer))
    await community.owner.slash(community.general, "access bind", role=community.moderators, preset="moderator")
    await community.app.db.catch_up()
    pressed = await vera.click(shown_to(answer), custom_id="gk:check.fix:make:bans:0")
    assert "You need the permission `settings.edit`" in said(pressed)
    assert ("check.fix", "denied") in await community.audit()
    assert "**bans** has no channel" in await check(community)
