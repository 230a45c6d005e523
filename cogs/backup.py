"""/backup: create, list."""

from uuid import UUID

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, action, gate
from bot.ui import backups, confirm
from cogs import choices


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class BackupCog(commands.GroupCog, group_name="backup", group_description="Copies of saved games"):
    """Handlers of /backup."""

    @app_commands.command(name="create", description="Save and pack what a game has now")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("backups.create")
    async def create(self, call: Call, server: str) -> Reply:
        return Reply(confirm.done(await call.services.backups.create(call.actor, server)))

    @app_commands.command(name="list", description="The backups of a server")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("backups.view")
    async def list(self, call: Call, server: str) -> Reply:
        return Reply(backups.page(await call.services.backups.list(call.actor, server)))


@action("backup.page", "backups.view")
async def _page(call: Call, server: UUID, page: int) -> Reply:
    return Reply(backups.page(await call.services.backups.list(call.actor, str(server), page)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(BackupCog())
