"""/access as its users meet it: given, taken back, explained."""

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor

from bot.domain.roles import digest
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server


async def do(community: Community, command: str, who: Any = None, **options: Any) -> str:
    """What the answer to a sub-command of /access says, after this process has heard of the change."""
    answer = said(await (who or community.owner).slash(community.general, f"access {command}", **options))
    await community.app.work_db.catch_up()
    return answer


@pytest.fixture
async def manager(community: Community) -> MemberActor:
    """Whom Discord shows the commands of administrators, and who has no role of ours yet."""
    role = community.guild.create_role("Manager", permissions=discord.Permissions(manage_guild=True))
    return community.guild.add_member(community.env.create_user("max"), roles=[role])


async def test_a_binding_counts_at_once_and_why_says_so(community: Community, host: Host) -> None:
    server = await add_server(community, host)
    assert "You need the permission `servers.restart`" in said(
        await community.mod.slash(community.general, "server restart", server=server)
    )
    (preset, *_) = await community.owner.autocomplete(community.general, "access bind", "preset", "mod")
    assert preset["name"].startswith("moderator · 40 · ")
    bound = await do(community, "bind", role=community.moderators, preset=preset["value"])
    assert bound.splitlines() == ["**Members with Moderator are moderator everywhere**", "Before: nothing."]
    asked = await community.mod.slash(community.general, "server restart", server=server)
    assert "Restart EU #1 now?" in said(asked)
    why = await do(community, "why", member=community.mod, permission="servers.restart", server=server)
    assert why.splitlines()[:3] == [
        "### ✓ mia may `servers.restart` on EU #1",
        "Restart servers and postpone restarts",
        f"**Decided by step 5 of 6**: mia is moderator through <@&{community.moderators.id}>.",
    ]
    assert "**▶ 5 · Roles held: moderator through" in why and "1 · Owner or Administrator of this Discord" in why
    assert "**Who can change it**" in why and "-# Roles with `servers.restart`: admin, operator, moderator." in why


async def test_owners_and_administrators_of_discord_are_asked_nothing_more(community: Community) -> None:
    boss = community.guild.create_role("Boss", permissions=discord.Permissions(administrator=True))
    bert = community.guild.add_member(community.env.create_user("bert"), roles=[boss])
    for who in (community.owner, bert):
        why = await do(community, "why", member=who, permission="servers.wipe")
        assert (
            "**Decided by step 1 of 6**" in why
            and "**▶ 1 · Owner or Administrator of this Discord server: yes**" in why
        )
        denied = await do(community, "deny", member=who, permission="servers.wipe")
        assert "so it changes nothing for them now" in denied


