"""/console: run, search."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, action, gate
from bot.services.log_search import FEWEST, MOST
from bot.ui import confirm, logs
from bot.ui.ids import Short
from cogs import choices


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class ConsoleCog(commands.GroupCog, group_name="console", group_description="The consoles of the games"):
    """Handlers of /console."""

    @app_commands.command(name="run", description="Send one line to a server's console")
    @app_commands.describe(server="Which server", command="One line, at most 512 characters")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.console")
    async def run(self, call: Call, server: str, command: str) -> Reply:
        return Reply(confirm.done(await call.services.consoles.run(call.actor, server, command)))

    @app_commands.command(name="search", description="Look for words in a server's log")
    @app_commands.describe(
        server="Which server", text="A name, an id or a part of it", since="Such as 1h or 7d, or a day; else 24h"
    )
    @app_commands.autocomplete(server=choices.server)
    @gate("logs.view")
    async def search(
        self, call: Call, server: str, text: app_commands.Range[str, FEWEST, MOST], since: str = ""
    ) -> Reply:
        return Reply(logs.page_card(await call.services.log_search.search(call.actor, server, text, since)))


@action("console.found", "logs.view")
async def _found(call: Call, server: str, since: Short, last: Short, last_id: Short, words: str) -> Reply:
    """Older lines with the same words."""
    begin, before = logs.moment(since * 1_000_000), (logs.moment(last), int(last_id))
    page = await call.services.log_search.page(call.actor, logs.server(server), logs.words(words), begin, before)
    return Reply(logs.page_card(page))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ConsoleCog())
