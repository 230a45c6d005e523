"""/batch: start, show, stop; and the buttons of a batch's message."""

from discord import app_commands
from discord.ext import commands

from bot.domain.batches import BATCHED, MOST_PARALLEL
from bot.gate import Call, Reply, Show, action, gate, suggest
from bot.services.batches_planning import Wish
from bot.ui import batches, confirm
from cogs import choices

_ACTIONS = [app_commands.Choice(name=name, value=name) for name in BATCHED]


@suggest
async def _any(call: Call, current: str) -> list[app_commands.Choice[str]]:
    """Batches by number, action or tag, the newest first."""
    found = await call.services.batches.suggest(call.actor, current)
    return [app_commands.Choice(name=batches.short(batch), value=batches.number(batch)) for batch in found]


@suggest
async def _live(call: Call, current: str) -> list[app_commands.Choice[str]]:
    """Batches that go on."""
    found = await call.services.batches.suggest(call.actor, current, live=True)
    return [app_commands.Choice(name=batches.short(batch), value=batches.number(batch)) for batch in found]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class BatchCog(commands.GroupCog, group_name="batch", group_description="One action on every server with a tag"):
    """Handlers of /batch."""

    @app_commands.command(name="start", description="Do something on every server with a tag, some at a time")
    @app_commands.describe(
        action="What to do",
        tag="On the servers with this tag",
        parallel="How many at a time; 1 if left out: one after the other. Announcements: all at once",
        stop_on_failure="Begin no further one when one fails",
        text="What to announce",
        mod="Which mod to deploy",
        version="Which version of it; the newest if left out",
    )
    @app_commands.choices(action=_ACTIONS)
    @app_commands.autocomplete(tag=choices.tag, mod=choices.mod, version=choices.mod_version)
    @gate("batches.run")
    async def start(
        self,
        call: Call,
        action: str,
        tag: str,
        parallel: app_commands.Range[int, 1, MOST_PARALLEL] = 0,
        stop_on_failure: bool = False,
        text: str = "",
        mod: str = "",
        version: str = "",
    ) -> Reply:
        wish = Wish(action, tag, parallel, stop_on_failure, text, mod, version)
        return Reply(confirm.question(await call.services.batch_starting.ask(call.actor, wish)))

    @app_commands.command(name="show", description="How a batch goes, server by server")
    @app_commands.describe(batch="Which batch")
    @app_commands.autocomplete(batch=_any)
    @gate("jobs.view")
    async def show(self, call: Call, batch: str) -> Reply:
        return await _shown(call, "all", batch, 0)

    @app_commands.command(name="stop", description="Let a batch begin nothing more; what is under way ends")
    @app_commands.describe(batch="Which batch")
    @app_commands.autocomplete(batch=_live)
    @gate("batches.run")
    async def stop(self, call: Call, batch: str) -> Reply:
        return Reply(confirm.done(await call.services.batches.stop(call.actor, batch)))


async def _shown(call: Call, which: str, batch: str, page: int) -> Reply:
    found, rows = await call.services.batches.show(call.actor, batch, failed=which == "failed", page=page)
    return Reply(batches.page(found, rows, failed=which == "failed", may=call.actor.may))


@action("batch.page", "jobs.view")
async def _page(call: Call, which: str, number: int, page: int) -> Reply:
    return await _shown(call, which, str(number), page)


@action("batch.open", "jobs.view", Show.PRIVATE)
async def _open(call: Call, which: str, number: int) -> Reply:
    """Show failed and All servers, on the card."""
    return await _shown(call, which, str(number), 0)


@action("batch.stop", "batches.run", Show.PRIVATE)
async def _stop(call: Call, number: int) -> Reply:
    """Stop, on the card; a second press reads how it stands."""
    return Reply(confirm.done(await call.services.batches.stop(call.actor, str(number))))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(BatchCog())
