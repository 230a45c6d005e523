"""/macro: add, run, list, remove."""

from uuid import UUID

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate, suggest
from bot.services.confirmations import Question
from bot.services.macros_adding import MACROS, Wish
from bot.ui import confirm, macros
from bot.ui.cards import listing
from cogs import choices

_ACTIONS = [app_commands.Choice(name=name, value=name) for name in MACROS]


@suggest
async def _macro(call: Call, current: str) -> choices.Choices:
    """Macros by name; the value is the id."""
    found = await call.services.macros.suggest(call.actor, current)
    return [app_commands.Choice(name=macros.short(macro), value=str(macro.id)) for macro in found]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class MacroCog(commands.GroupCog, group_name="macro", group_description="Commands that you put together"):
    """Handlers of /macro."""

    @app_commands.command(name="add", description="Put a command together that others may run")
    @app_commands.describe(
        name="What to call it",
        action="What it does",
        text="Such as: say {{name}} wins {{amount:number 1-100}} on {{map:choice dm1|dm2}}",
        server="Only on this server; else on all that can do it",
        description="What it is for",
    )
    @app_commands.choices(action=_ACTIONS)
    @app_commands.autocomplete(server=choices.server)
    @gate("macros.manage")
    async def add(
        self, call: Call, name: str, action: str, text: str, server: str = "", description: str = ""
    ) -> Reply:
        wish = Wish(name, action, text, server, description)
        return Reply(macros.preview(await call.services.macro_adding.ask(call.actor, wish)))

    @app_commands.command(name="run", description="Run a macro; a form asks for what it needs")
    @app_commands.describe(macro="Which macro", server="On which server")
    @app_commands.autocomplete(macro=_macro, server=choices.server)
    @gate("macros.run", Show.FORM)
    async def run(self, call: Call, macro: str, server: str) -> Reply:
        begun = await call.services.macros.begin(call.actor, macro, server)
        return Reply(confirm.question(begun)) if isinstance(begun, Question) else Reply(form=macros.form(begun))

    @app_commands.command(name="list", description="The macros that there are, and what they ask for")
    @gate("macros.run")
    async def list(self, call: Call) -> Reply:
        return await _page(call, 0)

    @app_commands.command(name="remove", description="Remove a macro")
    @app_commands.describe(macro="Which macro")
    @app_commands.autocomplete(macro=_macro)
    @gate("macros.manage")
    async def remove(self, call: Call, macro: str) -> Reply:
        return Reply(confirm.question(await call.services.macros.ask_remove(call.actor, macro)))


@action("macro.filled", "macros.run", Show.PRIVATE, fields=("param.*",))
async def filled(call: Call, macro: UUID, server: UUID) -> Reply:
    """The form of /macro run."""
    typed = {name.removeprefix("param."): call.value(name) for name in call.values}
    return Reply(macros.ran(await call.services.macros.run(call.actor, macro, server, typed)))


@action("macro.page", "macros.run")
async def _page(call: Call, page: int) -> Reply:
    found = await call.services.macros.list(call.actor, page)
    lines = [macros.line(macro) for macro in found.rows]
    empty = "There is no macro yet. `/macro add` makes the first one."
    return Reply(listing("Macros", lines, empty=empty, page=found.number, more=found.more, route="macro.page"))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(MacroCog())
