"""/player kick and link, and the profile that staff open from /players."""

from uuid import UUID

import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.actors import Caller
from bot.errors import Invalid
from bot.gate import Call, Reply, Show, action, gate
from bot.ui import confirm, players
from cogs import choices


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class PlayerCog(commands.GroupCog, group_name="player", group_description="Players"):
    """Handlers of /player."""

    @app_commands.command(name="kick", description="Throw a player out of the server they are on")
    @app_commands.describe(player="Who", reason="The player reads it", server="Where, if they are on several")
    @app_commands.autocomplete(player=choices.player, server=choices.server)
    @gate("players.kick")
    async def kick(self, call: Call, player: str, reason: app_commands.Range[str, 1, 200], server: str = "") -> Reply:
        return await _kick(call, player, reason, server)

    @app_commands.command(name="link", description="Say which member of this community a player is")
    @app_commands.describe(player="The player", member="Who they are here; they can read their own bans then")
    @app_commands.autocomplete(player=choices.player)
    @gate("players.kick")
    async def link(self, call: Call, player: str, member: discord.User) -> Reply:
        who = Caller(user_id=member.id, username=member.name, display_name=member.display_name)
        return Reply(confirm.done(await call.services.players.link(call.actor, player, who)))


async def _kick(call: Call, player: str, reason: str, server: str = "") -> Reply:
    return Reply(confirm.done(await call.services.players.kick(call.actor, player, reason, server)))


@action("players.profile", "players.view", Show.PRIVATE)
async def profile(call: Call) -> Reply:
    """A row of /players was picked."""
    try:
        player_id = UUID(call.value())
    except ValueError as error:
        raise Invalid("This list is not one of ours.", "Open it again with `/players`.") from error
    seen = await call.services.players.show(call.actor, player_id)
    return Reply(players.profile_card(seen, may_kick=call.actor.may_on("players.kick", seen.server_id)))


@action("player.kick", "players.kick", Show.FORM)
async def ask_reason(call: Call, player: UUID) -> Reply:
    """The Kick button: a kick needs a reason."""
    seen = await call.services.players.show(call.actor, player)
    return Reply(form=players.kick_form(seen.player_id.hex))


@action("player.kicked", "players.kick", Show.PRIVATE, fields=("reason",))
async def kicked(call: Call, player: UUID) -> Reply:
    """The reason was given."""
    return await _kick(call, str(player), call.value("reason"))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(PlayerCog())
