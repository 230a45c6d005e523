"""/host: add, list, show, rename, rotate-key, revoke, remove."""

from discord import app_commands
from discord.ext import commands

from bot.domain.words import safe
from bot.gate import Call, Reply, action, gate
from bot.ui import confirm, hosts
from bot.ui.cards import listing, notice
from cogs import choices


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class HostCog(commands.GroupCog, group_name="host", group_description="The machines where the games run"):
    """Handlers of /host."""

    @app_commands.command(name="add", description="Pair a machine: a command to run there, good for 15 minutes")
    @app_commands.describe(name="As the machine is called here")
    @gate("nodes.create")
    async def add(self, call: Call, name: app_commands.Range[str, 1, 100]) -> Reply:
        return Reply(hosts.pairing_card(await call.services.hosts.add(call.actor, name), call.services.public_url()))

    @app_commands.command(name="list", description="All hosts")
    @gate("nodes.view")
    async def list(self, call: Call) -> Reply:
        return await _page(call, 0)

    @app_commands.command(name="show", description="A host: its agent, load, games and servers")
    @app_commands.describe(host="Which host")
    @app_commands.autocomplete(host=choices.host)
    @gate("nodes.view")
    async def show(self, call: Call, host: str) -> Reply:
        return Reply(hosts.host_card(await call.services.hosts.show(call.actor, host)))

    @app_commands.command(name="rename", description="Call a host something else")
    @app_commands.describe(host="Which host", name="As it shall be called")
    @app_commands.autocomplete(host=choices.host)
    @gate("nodes.edit")
    async def rename(self, call: Call, host: str, name: app_commands.Range[str, 1, 100]) -> Reply:
        before, after = await call.services.hosts.rename(call.actor, host, name)
        return Reply(notice(f"{safe(before)} is called {safe(after)} now", "Its servers and its history stay with it."))

    @app_commands.command(name="rotate-key", description="Give a host's agent a new key")
    @app_commands.describe(host="Which host")
    @app_commands.autocomplete(host=choices.host)
    @gate("security.sessions")
    async def rotate_key(self, call: Call, host: str) -> Reply:
        card = await call.services.hosts.rotate_key(call.actor, host)
        text = "Its next heartbeat brings the new key; the old one ends when that is used."
        return Reply(notice(f"{safe(card.name)} gets a new key", text))

    @app_commands.command(name="revoke", description="Shut a host's agent out at once; what runs there goes on")
    @app_commands.describe(host="Which host")
    @app_commands.autocomplete(host=choices.host)
    @gate("security.sessions")
    async def revoke(self, call: Call, host: str) -> Reply:
        card = await call.services.hosts.revoke(call.actor, host)
        text = "Its games go on running. `/host add` with the same name pairs it again."
        return Reply(notice(f"{safe(card.name)} is shut out", text))

    @app_commands.command(name="remove", description="Remove a host that has no servers any more")
    @app_commands.describe(host="Which host")
    @app_commands.autocomplete(host=choices.host)
    @gate("nodes.delete")
    async def remove(self, call: Call, host: str) -> Reply:
        return Reply(confirm.question(await call.services.hosts.ask_remove(call.actor, host)))


@action("host.page", "nodes.view")
async def _page(call: Call, page: int) -> Reply:
    found = await call.services.hosts.list(call.actor, page)
    lines = [hosts.line(card) for card in found.rows]
    empty = "No hosts yet. `/host add` pairs the first one."
    return Reply(listing("Hosts", lines, empty=empty, page=found.number, more=found.more, route="host.page"))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(HostCog())
