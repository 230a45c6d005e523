"""What a guild has set for commands, asked for all of them at once, which simcord answers for a single one only."""

from typing import Any

from simcord.http.router import RequestContext, route


@route("GET", "/applications/{application_id}/guilds/{guild_id}/commands/permissions")
def all_command_permissions(ctx: RequestContext) -> Any:
    """Of the commands, and of the bot as a whole under its own id, those that somebody has changed."""
    guild_id = ctx.int_arg("guild_id")
    return [
        {
            "id": str(command_id),
            "application_id": ctx.args["application_id"],
            "guild_id": str(guild_id),
            "permissions": list(permissions),
        }
        for (where, command_id), permissions in ctx.backend.command_permissions.items()
        if where == guild_id
    ]
