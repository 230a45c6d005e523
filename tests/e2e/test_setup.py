"""`/setup start` as an owner meets it: every choice counts at once, and it can be left and resumed at any step."""

import re
from typing import Any

import discord
import pytest
import simcord
from simcord.results import InteractionResult

from agent import wire
from bot.demo import reading
from bot.guilds import DiscordGuilds
from bot.services.guilds import ChannelPlan
from tests.e2e.community import Community, Host, filled, said, shown_to


async def begun(community: Community, *labels: str) -> InteractionResult:
    """The wizard, after these buttons."""
    card = await community.owner.slash(community.general, "setup start")
    for label in labels:
        card = await community.owner.click(shown_to(card), label=label)
    return card


def chosen(card: InteractionResult) -> dict[str, list[int]]:
    """What each menu of a card shows as chosen."""
    return reading.chosen(shown_to(card))


async def pairs(community: Community, name: str, token: str) -> Host:
    """A host with the token that the card shows."""
    host = Host(community, name)
    request = wire.PairRequest(token=token, hostname="box", agent_version="1", games=host.games)
    status, answer = await host.call("POST", "pair", request)
    assert status == 200, answer
    host.key, host.id = answer["agentKey"], answer["hostId"]
    return host


def menu(card: InteractionResult, preset: str = "moderator") -> str:
    """The custom_id of the menu for a preset."""
    return reading.role_menu(shown_to(card), preset)


async def test_from_nothing_to_done(community: Community) -> None:
    owner = community.owner
    card = await begun(community)
    assert shown_to(card).ephemeral and "Step 1 of 6 · **The clock**" in said(card) and "It is **UTC**" in said(card)
    card = await owner.select(shown_to(card), ["Europe/Berlin"], custom_id="gk:setup.zone")
    assert "It is **Europe/Berlin**, where it is" in said(card)
    card = await owner.click(shown_to(card), label="Next")
    assert "Step 2 of 6" in said(card) and "**suggested**, not in force yet" in said(card)
    card = await owner.click(shown_to(card), label="Use these")
    assert chosen(card)[menu(card)] == [community.moderators.id] and "suggested" not in said(card)
    card = await owner.click(shown_to(card), label="Next")
    for purpose in ("ops", "alerts", "bans", "audit", "players"):
        card = await owner.select(shown_to(card), [community.ops], custom_id=f"gk:setup.channel:{purpose}")
    await community.message_with("Messages for players arrive here.")
    card = await owner.click(shown_to(card), label="Next")
    form = await owner.click(shown_to(card), label="Pair a host")
    card = await owner.submit_modal(form, filled(form, name="alpha"))
    found = re.search(r"gamekeeper-agent pair \S+ (\S+)", said(card))
    assert found and shown_to(card).ephemeral
    waiting = await owner.click(shown_to(card), label="Refresh")
    assert "alpha has not connected yet." in said(waiting) and found[0] in reading.text(shown_to(card)), "it stays"
    host = await pairs(community, "alpha", found[1])
    waiting = await owner.click(shown_to(card), label="Refresh")
    assert "gamekeeper-agent run" in said(waiting)
    await host.beat()
    card = await owner.click(shown_to(card), label="Refresh")
    assert "alpha is connected." in said(card) and found[1] not in said(card)
    card = await owner.click(shown_to(card), label="Next")
    form = await owner.click(shown_to(card), label="Teeworlds on alpha")
    card = await owner.submit_modal(form, filled(form, name="EU #1"))
    assert "Setting up EU #1 on alpha" in said(card) and "1 server here" in said(card)
    card = await owner.click(shown_to(card), label="Next")
    assert "Step 6 of 6" in said(card) and "Nothing is missing." in said(card)
    card = await owner.click(shown_to(card), label="Send a test message")
    assert "A test message is on its way for alerts, audit, bans, ops, players." in said(card)
    await community.message_with("A test, nothing has happened.")
    rows = [action for action, outcome in await community.audit() if outcome == "success"]
    assert [action for action in rows if action not in ("setup.go", "setup.next", "setup.show", "setup.paired")] == [
        "setup.start", "setup.zone", "setup.bind", *["setup.channel"] * 5, "setup.host_form", "host.add",
        "setup.server", "fleet.add", "setup.test",
    ]  # fmt: skip


