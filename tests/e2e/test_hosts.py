"""/host as people use it: a host gets another name while its games go on."""

import discord

from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


async def test_a_host_gets_another_name(community: Community, host: Host) -> None:
    await add_server(community, host)
    owner, general = community.owner, community.general
    renamed = await owner.slash(general, "host rename", host=host.id, name="the *attic*")
    assert shown_to(renamed).ephemeral
    assert "alpha is called the \\*attic\\* now" in said(renamed) and "stay with it" in said(renamed)
    assert "the \\*attic\\*" in said(await owner.slash(general, "host list"))
    shown = said(await owner.slash(general, "host show", host="THE *attic*"))
    assert "EU #1" in shown and "online" in shown
    await host.beat()
    assert "There is no such host here" in said(await owner.slash(general, "host show", host="alpha"))
    assert ("host.rename", "success") in await community.audit()


async def test_names_that_are_taken_and_people_who_may_not(community: Community, host: Host) -> None:
    await Host(community, "beta").pair()
    owner, general = community.owner, community.general
    taken = said(await owner.slash(general, "host rename", host=host.id, name="BETA"))
    assert "There is a host BETA already." in taken and "Give another name." in taken
    await community.set_up()
    manager = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    vera = community.guild.add_member(community.env.create_user("vera"), roles=[community.moderators, manager])
    refused = said(await vera.slash(general, "host rename", host=host.id, name="mine"))
    assert "You need the permission `nodes.edit`" in refused and "operator" in refused
    assert ("host.rename", "denied") in await community.audit()
