"""/fleet: add, edit, tag, remove."""

from uuid import UUID

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate
from bot.ui import confirm, fleet
from cogs import choices, fleet_choices


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class FleetCog(commands.GroupCog, group_name="fleet", group_description="Add, change and remove game servers"):
    """Handlers of /fleet."""

    @app_commands.command(name="add", description="Add a game server on a host")
    @app_commands.describe(host="On which host", game="Which game", name="As it is shown here")
    @app_commands.autocomplete(host=choices.host, game=choices.game)
    @gate("servers.create", Show.FORM)
    async def add(self, call: Call, host: str, game: str, name: app_commands.Range[str, 1, 100]) -> Reply:
        found, draft = await call.services.fleet.draft(call.actor, host, game, name)
        return Reply(form=fleet.form(draft, f"New server on {found.name}", "fleet.added", found.id, game))

    @app_commands.command(name="edit", description="Change a server's name and variables")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.edit", Show.FORM)
    async def edit(self, call: Call, server: str) -> Reply:
        server_id, draft = await call.services.fleet.draft_of(call.actor, server)
        return Reply(form=fleet.form(draft, f"Edit {draft.name}", "fleet.edited", server_id))

    @app_commands.command(name="tag", description="Give a server tags, or take them")
    @app_commands.describe(server="Which server", add="Such as: eu, pvp", remove="Those that it has no more")
    @app_commands.autocomplete(server=choices.server, add=fleet_choices.added, remove=fleet_choices.removed)
    @gate("servers.edit")
    async def tag(self, call: Call, server: str, add: str = "", remove: str = "") -> Reply:
        return Reply(fleet.tagged(await call.services.fleet_tags.change(call.actor, server, add, remove)))

    @app_commands.command(name="remove", description="Remove a server; its files stay on the host")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.delete")
    async def remove(self, call: Call, server: str) -> Reply:
        return Reply(confirm.question(await call.services.fleet.ask_remove(call.actor, server)))


@action("fleet.added", "servers.create", Show.PRIVATE, fields=("name", "var.*"))
async def added(call: Call, host: UUID, game: str) -> Reply:
    """The form of /fleet add."""
    done = await call.services.fleet.add(call.actor, str(host), game, call.value("name"), _variables(call))
    return Reply(confirm.done(done))


@action("fleet.edited", "servers.edit", Show.PRIVATE, fields=("name", "var.*"))
async def edited(call: Call, server: UUID) -> Reply:
    """The form of /fleet edit."""
    done = await call.services.fleet.edit(call.actor, str(server), call.value("name"), _variables(call))
    return Reply(confirm.done(done))


def _variables(call: Call) -> dict[str, str]:
    return {name.removeprefix("var."): call.value(name) for name in call.values if name.startswith("var.")}


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(FleetCog())
