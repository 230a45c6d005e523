"""/ban: add, lift, show, list."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate
from bot.ui import bans, confirm
from bot.ui.cards import listing
from cogs import choices

_STATES = [app_commands.Choice(name=name, value=value) for name, value in (
    ("active", "active"), ("over", "expired"), ("lifted", "revoked"))]  # fmt: skip


@app_commands.guild_only()
@app_commands.default_permissions(ban_members=True)
class BanCog(commands.GroupCog, group_name="ban", group_description="Bans: one case a person, on every server"):
    """Handlers of /ban."""

    @app_commands.command(name="add", description="Ban a player; you see first what will happen")
    @app_commands.describe(
        player="Who: a name, or an id such as steam:7656…",
        reason="The player reads it",
        duration="7d, 2w, until friday 18:00, or permanent",
        server="Only there; else on every server",
        note="For staff only",
    )
    @app_commands.autocomplete(player=choices.player, duration=choices.ban_duration, server=choices.server)
    @gate("bans.create")
    async def add(
        self, call: Call, player: str, reason: str, duration: str = "", server: str = "", note: str = ""
    ) -> Reply:
        asked = await call.services.ban_adding.ask(
            call.actor, player, reason, duration=duration, server=server, note=note
        )
        return Reply(bans.preview_card(asked))

    @app_commands.command(name="lift", description="End a ban before its time")
    @app_commands.describe(case="Which ban", reason="Shown in its history")
    @app_commands.autocomplete(case=choices.active_ban)
    @gate("bans.revoke")
    async def lift(self, call: Call, case: str, reason: str) -> Reply:
        return Reply(confirm.question(await call.services.ban_lifting.ask(call.actor, case, reason)))

    @app_commands.command(name="show", description="One ban: what each server has of it, and its history")
    @app_commands.describe(case="Which ban")
    @app_commands.autocomplete(case=choices.ban)
    @gate("bans.view")
    async def show(self, call: Call, case: str) -> Reply:
        return await _show(call, case)

    @app_commands.command(name="list", description="Bans, newest first")
    @app_commands.describe(state="Only in this state", server="Only of this server")
    @app_commands.choices(state=_STATES)
    @app_commands.autocomplete(server=choices.server)
    @gate("bans.view")
    async def list(self, call: Call, state: str = "", server: str = "") -> Reply:
        # the pages carry the id: a name may be too long for a button, or hold what separates its arguments
        known = (await call.services.servers.show(call.actor, server)).id.hex if server else ""
        return await _page(call, state, known, 0)


async def _show(call: Call, case: str) -> Reply:
    return Reply(bans.case_card(await call.services.bans.show(call.actor, case)))


@action("ban.open", "bans.view", Show.PRIVATE)
async def open_case(call: Call, number: int) -> Reply:
    """The button of a notice."""
    return await _show(call, str(number))


@action("ban.lift", "bans.revoke", Show.FORM)
async def ask_reason(call: Call, number: int) -> Reply:
    """The button of a case: a lift needs a reason."""
    file = await call.services.bans.show(call.actor, str(number))
    return Reply(form=bans.lift_form(file.case.number))


@action("ban.lifting", "bans.revoke", Show.PRIVATE, fields=("reason",))
async def lifting(call: Call, number: int) -> Reply:
    """The reason was given."""
    asked = await call.services.ban_lifting.ask(call.actor, str(number), call.value("reason"))
    return Reply(confirm.question(asked))


@action("ban.page", "bans.view")
async def _page(call: Call, state: str, server: str, page: int) -> Reply:
    found = await call.services.bans.list(call.actor, status=state, server=server, page=page)
    lines = [bans.line(case) for case in found.rows]
    empty = "No ban is like that." if state or server else "Nobody is banned."
    return Reply(
        listing("Bans", lines, empty=empty, page=found.number, more=found.more, route="ban.page", args=(state, server))
    )


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(BanCog())
