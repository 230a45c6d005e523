"""/my: what concerns only oneself, in a direct message too."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, action, gate
from bot.ui import bans_public


class MyCog(commands.GroupCog, group_name="my", group_description="What concerns you"):
    """Handlers of /my."""

    @app_commands.command(name="bans", description="Your own bans: why, until when, where")
    @gate("")
    async def bans(self, call: Call) -> Reply:
        return await _bans(call, 0)


@action("my.bans", "")
async def _bans(call: Call, page: int) -> Reply:
    found = await call.services.bans.mine(call.actor, page)
    return Reply(bans_public.own_card(found, everywhere=call.actor.org_id is None))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(MyCog())
