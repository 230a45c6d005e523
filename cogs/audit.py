"""/audit: search, show, export, verify, denied, mine."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import Invalid
from bot.gate import Call, Reply, action, gate
from bot.services import audit as log
from bot.ui import audit, seals
from bot.ui.ids import Short
from cogs import choices

_RESULTS = [app_commands.Choice(name=name, value=name) for name in ("success", "denied", "failed")]


@app_commands.allowed_contexts(guilds=True, dms=True)
@app_commands.default_permissions(view_audit_log=True)
class AuditCog(commands.GroupCog, group_name="audit", group_description="Who did what"):
    """Handlers of /audit. In a direct message only `mine` has something to say."""

    @app_commands.command(name="search", description="Who did what, newest first")
    @app_commands.describe(
        by="Who did it",
        action="What was done",
        target="On which server, host, player or member",
        since="Such as 24h or 7d, or a day",
        result="How it ended",
    )
    @app_commands.choices(result=_RESULTS)
    @app_commands.autocomplete(action=choices.audit_action, target=choices.audit_target)
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
    @app_commands.describe(entry="Its number, or the reference of an answer")
    @app_commands.autocomplete(entry=choices.audit_entry)
    @gate("audit.view")
    async def show(self, call: Call, entry: str) -> Reply:
        return Reply(audit.entry_card(await call.services.audit.show(call.actor, entry)))

    @app_commands.command(name="export", description="The log as a file, for spreadsheets and programs")
    @app_commands.describe(
        format="CSV opens in spreadsheets", since="Such as 30d, or a day", until="The same; else now"
    )
    @gate("audit.export")
    async def export(self, call: Call, format: Literal["csv", "json"], since: str = "", until: str = "") -> Reply:
        begin, end = log.moment(since), log.moment(until)
        found = await call.services.audit_export.export(call.actor, format, begin, end)
        return Reply(audit.export_card(found), files=[discord.File(found.file.content, found.file.name)])

    @app_commands.command(name="verify", description="Whether the log is what was sealed, minute by minute")
    @app_commands.describe(seal="The number or the hash of a seal that was posted, to be looked for")
    @gate("audit.view")
    async def verify(self, call: Call, seal: app_commands.Range[str, 0, 100] = "") -> Reply:
        return Reply(seals.verified_card(await call.services.audit_verify.verify(call.actor, seal)))

    @app_commands.command(name="denied", description="Who was refused what, newest first")
    @gate("security.logs")
    async def denied(self, call: Call) -> Reply:
        return await _denied(call, Short(0))

    @app_commands.command(name="mine", description="What you did yourself; in a direct message in every community")
    @gate("")
    async def mine(self, call: Call) -> Reply:
        return await _mine(call, Short(0))


async def _search(call: Call, by: int | None, what: str, target_ref: str, since_text: str, result: str) -> Reply:
    if ":" in what:
        raise Invalid("An action has no `:`.", "Pick one of the suggestions.")
    target, since = await call.services.audit.target(call.actor, target_ref), log.moment(since_text)
    wanted = log.Filter(by, what or None, target, since, result or None)
    return Reply(audit.page_card(await call.services.audit.search(call.actor, wanted)))


@action("audit.page", "audit.view")
async def page(call: Call, by: Short, what: str, packed: str, seconds: Short, result: str, before: Short) -> Reply:
    """Another page of a search."""
    wanted = log.Filter(by or None, what or None, audit.unpack(packed), audit.moment(seconds), audit.result(result))
    return Reply(audit.page_card(await call.services.audit.search(call.actor, wanted, before or None)))


@action("audit.result", "audit.view")
async def chosen(call: Call, by: Short, what: str, packed: str, seconds: Short) -> Reply:
    """The same search for another result."""
    return await page(call, by, what, packed, seconds, call.value(), Short(0))


@action("audit.denied", "security.logs")
async def _denied(call: Call, before: Short) -> Reply:
    return Reply(audit.denied_card(await call.services.audit.denied(call.actor, before or None)))


@action("audit.mine", "")
async def _mine(call: Call, before: Short) -> Reply:
    return Reply(audit.own_card(await call.services.audit.mine(call.actor, before or None)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(AuditCog())
