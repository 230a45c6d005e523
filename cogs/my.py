"""/my: what concerns only oneself, in a direct message too."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate
from bot.services.privacy import WORDS
from bot.ui import access, bans_public, privacy
from bot.ui.ids import Short
from cogs import access_choices, choices, people


class MyCog(commands.GroupCog, group_name="my", group_description="What concerns you"):
    """Handlers of /my."""

    @app_commands.command(name="bans", description="Your own bans: why, until when, where")
    @gate("")
    async def bans(self, call: Call) -> Reply:
        return await _bans(call, 0)

    @app_commands.command(name="export", description="What is kept about you, as a file")
    @gate("")
    async def export(self, call: Call) -> Reply:
        file = await call.services.privacy.export(call.actor)
        card = privacy.export_card(file, everywhere=call.actor.org_id is None)
        return Reply(card, files=[discord.File(file.content, file.name)])

    @app_commands.command(name="forget", description="Lets the bot forget you; shows what goes and what stays first")
    @gate("")
    async def forget(self, call: Call) -> Reply:
        return Reply(privacy.plan_card(await call.services.privacy.plan(call.actor)))

    @app_commands.command(name="why", description="Why you may do something here or not, and who could change it")
    @app_commands.describe(permission="What", server="On which server")
    @app_commands.autocomplete(permission=access_choices.permission, server=choices.server)
    @gate("")
    async def why(self, call: Call, permission: str, server: str = "") -> Reply:
        found = await call.services.access_sight.why(call.actor, people.oneself(call.actor), permission, server)
        return Reply(access.why_card(found))


@action("my.bans", "")
async def _bans(call: Call, page: int) -> Reply:
    found = await call.services.bans.mine(call.actor, page)
    return Reply(bans_public.own_card(found, everywhere=call.actor.org_id is None))


@action("my.forget", "", Show.FORM)
async def ask_words(call: Call, asked: Short) -> Reply:
    """The button under what goes and what stays. A direct message has no org that could keep the question, so the
    button carries its time; who presses it can only ever forget themselves."""
    return Reply(form=privacy.forget_form(asked, WORDS))


@action("my.forgotten", "", fields=("words",))
async def forgotten(call: Call, asked: Short) -> Reply:
    """The words were typed."""
    return Reply(privacy.forgotten_card(await call.services.privacy.forget(call.actor, asked, call.value("words"))))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(MyCog())