async def test_it_goes_on_after_a_restart_of_the_bot_and_at_the_first_open_step(community: Community) -> None:
    card = await begun(community, "Skip")
    await community.env.restart_bot(community.app.remade_client())
    card = await community.owner.select(shown_to(card), [community.moderators], custom_id=menu(card))
    assert chosen(card)[menu(card)] == [community.moderators.id]
    card = await begun(community)
    assert "Step 3 of 6" in said(card), "the clock was left out on purpose, the roles are bound"
    card = await community.owner.click(shown_to(card), label="Skip")
    assert "Step 4 of 6" in said(card)
    assert "Step 4 of 6" in said(await begun(community))
    back = await begun(community, "Back", "Back")
    assert chosen(back)[menu(back)] == [community.moderators.id]


async def test_the_clock_can_be_typed(community: Community) -> None:
    card = await begun(community)
    form = await community.owner.click(shown_to(card), label="Type it")
    wrong = await community.owner.submit_modal(form, {"zone": "Atlantis"})
    assert "Atlantis is no time zone" in said(wrong) and "Step 1 of 6" in reading.text(shown_to(card))
    form = await community.owner.click(shown_to(card), label="Type it")
    card = await community.owner.submit_modal(form, {"zone": "los angeles"})
    assert "It is **America/Los Angeles**" in said(card)
    (row,) = await community.rows("select details from audit_logs where action = 'setup.zone' and outcome = 'success'")
    assert row.details == {"before": "UTC", "after": "America/Los_Angeles"}


async def test_a_moderator_may_act_as_soon_as_the_role_is_bound(community: Community) -> None:
    refused = await community.mod.slash(community.general, "job list")
    assert "You need the permission `jobs.view`" in said(refused)
    await community.set_up()
    allowed = await community.mod.slash(community.general, "job list")
    assert "No job is like that." in said(allowed)
    card = await begun(community, "Back")
    await community.owner.select(shown_to(card), [], custom_id=menu(card))

    async def refused_again() -> bool:
        again = await community.mod.slash(community.general, "job list")
        return "You need the permission `jobs.view`" in said(again)

    await community.eventually(refused_again)  # the news travels to every process


async def test_suggestions_are_only_those_that_were_shown(community: Community) -> None:
    card = await begun(community, "Skip")
    late = community.guild.create_role("Late", permissions=discord.Permissions(manage_guild=True))
    refused = await community.owner.click(shown_to(card), label="Use these")
    assert "The roles have changed meanwhile." in said(refused)
    card = await community.owner.click(shown_to(card), label="Refresh")
    assert chosen(card)[menu(card, "admin")] == [late.id]
    await community.owner.click(shown_to(card), label="Use these")
    rows = await community.rows("select discord_role_id from role_bindings order by 1")
    assert {row.discord_role_id for row in rows} == {late.id, community.moderators.id, community.guild.id}


async def test_an_old_menu_undoes_nothing(community: Community) -> None:
    card = await begun(community, "Skip")
    late = community.guild.create_role("Late")
    await community.owner.slash(community.general, "access bind", role=late, preset="moderator")
    refused = await community.owner.select(shown_to(card), [community.moderators], custom_id=menu(card))
    assert "The roles have changed meanwhile." in said(refused)
    card = await community.owner.click(shown_to(card), label="Refresh")
    assert chosen(card)[menu(card)] == [late.id]