async def test_an_exception_wins_until_it_is_cleared(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    denied = await do(
        community,
        "deny",
        member=community.mod,
        permission="servers.restart",
        server=server,
        until="2d",
        reason="breaks",
    )
    assert "mia is denied `servers.restart` on EU #1 until <t:" in denied and "Why: breaks" in denied
    refused = said(await community.mod.slash(community.general, "server restart", server=server))
    assert "You need the permission `servers.restart`" in refused and "exception" in refused
    why = await do(community, "why", member=community.mod, permission="servers.restart", server=server)
    assert "### ✗ mia may not `servers.restart` on EU #1" in why and "**Decided by step 2 of 6**" in why
    assert "by olga (breaks)" in why and "-# 5 · Roles held: moderator" in why and "not asked any more" in why
    shown = await do(community, "show", member=community.mod)
    assert "✗ `servers.restart` denied on EU #1 until <t:" in shown and "**moderator** · through <@&" in shown
    cleared = await do(community, "clear", member=community.mod, permission="servers.restart")
    assert "mia lost what was their own" in cleared and "- denied servers.restart on EU #1 until <t:" in cleared
    assert "Restart EU #1 now?" in said(await community.mod.slash(community.general, "server restart", server=server))


async def test_a_role_on_one_server_takes_the_place_of_all_others(community: Community, host: Host) -> None:
    await community.set_up()
    server = await add_server(community, host)
    granted = await do(community, "grant", member=community.mod, role="viewer", server=server, until="2d")
    assert "mia is viewer on EU #1 until <t:" in granted and "in place of all their other roles" in granted
    refused = said(await community.mod.slash(community.general, "server restart", server=server))
    assert "You need the permission `servers.restart`" in refused
    why = await do(community, "why", member=community.mod, permission="servers.restart", server=server)
    assert "**Decided by step 4 of 6**: on EU #1 mia is **viewer** until <t:" in why and "does not have it" in why
    everywhere = await do(community, "why", member=community.mod, permission="servers.restart")
    assert (
        "✓ mia may `servers.restart` in general" in everywhere and "4 · Role on a server: none was named" in everywhere
    )


async def test_a_role_is_made_with_selects_bound_and_deleted(community: Community) -> None:
    owner, general = community.owner, community.general
    made = await owner.slash(general, "access role create", name="Night watch", priority=20, like="viewer")
    assert "**Night watch** · priority 20 · 15 permissions" in said(made)
    assert "**Players and bans** · 2 of 6" in said(made)
    (role,) = await community.rows("select id from roles where name = 'Night watch'")

    def menu(*had: str) -> str:
        return f"gk:access.role.choose:{role.id.hex}:players:{digest(had, 'players')}"

    first = menu("bans.view", "players.view")
    stale = await owner.slash(general, "access role edit", role="Night watch")
    chosen = await owner.select(shown_to(made), ["players.view", "players.kick"], custom_id=first)
    assert "**Players and bans** · 2 of 6" in said(chosen)
    late = await owner.select(shown_to(stale), ["players.view", "bans.view", "bans.create"], custom_id=first)
    assert "Night watch was changed since this was opened" in said(late), "a stale menu gives nothing back"
    emptied = await owner.select(shown_to(chosen), [], custom_id=menu("players.view", "players.kick"))
    assert "**Players and bans** · 0 of 6" in said(emptied) and "13 permissions" in said(emptied)
    await do(community, "bind", role=community.moderators, preset="Night watch")
    overview = await do(community, "show")
    assert f"**Night watch** · priority 20 · 13 permissions\n-# <@&{community.moderators.id}>" in overview
    assert "**player** · priority 0 · 1 permission · preset\n-# @\u2060everyone" in overview
    detail = await do(community, "show", role="night watch")
    assert "`servers.view`" in detail and f"**Bound to it** · <@&{community.moderators.id}>" in detail
    asked = await owner.slash(general, "access role delete", role="Night watch")
    assert "Delete the role Night watch?" in said(asked) and f"<@&{community.moderators.id}>" in said(asked)
    deleted = await owner.click(shown_to(asked), label="Delete Night watch")
    assert "The role Night watch is deleted" in said(deleted)
    assert "Night watch" not in await do(community, "role list")


async def test_a_preset_is_marked_as_changed_and_put_back(community: Community) -> None:
    opened = await community.owner.slash(community.general, "access role edit", role="moderator", priority=45)
    assert "preset, **changed here**" in said(opened)
    back = await community.owner.click(shown_to(opened), label="Put the preset back")
    assert "priority 40" in said(back) and "changed here" not in said(back)


async def test_of_oneself_everybody_may_ask_of_others_not(community: Community, manager: MemberActor) -> None:
    own = await do(community, "why", manager, member=manager, permission="servers.view")
    assert "✓ max may `servers.view` in general" in own and "player through @\u2060everyone" in own
    refused = await do(community, "why", manager, member=community.mod, permission="servers.view")
    what, remedy, reference = refused.splitlines()
    assert what == "**You need the permission `users.permissions` for this.**"
    assert "admin" in remedy and reference.startswith("-# Reference: `")
    assert (await community.audit())[-2:] == [("access.why", "success"), ("access.why", "denied")]


async def test_discords_manage_guild_alone_changes_nothing(community: Community, manager: MemberActor) -> None:
    options: dict[str, dict[str, Any]] = {
        "bind": {"role": community.moderators, "preset": "viewer"},
        "unbind": {"role": community.moderators},
        "grant": {"member": manager, "role": "admin"},
        "allow": {"member": manager, "permission": "servers.kill"},
        "deny": {"member": community.mod, "permission": "servers.view"},
        "clear": {"member": community.mod},
        "show": {},
        "role create": {"name": "mine", "priority": 1},
        "role edit": {"role": "viewer"},
        "role delete": {"role": "viewer"},
        "role list": {},
    }
    for command, given in options.items():
        assert "You need the permission `users." in await do(community, command, manager, **given), command
    assert {outcome for action, outcome in await community.audit() if action.startswith("access")} == {"denied"}
    assert await community.owner.autocomplete(community.general, "access bind", "preset", "") != []
    assert await manager.autocomplete(community.general, "access bind", "preset", "") == []


async def test_nobody_reaches_above_themselves_and_the_last_administrator_stays(
    community: Community, manager: MemberActor
) -> None:
    await do(community, "grant", member=manager, role="admin")
    refused = await do(community, "deny", manager, member=community.owner, permission="servers.view")
    assert "olga owns this Discord server or is its Administrator." in refused
    refused = await do(community, "role create", manager, name="chief", priority=100)
    assert "A priority of 100 is not below your own rank, which is 100." in refused
    refused = await do(community, "clear", manager, member=manager)
    assert "**This would leave nobody as administrator.**" in refused and "nothing was changed" in refused
    told = await do(community, "clear", member=manager)
    assert "Nobody but the owner and Discord's administrators can change rights now." in told


async def test_a_discord_role_that_is_deleted_is_bound_to_nothing(community: Community) -> None:
    await do(community, "bind", role=community.moderators, preset="admin")
    community.env.backend.delete_role(community.guild.id, community.moderators.id)

    async def gone() -> bool:
        return f"<@&{community.moderators.id}>" not in await do(community, "show")

    await community.eventually(gone)


async def test_everyone_may_only_look(community: Community) -> None:
    everyone = community.guild.default_role
    refused = await do(community, "bind", role=everyone, preset="moderator")
    assert "@everyone cannot have this role: whoever joins could then use" in refused
    assert "everyone are viewer everywhere" in await do(community, "bind", role=everyone, preset="viewer")
    assert "is bound to viewer everywhere already." in await do(community, "bind", role=everyone, preset="viewer")


async def test_who_is_no_member(community: Community) -> None:
    gone = community.env.create_user("gone")
    refused = await do(community, "allow", member=gone, permission="servers.kill")
    assert "gone is not a member here." in refused
    assert "gone has nothing of their own" in await do(community, "clear", member=gone)
    assert "**Roles** · none" in await do(community, "show", member=gone)


async def test_permissions_are_found_by_what_they_are_for(community: Community) -> None:
    found = await community.owner.autocomplete(community.general, "access why", "permission", "restart")
    assert [choice["value"] for choice in found][:1] == ["servers.restart"]
    found = await community.owner.autocomplete(community.general, "access why", "permission", "kick")
    assert "players.kick" in [choice["value"] for choice in found]
    assert len(await community.owner.autocomplete(community.general, "access why", "permission", "")) == 25


async def test_every_change_leaves_what_was_before_and_after(community: Community) -> None:
    await do(community, "bind", role=community.moderators, preset="viewer")
    await do(community, "bind", role=community.moderators, preset="moderator")
    await do(community, "unbind", role=community.moderators)
    rows = await community.rows(
        "select action, details from audit_logs where action in ('access.bind', 'access.unbind') order by id"
    )
    assert [(row.action, row.details["before"], row.details["after"]) for row in rows] == [
        ("access.bind", None, "viewer"),
        ("access.bind", "viewer", "moderator"),
        ("access.unbind", "moderator", None),
    ]
