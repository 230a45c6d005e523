"""`/config` as an owner and a moderator meet it."""

import discord

from tests.e2e.community import Community, Host, said
from tests.e2e.servers import add_server


async def test_a_setting_is_shown_changed_and_logged(community: Community) -> None:
    owner, general = community.owner, community.general
    shown = await owner.slash(general, "config show")
    assert "`log_retention_days` · may be 1 to 365 days" in said(shown) and "7 days" in said(shown)
    keys = await owner.autocomplete(general, "config set", "key", "log", value="")
    assert [choice["name"] for choice in keys] == [
        "log_retention_days · 7 days · How long the logs of games are kept",
        "audit_retention_days · 365 days · How long the audit log is kept",
    ]
    values = await owner.autocomplete(general, "config set", "value", "3", key="log_retention_days")
    assert [choice["value"] for choice in values] == ["3 days", "30 days"]
    changed = await owner.slash(general, "config set", key="log_retention_days", value="30 days")
    assert "`log_retention_days`: 7 days → 30 days" in said(changed)
    refused = await owner.slash(general, "config set", key="log_retention_days", value="400")
    assert "cannot be 400 days" in said(refused) and "It may be 1 to 365 days." in said(refused)
    assert await community.audit() == [("config.show", "success"), ("config.set", "success"), ("config.set", "failed")]


async def test_a_new_schedule_goes_by_the_new_clock(community: Community, host: Host) -> None:
    owner, general = community.owner, community.general
    server = await add_server(community, host)
    await owner.slash(general, "config set", key="timezone", value="tokyo")
    preview = await owner.slash(general, "schedule add", action="restart", when="every day at 4", server=server)
    assert "Asia/Tokyo" in said(preview)


async def test_who_may_not_change_is_told_who_may(community: Community) -> None:
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    max_ = community.guild.add_member(community.env.create_user("max"), roles=[manager])
    refused = await max_.slash(community.general, "config set", key="timezone", value="UTC")
    assert "You need the permission `settings.edit`" in said(refused) and "admin" in said(refused)
    assert await max_.autocomplete(community.general, "config set", "key", "") == []
