"""`/setup start` as an owner meets it: every choice counts at once, and the card can be left and opened again."""

import discord
import pytest
import simcord

from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server

CHANNEL, ROLES = "gk:setup.channel:ops", "gk:setup.roles:moderator"


async def test_from_nothing_to_done(community: Community) -> None:
    owner, general = community.owner, community.general
    card = await owner.slash(general, "setup start")
    assert shown_to(card).ephemeral and "`/host add` gives a command to run" in said(card)
    chosen = await owner.select(shown_to(card), [community.ops], custom_id=CHANNEL)
    assert "Set up Gamekeeper" in said(chosen), "the card shows how it stands now"
    await community.message_with("Messages for ops arrive here.")
    await owner.select(shown_to(card), [community.moderators], custom_id=ROLES)
    host = await Host(community, "alpha").pair()
    await community.message_with("alpha is connected")
    refreshed = await owner.click(shown_to(card), label="Refresh")
    assert "1 of 1 host connected. `/fleet add` adds a game server." in said(refreshed)
    await add_server(community, host)
    refreshed = await owner.click(shown_to(card), label="Refresh")
    assert "1 server on 1 host." in said(refreshed)


async def test_the_card_goes_on_after_a_restart_of_the_bot(community: Community) -> None:
    card = await community.owner.slash(community.general, "setup start")
    await community.owner.select(shown_to(card), [community.ops], custom_id=CHANNEL)
    await community.env.restart_bot(community.app.remade_client())
    await community.owner.select(shown_to(card), [community.moderators], custom_id=ROLES)
    opened = await community.owner.slash(community.general, "setup start")
    chosen = {
        part["custom_id"]: [int(value["id"]) for value in part.get("default_values", ())]
        for part in reading.walk(shown_to(opened))
        if part.get("type") in reading.SELECTS
    }
    assert chosen[CHANNEL] == [community.ops.id] and chosen[ROLES] == [community.moderators.id]
    assert await community.audit() == [
        ("setup.start", "success"),
        ("setup.channel", "success"),
        ("setup.bind", "success"),
        ("setup.start", "success"),
    ]


async def test_a_moderator_may_act_as_soon_as_the_role_is_bound(community: Community) -> None:
    refused = await community.mod.slash(community.general, "job list")
    assert "You need the permission `jobs.view`" in said(refused)
    await community.set_up()
    allowed = await community.mod.slash(community.general, "job list")
    assert "No job is like that." in said(allowed)
    card = await community.owner.slash(community.general, "setup start")
    await community.owner.select(shown_to(card), [], custom_id=ROLES)
    again = await community.mod.slash(community.general, "job list")
    assert "You need the permission `jobs.view`" in said(again)


async def test_everyone_cannot_be_made_staff(community: Community) -> None:
    card = await community.owner.slash(community.general, "setup start")
    refused = await community.owner.select(shown_to(card), [community.guild.default_role], custom_id=ROLES)
    assert "@everyone cannot have this role." in said(refused) and "Choose a role that only staff has." in said(refused)
    assert "Set up Gamekeeper" in reading.text(shown_to(card)), "the card stays"


async def test_discords_manage_guild_alone_sets_nothing_up(community: Community) -> None:
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    max_ = community.guild.add_member(community.env.create_user("max"), roles=[manager])
    refused = await max_.slash(community.general, "setup start")
    assert "You need the permission `settings.edit`" in said(refused) and "admin" in said(refused)


async def test_a_channel_without_rights_is_switched_off_and_named(community: Community) -> None:
    await community.set_up()
    card = await community.owner.slash(community.general, "setup start")
    await community.owner.select(shown_to(card), [community.general], custom_id="gk:setup.channel:audit")
    secret = community.guild.create_text_channel("secret")
    community.env.inject_error("POST", f"/channels/{secret.id}/messages", status=403, code=50001, times=None)
    await community.owner.select(shown_to(card), [secret], custom_id="gk:setup.channel:players")

    async def told() -> bool:
        return any("no longer takes messages" in words for words in community.texts(community.general))

    await community.eventually(told)
    refreshed = await community.owner.click(shown_to(card), label="Refresh")
    assert "switched off: Discord said 403" in said(refreshed)


async def test_who_may_not_see_the_command_cannot_give_it(community: Community) -> None:
    assert "setup start" not in {str(command) for command in community.player.available_commands(community.general)}
    with pytest.raises(simcord.SetupError, match="not visible"):
        await community.player.slash(community.general, "setup start")