async def test_everyone_sees_servers_until_the_owner_says_no(community: Community) -> None:
    card = await begun(community, "Skip")
    card = await community.owner.click(shown_to(card), label="Let only staff see servers")
    refused = await community.player.slash(community.general, "players")
    assert "You need the permission `servers.view`" in said(refused)
    await community.owner.click(shown_to(card), label="Let everyone see servers")
    assert "permission" not in said(await community.player.slash(community.general, "players"))


async def test_everyone_cannot_be_made_staff(community: Community) -> None:
    card = await begun(community, "Skip")
    refused = await community.owner.select(shown_to(card), [community.guild.default_role], custom_id=menu(card))
    assert "@everyone cannot have this role." in said(refused) and "Choose a role that only staff has." in said(refused)
    assert "Step 2 of 6" in reading.text(shown_to(card)), "the card stays"


async def test_discords_manage_guild_alone_sets_nothing_up(community: Community) -> None:
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    max_ = community.guild.add_member(community.env.create_user("max"), roles=[manager])
    refused = await max_.slash(community.general, "setup start")
    assert "You need the permission `settings.edit`" in said(refused) and "admin" in said(refused)


async def test_a_step_whose_permission_is_missing_says_so(community: Community) -> None:
    """Somebody who may change settings, and nothing else."""
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    max_ = community.guild.add_member(community.env.create_user("max"), roles=[manager])
    await community.set_up()
    await _allow(community, "moderator", "settings.edit")
    await _bind(community, manager.id, "moderator")
    card = await max_.slash(community.general, "setup start")
    assert "Step 3 of 6" in said(card)
    lacking = {"Back": "users.edit", "Next": "nodes.create"}
    for label, permission in lacking.items():
        shown = await max_.click(shown_to(await max_.slash(community.general, "setup start")), label=label)
        assert f"You need the permission `{permission}` for this step." in said(shown)
        assert not chosen(shown), "there is nothing to press but the way on"


async def _allow(community: Community, role: str, permission: str) -> None:
    async with community.app.db.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"""insert into role_permissions (role_id, permission_id)
                select r.id, p.id from roles r, permissions p where r.name = '{role}' and p.name = '{permission}'"""
        )
    community.app.services.identity.forget()


async def _bind(community: Community, discord_role: int, role: str) -> None:
    async with community.app.db.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"""insert into role_bindings (org_id, discord_role_id, role_id)
                select org_id, {discord_role}, id from roles where name = '{role}'"""
        )
    community.app.services.identity.forget()


async def test_nobody_gives_a_role_above_their_own(community: Community) -> None:
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    max_ = community.guild.add_member(community.env.create_user("max"), roles=[manager])
    await community.set_up()
    for permission in ("settings.edit", "users.edit"):
        await _allow(community, "operator", permission)
    await _bind(community, manager.id, "operator")
    card = await max_.slash(community.general, "setup start")
    card = await max_.click(shown_to(card), label="Back")
    refused = await max_.select(shown_to(card), [manager], custom_id=menu(card, "admin"))
    assert "The role admin ranks above you" in said(refused)
    (row,) = await community.rows("select outcome from audit_logs where action = 'setup.roles'")
    assert row.outcome == "denied"


async def test_channels_are_made_on_demand_once(community: Community) -> None:
    card = await begun(community, "Skip", "Use these", "Next")
    for purpose in ("audit", "bans"):
        card = await community.owner.click(shown_to(card), label=f"Create #{purpose}")
    made = {channel.name: channel for channel in _channels(community)}
    audit, bans = made["audit"], made["bans"]
    everyone, staff = community.guild.default_role.id, community.moderators.id
    view, send = discord.Permissions(view_channel=True), discord.Permissions(send_messages=True)
    rules: dict[int, Any] = {target.id: overwrite.pair() for target, overwrite in audit.overwrites.items()}
    assert rules[everyone][1] == view and rules[staff][0] == view, "staff only"
    rules = {target.id: overwrite.pair() for target, overwrite in bans.overwrites.items()}
    assert rules[everyone] == (discord.Permissions.none(), send), "everyone reads"
    assert chosen(card)["gk:setup.channel:audit"] == [audit.id]
    before = len(_channels(community))
    await community.app.services.wizard.make_channel(await _actor(community), "audit")
    assert len(_channels(community)) == before, "it is there"


