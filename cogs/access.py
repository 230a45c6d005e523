"""/access: who may do what, and why."""

from uuid import UUID

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.roles import HIGHEST, LONGEST_NAME
from bot.errors import Invalid
from bot.gate import Call, Reply, action, gate
from bot.services.access_clearing import WHAT
from bot.services.access_members import Wish
from bot.ui import access, access_roles, confirm
from bot.ui.cards import listing
from cogs import access_choices, choices, people

_WHAT = [app_commands.Choice(name=name, value=name) for name in WHAT]
Name = app_commands.Range[str, 1, LONGEST_NAME]
Reason = app_commands.Range[str, 0, 300]
Priority = app_commands.Range[int, 0, HIGHEST]
Words = app_commands.Range[str, 0, 100]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class AccessCog(commands.GroupCog, group_name="access", group_description="Who may do what, and why"):
    """Handlers of /access."""

    roles = app_commands.Group(name="role", description="What each role may do")

    @app_commands.command(name="bind", description="Let members with a Discord role hold one of ours")
    @app_commands.describe(
        role="The Discord role",
        preset="Our role, from /access role list",
        server="Only on this server",
        tag="Only on servers with this tag",
    )
    @app_commands.autocomplete(preset=access_choices.role, server=choices.server, tag=choices.tag)
    @gate("users.edit")
    async def bind(self, call: Call, role: discord.Role, preset: str, server: str = "", tag: str = "") -> Reply:
        done = await call.services.access_bindings.bind(call.actor, people.role(role), preset, server, tag)
        return Reply(confirm.done(done))

    @app_commands.command(name="unbind", description="Take back what a Discord role is bound to")
    @app_commands.describe(
        role="The Discord role",
        preset="Only if it is bound to this one of ours",
        server="What it is bound to on this server",
        tag="What it is bound to on servers with this tag",
    )
    @app_commands.autocomplete(preset=access_choices.role, server=choices.server, tag=choices.tag)
    @gate("users.edit")
    async def unbind(self, call: Call, role: discord.Role, preset: str = "", server: str = "", tag: str = "") -> Reply:
        done = await call.services.access_bindings.unbind(call.actor, people.role(role), preset, server, tag)
        return Reply(confirm.done(done))

    @app_commands.command(name="grant", description="Give a member a role of their own, everywhere or on one server")
    @app_commands.describe(
        member="Who",
        role="Our role, from /access role list",
        server="Only there, and there in place of their other roles",
        until="On one server only; such as 2d · friday 18:00 · 2026-12-24",
    )
    @app_commands.autocomplete(role=access_choices.role, server=choices.server)
    @gate("")
    async def grant(self, call: Call, member: discord.User, role: str, server: str = "", until: str = "") -> Reply:
        done = await call.services.access_members.grant(call.actor, people.member(member), role, server, until)
        return Reply(confirm.done(done))

    @app_commands.command(name="allow", description="Allow a member one thing, whatever their roles say")
    @app_commands.describe(
        member="Who",
        permission="What they may do",
        server="Only on this server",
        until="Such as 2d · friday 18:00 · 2026-12-24; else until /access clear",
        reason="Shown in /access show and the audit log",
    )
    @app_commands.autocomplete(permission=access_choices.permission, server=choices.server)
    @gate("users.permissions")
    async def allow(
        self, call: Call, member: discord.User, permission: str, server: str = "", until: str = "", reason: Reason = ""
    ) -> Reply:
        wish = Wish(permission=permission, granted=True, server=server, until=until, reason=reason.strip())
        return Reply(confirm.done(await call.services.access_members.decide(call.actor, people.member(member), wish)))

    @app_commands.command(name="deny", description="Deny a member one thing, whatever their roles say")
    @app_commands.describe(
        member="Who",
        permission="What they may not do",
        server="Only on this server",
        until="Such as 2d · friday 18:00 · 2026-12-24; else until /access clear",
        reason="Shown in /access show and the audit log",
    )
    @app_commands.autocomplete(permission=access_choices.permission, server=choices.server)
    @gate("users.permissions")
    async def deny(
        self, call: Call, member: discord.User, permission: str, server: str = "", until: str = "", reason: Reason = ""
    ) -> Reply:
        wish = Wish(permission=permission, granted=False, server=server, until=until, reason=reason.strip())
        return Reply(confirm.done(await call.services.access_members.decide(call.actor, people.member(member), wish)))

    @app_commands.command(name="clear", description="Take back what a member was given: role, server roles, exceptions")
    @app_commands.describe(
        member="Who; also somebody who has left",
        what="Without it everything",
        permission="Only the exception for this",
        server="Only on this server",
    )
    @app_commands.choices(what=_WHAT)
    @app_commands.autocomplete(permission=access_choices.permission, server=choices.server)
    @gate("users.delete")
    async def clear(
        self, call: Call, member: discord.User, what: str = "", permission: str = "", server: str = ""
    ) -> Reply:
        person = people.anybody(member)
        done = await call.services.access_clearing.clear(call.actor, person, what, permission, server)
        return Reply(confirm.done(done))

    @app_commands.command(name="show", description="Who holds what: all of it, a member, or a role")
    @app_commands.describe(member="What this member has", role="What this role may do, and who holds it")
    @app_commands.autocomplete(role=access_choices.role)
    @gate("users.view")
    async def show(self, call: Call, member: discord.User | None = None, role: str = "") -> Reply:
        if member and role:
            raise Invalid("This asks for a member and for a role.", "Give one of them, or neither for all roles.")
        if member:
            sight = await call.services.access_sight.member(call.actor, people.anybody(member))
            return Reply(access_roles.member_card(sight))
        if role:
            return Reply(access_roles.role_card(await call.services.access_sight.role(call.actor, role)))
        return await _overview(call, 0)

    @app_commands.command(name="why", description="Why a member may do something or not, and who could change it")
    @app_commands.describe(member="Who; of yourself anybody may ask", permission="What", server="On which server")
    @app_commands.autocomplete(permission=access_choices.permission, server=choices.server)
    @gate("")
    async def why(self, call: Call, member: discord.User, permission: str, server: str = "") -> Reply:
        found = await call.services.access_sight.why(call.actor, people.member(member), permission, server)
        return Reply(access.why_card(found))

    @roles.command(name="create", description="Make a role of your own, and choose what it may do")
    @app_commands.describe(
        name="What it is called",
        priority="Who ranks below it may not touch it; below your own",
        like="With the permissions of this role to begin with",
        description="What it is for",
    )
    @app_commands.autocomplete(like=access_choices.role)
    @gate("users.permissions")
    async def create(
        self, call: Call, name: Name, priority: Priority, like: str = "", description: Words = ""
    ) -> Reply:
        made = await call.services.access_roles.create(call.actor, name, priority, like, description)
        return Reply(access_roles.editor(made))

    @roles.command(name="edit", description="Choose what a role may do; a preset is marked as changed then")
    @app_commands.describe(
        role="Which role", name="A new name", priority="A new priority, below your own", description="What it is for"
    )
    @app_commands.autocomplete(role=access_choices.role)
    @gate("users.permissions")
    async def edit(
        self, call: Call, role: str, name: Name = "", priority: Priority | None = None, description: Words = ""
    ) -> Reply:
        edited = await call.services.access_roles.edit(call.actor, role, name, priority, description)
        return Reply(access_roles.editor(edited))

    @roles.command(name="delete", description="Delete a role of your own; says first who holds it")
    @app_commands.describe(role="Which role")
    @app_commands.autocomplete(role=access_choices.role)
    @gate("users.permissions")
    async def delete(self, call: Call, role: str) -> Reply:
        return Reply(confirm.question(await call.services.access_roles.ask_delete(call.actor, role)))

    @roles.command(name="list", description="All roles, the highest first")
    @gate("users.permissions")
    async def list(self, call: Call) -> Reply:
        return await _list(call, 0)


@action("access.show", "users.view")
async def _overview(call: Call, page: int) -> Reply:
    found = await call.services.access_sight.overview(call.actor, page)
    lines = [access_roles.sight_line(sight) for sight in found.rows]
    return Reply(
        listing("Who holds what", lines, empty="No roles.", page=found.number, more=found.more, route="access.show")
    )


@action("access.roles", "users.permissions")
async def _list(call: Call, page: int) -> Reply:
    found = await call.services.access_roles.list(call.actor, page)
    lines = [access_roles.line(role) for role in found.rows]
    return Reply(listing("Roles", lines, empty="No roles.", page=found.number, more=found.more, route="access.roles"))


@action("access.role.choose", "users.permissions")
async def choose(call: Call, role: UUID, area: str, shown: str) -> Reply:
    """What a role may do in one area was chosen, from what was shown."""
    chosen = call.values.get("values", [])
    edited = await call.services.access_roles.choose(call.actor, role, area, chosen, shown=shown)
    return Reply(access_roles.editor(edited))


@action("access.role.restore", "users.permissions")
async def restore(call: Call, role: UUID) -> Reply:
    """A preset is put back to how it came."""
    return Reply(access_roles.editor(await call.services.access_roles.restore(call.actor, role)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(AccessCog())
