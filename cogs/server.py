"""/server: list, control card, start, stop, restart, kill, cancel, postpone, history."""

from discord import app_commands
from discord.ext import commands

from bot.domain.words import safe
from bot.gate import Call, Reply, Show, action, gate
from bot.ui import confirm, servers
from bot.ui.cards import listing
from cogs import choices

_STATUS = [
    app_commands.Choice(name=name, value=name) for name in ("running", "stopped", "crashed", "starting", "unknown")
]
_WHEN = "now, when empty max 3h, in 15 minutes, 18:30, friday 6:00"


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class ServerCog(commands.GroupCog, group_name="server", group_description="Game servers: see and control them"):
    """Handlers of /server."""

    @app_commands.command(name="list", description="All game servers")
    @app_commands.describe(state="Only servers in this state", tag="Only servers with this tag")
    @app_commands.choices(state=_STATUS)
    @gate("servers.view")
    async def list(self, call: Call, state: str = "", tag: str = "") -> Reply:
        return await _list(call, state, tag, 0)

    @app_commands.command(name="show", description="A server's control card")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.view")
    async def show(self, call: Call, server: str) -> Reply:
        return await _card(call, server)

    @app_commands.command(name="start", description="Start a server")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.start")
    async def start(self, call: Call, server: str) -> Reply:
        return await _start(call, server)

    @app_commands.command(name="stop", description="Stop a server")
    @app_commands.describe(server="Which server", when=_WHEN, reason="Players read it, too")
    @app_commands.autocomplete(server=choices.server, when=choices.when)
    @gate("servers.stop")
    async def stop(
        self, call: Call, server: str, when: str = "", reason: app_commands.Range[str, 0, 300] = ""
    ) -> Reply:
        return Reply(
            confirm.question(await call.services.power.ask(call.actor, server, "stop", when_text=when, reason=reason))
        )

    @app_commands.command(name="restart", description="Restart a server")
    @app_commands.describe(server="Which server", when=_WHEN, reason="Players read it, too")
    @app_commands.autocomplete(server=choices.server, when=choices.when)
    @gate("servers.restart")
    async def restart(
        self, call: Call, server: str, when: str = "", reason: app_commands.Range[str, 0, 300] = ""
    ) -> Reply:
        asked = await call.services.power.ask(call.actor, server, "restart", when_text=when, reason=reason)
        return Reply(confirm.question(asked))

    @app_commands.command(name="kill", description="End a server's process at once; what is not saved is lost")
    @app_commands.describe(server="Which server", reason="Shown in the audit log")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.kill")
    async def kill(self, call: Call, server: str, reason: app_commands.Range[str, 1, 300]) -> Reply:
        return Reply(confirm.question(await call.services.power.ask(call.actor, server, "kill", reason=reason)))

    @app_commands.command(name="cancel", description="Cancel what is waiting or under way on a server")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.view")
    async def cancel(self, call: Call, server: str) -> Reply:
        return await _cancel(call, server)

    @app_commands.command(name="postpone", description="Move a planned stop or restart")
    @app_commands.describe(server="Which server", duration="By how much, such as 15m or 1h 30m")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.view")
    async def postpone(self, call: Call, server: str, duration: app_commands.Range[str, 1, 40]) -> Reply:
        return Reply(confirm.done(await call.services.power.postpone(call.actor, server, duration)))

    @app_commands.command(name="history", description="What happened to a server")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.view")
    async def history(self, call: Call, server: str) -> Reply:
        return await _history(call, server, 0)


@action("server.list", "servers.view")
async def _list(call: Call, state: str, tag: str, page: int) -> Reply:
    found = await call.services.servers.list(call.actor, status=state, tag=tag, page=page)
    lines = [servers.line(server) for server in found.rows]
    empty = "No servers yet. `/fleet add` adds the first one." if not state and not tag else "No server is like that."
    return Reply(
        listing(
            "Servers", lines, empty=empty, page=found.number, more=found.more, route="server.list", args=(state, tag)
        )
    )


@action("server.show", "servers.view")
async def _card(call: Call, server: str) -> Reply:
    found = await call.services.servers.show(call.actor, server)
    return Reply(servers.control_card(found, call.actor.on(found.id)))


@action("server.open", "servers.view", Show.PRIVATE)
async def _open(call: Call, server: str) -> Reply:
    return await _card(call, server)


@action("server.start", "servers.start", Show.PRIVATE)
async def _start(call: Call, server: str) -> Reply:
    return Reply(confirm.done(await call.services.power.start(call.actor, server)))


@action("server.restart", "servers.restart", Show.PRIVATE)
async def _restart(call: Call, server: str) -> Reply:
    return Reply(confirm.question(await call.services.power.ask(call.actor, server, "restart")))


@action("server.stop", "servers.stop", Show.PRIVATE)
async def _stop(call: Call, server: str) -> Reply:
    return Reply(confirm.question(await call.services.power.ask(call.actor, server, "stop")))


@action("server.cancel", "servers.view", Show.PRIVATE)
async def _cancel(call: Call, server: str) -> Reply:
    return Reply(confirm.done(await call.services.power.cancel(call.actor, server)))


@action("server.history", "servers.view")
async def _history(call: Call, server: str, page: int) -> Reply:
    card, found = await call.services.servers.history(call.actor, server, page)
    lines = [servers.happening(entry) for entry in found.rows]
    title = f"History of {safe(card.name)}"
    return Reply(
        listing(
            title,
            lines,
            empty="Nothing yet.",
            page=found.number,
            more=found.more,
            route="server.history",
            args=(card.id,),
        )
    )


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ServerCog())