def _channels(community: Community) -> list[discord.TextChannel]:
    guild = community.app.client.get_guild(community.guild.id)
    assert guild is not None
    return list(guild.text_channels)


async def _actor(community: Community) -> Any:
    from bot.domain.actors import Caller, Invocation

    caller = Caller(
        user_id=community.owner.id,
        username="olga",
        display_name="olga",
        guild_id=community.guild.id,
        guild_name="Dust & Iron",
        role_ids=frozenset({community.guild.id}),
        administrator=True,
    )
    return await community.app.services.identity.actor(caller, Invocation(1, "test"))


async def test_a_channel_whose_maker_died_is_found_by_its_topic(community: Community) -> None:
    """And one that only looks like it, but that everybody sees, is not taken for it."""
    topic = "Gamekeeper · Who did what"
    community.guild.create_text_channel("trap", topic=topic)
    card = await begun(community, "Skip", "Use these", "Next")
    plan = ChannelPlan("audit", topic, frozenset({community.moderators.id}), "a press whose process died")
    left = await DiscordGuilds(lambda: community.app.client).make_channel(community.guild.id, plan)
    card = await community.owner.click(shown_to(card), label="Create #audit")
    assert chosen(card)["gk:setup.channel:audit"] == [left]
    assert sorted(channel.name for channel in _channels(community)) == ["audit", "general", "ops", "trap"]


async def test_discord_refuses_a_channel(community: Community) -> None:
    card = await begun(community, "Skip", "Skip")
    where = f"/guilds/{community.guild.id}/channels"
    community.env.inject_error("POST", where, status=403, code=50013)
    refused = await community.owner.click(shown_to(card), label="Create #ops")
    assert "Discord does not let me make this channel." in said(refused) and "Give my role Manage Channels" in said(
        refused
    )
    community.env.inject_error("POST", where, status=400, code=30013)
    refused = await community.owner.click(shown_to(card), label="Create #ops")
    assert "as many channels as Discord allows" in said(refused)
    card = await community.owner.click(shown_to(card), label="Create #ops")
    assert chosen(card)["gk:setup.channel:ops"], "the next press makes it"


async def test_a_channel_without_rights_is_switched_off_and_named(community: Community) -> None:
    await community.set_up()
    secret = community.guild.create_text_channel("secret")
    community.env.inject_error("POST", f"/channels/{secret.id}/messages", status=403, code=50001, times=None)
    await community.owner.slash(community.general, "setup channels", purpose="audit", channel=community.general)
    told = await community.owner.slash(community.general, "setup channels", purpose="players", channel=secret)
    assert f"Messages for players go to <#{secret.id}>" in said(told)

    async def switched_off() -> bool:
        return any("no longer takes messages" in words for words in community.texts(community.general))

    await community.eventually(switched_off)
    assert "switched off: Discord said 403" in said(await begun(community))


async def test_a_channel_in_which_the_bot_may_not_write_is_refused(community: Community) -> None:
    hidden = discord.PermissionOverwrite(view_channel=False)
    secret = community.guild.create_text_channel("secret", overwrites={community.guild.default_role: hidden})
    refused = await community.owner.slash(community.general, "setup channels", purpose="ops", channel=secret)
    assert "I may not post in" in said(refused) and "View Channel" in said(refused)


async def test_who_may_not_see_the_command_cannot_give_it(community: Community) -> None:
    assert "setup start" not in {str(command) for command in community.player.available_commands(community.general)}
    with pytest.raises(simcord.SetupError, match="not visible"):
        await community.player.slash(community.general, "setup start")
