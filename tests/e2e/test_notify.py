"""/notify: several channels for a purpose, tried, listed and taken away."""

import discord
import pytest

from bot.demo import reading
from bot.demo.simcord_private.env import owner_of
from tests.e2e.community import Community, Host, said
from tests.e2e.servers import add_server


async def notify(community: Community, what: str, **options: object) -> str:
    return said(await community.owner.slash(community.general, f"notify {what}", **options))


async def add(community: Community, name: str, **options: object) -> str:
    given = {"purpose": "alerts", "channel": community.ops, **options}
    return await notify(community, "add", name=name, **given)


async def says(community: Community, words: str) -> None:
    await community.eventually(lambda: any(words in one for one in community.texts(community.ops)))


async def test_from_none_to_one_and_back(community: Community) -> None:
    assert "No channel is set" in await notify(community, "list")
    assert "Messages for alerts go to" in await add(community, "night shift", min_severity="high")
    await says(community, "A test, nothing has happened.")
    await says(community, "Messages for alerts (high only) arrive here, as night shift.")
    listed = await notify(community, "list")
    assert "🟢 **night shift** · alerts → <#" in listed and "high only" in listed
    assert "on its way" in await notify(community, "test", name="Night Shift")
    await community.eventually(lambda: len(community.texts(community.ops)) == 2)
    gone = await notify(community, "remove", name="night shift")
    assert "night shift is removed" in gone and "have no channel now" in gone
    assert "No channel is set" in await notify(community, "list")
    assert [action for action, _ in await community.audit() if action.startswith("notify.")] == [
        "notify.list",
        "notify.add",
        "notify.list",
        "notify.test",
        "notify.remove",
        "notify.list",
    ]


async def test_beside_the_channel_of_the_wizard(community: Community, host: Host) -> None:
    """Of a purpose other than alerts the first channel is used, and the next one when that is gone."""
    await community.set_up()
    second = community.guild.create_text_channel("second")
    await add(community, "spare", purpose="ops", channel=second)
    listed = await notify(community, "list")
    assert "🟢 **ops** · ops" in listed and "⚪ **spare** · ops" in listed and "in reserve" in listed
    await add_server(community, host)
    await community.message_with("J-1")
    assert f"Messages for ops go to <#{second.id}>" in await notify(community, "remove", name="ops")
    await add_server(community, host, "US #2")
    await community.eventually(lambda: any("J-2" in reading.text(one) for one in second.history()))


async def test_what_is_refused(community: Community) -> None:
    assert community.app.client.user is not None
    quiet = {community.app.client.user: discord.PermissionOverwrite(view_channel=False)}
    hidden = community.guild.create_text_channel("hidden", overwrites={**quiet})
    refused = await add(community, "x", channel=hidden)
    assert "I may not post in" in refused and "View Channel" in refused
    assert "belongs to `/setup`" in await add(community, "Ops")
    assert "Only alerts have a severity" in await add(community, "x", purpose="ops", min_severity="low")
    await add(community, "one")
    for name in ("one", "ONE"):  # a name that is typed finds both
        assert "is taken" in await add(community, name, channel=community.general)
    assert "is there for alerts already, as one" in await add(community, "two")
    for leaf in ("test", "remove"):
        refused = await notify(community, leaf, name="three")
        assert "There is no such channel here" in refused and "one" in refused


async def test_who_may_not_and_another_guilds_channel(community: Community) -> None:
    await add(community, "one")
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    nina = community.guild.add_member(community.env.create_user("nina"), roles=[manager])
    for leaf, options in (("list", {}), ("test", {"name": "one"}), ("remove", {"name": "one"})):
        refused = await nina.slash(community.general, f"notify {leaf}", **options)
        assert "You need the permission `notifications.manage`" in said(refused)


async def test_another_guilds_channels_are_not_there(community: Community) -> None:
    await add(community, "one")
    guild = community.env.create_guild("Elsewhere", owner=community.env.create_user("zoe"))
    general = guild.create_text_channel("general")
    zoe = owner_of(guild)
    assert "No channel is set" in said(await zoe.slash(general, "notify list"))
    ((row,),) = await community.rows("select id from notification_channels")
    for name in ("one", str(row)):
        assert "There is no such channel here" in said(await zoe.slash(general, "notify remove", name=name))
        assert "There is no such channel here" in said(await zoe.slash(general, "notify test", name=name))


async def test_a_channel_that_was_switched_off_is_tried_again(community: Community) -> None:
    doomed = community.guild.create_text_channel("doomed")
    await add(community, "doomed", channel=doomed)
    await community.eventually(lambda: len(doomed.history()) == 1)
    channel = community.app.client.get_channel(doomed.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    await notify(community, "test", name="doomed")

    async def off() -> bool:
        listed = await notify(community, "list")
        return "switched off" in listed and "Discord said 404" in listed and "/notify test" in listed

    await community.eventually(off)
    gone = await notify(community, "remove", name="doomed")
    assert "doomed is removed" in gone


@pytest.mark.parametrize("name", ["@everyone **x**", "`/help` </ban:1>"])
async def test_a_hostile_name(community: Community, name: str) -> None:
    await add(community, name)
    await says(community, "A test, nothing has happened.")
    for text in (*community.texts(community.ops), await notify(community, "list")):
        assert "@everyone" not in text and "**x**" not in text and "</ban" not in text
