"""/audit: search, show."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import Invalid
from bot.gate import Call, Reply, action, gate
from bot.services import audit as log
from bot.ui import audit
from bot.ui.ids import Short
from cogs import choices

_RESULTS = [app_commands.Choice(name=name, value=name) for name in ("success", "denied", "failed")]


@app_commands.guild_only()
@app_commands.default_permissions(view_audit_log=True)
class AuditCog(commands.GroupCog, group_name="audit", group_description="Who did what"):
    """Handlers of /audit."""

    @app_commands.command(name="search", description="Who did what, newest first")
    @app_commands.describe(
        by="Who did it",
        action="What was done",
        target="On which server",
        since="Such as 24h or 7d",
        result="How it ended",
    )
    @app_commands.choices(result=_RESULTS)
    @app_commands.autocomplete(action=choices.audit_action, target=choices.server)
    @gate("audit.view")
    async def search(
        self,
        call: Call,
        by: discord.User | None = None,
        action: app_commands.Range[str, 0, 24] = "",
        target: str = "",
        since: str = "",
        result: str = "",
    ) -> Reply:
        return await _search(call, by.id if by else None, action, target, since, result)

    @app_commands.command(name="show", description="One entry, whole")
    @app_commands.describe(entry="Its number, from /audit search")
    @gate("audit.view")
    async def show(self, call: Call, entry: app_commands.Range[int, 1]) -> Reply:
        return Reply(audit.entry_card(await call.services.audit.show(call.actor, entry)))


async def _search(call: Call, by: int | None, what: str, target_ref: str, since_text: str, result: str) -> Reply:
    if ":" in what:
        raise Invalid("An action has no `:`.", "Pick one of the suggestions.")
    wanted = log.Filter(by, what or None, log.target(target_ref), log.since(since_text), result or None)
    return Reply(audit.page_card(await call.services.audit.search(call.actor, wanted)))


@action("audit.page", "audit.view")
async def page(call: Call, by: Short, what: str, packed: str, seconds: Short, result: str, before: Short) -> Reply:
    """The next page of a search."""
    wanted = log.Filter(
        by or None, what or None, audit.unpack(packed), audit.moment(seconds), audit.OUTCOMES.get(result)
    )
    return Reply(audit.page_card(await call.services.audit.search(call.actor, wanted, before)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(AuditCog())
