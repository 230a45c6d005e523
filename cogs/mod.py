"""/mod: upload, deploy, rollback, list, history."""

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.domain.words import safe, storable
from bot.errors import Unavailable
from bot.gate import Call, Reply, Show, action, gate
from bot.services.artifacts import Attachment, Upload
from bot.ui import confirm, mods
from bot.ui.cards import listing
from cogs import choices

_Short = app_commands.Range[str, 0, 100]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class ModCog(commands.GroupCog, group_name="mod", group_description="Mods: upload, deploy, take back"):
    """Handlers of /mod."""

    @app_commands.command(name="upload", description="Add a version of a mod, as a file or from an https address")
    @app_commands.describe(
        file="A ZIP file of one mod, or its single file",
        url="An https address instead of a file",
        sha256="What the file has to be; needed with an address",
        game="Which game, if the file does not show it",
        name="How the mod is called, if the file does not say it",
        version="Such as 1.0, if the file does not say it",
    )
    @app_commands.autocomplete(game=choices.mod_game)
    @gate("workshop.manage")
    async def upload(
        self,
        call: Call,
        file: discord.Attachment | None = None,
        url: app_commands.Range[str, 0, 1000] = "",
        sha256: _Short = "",
        game: _Short = "",
        name: _Short = "",
        version: _Short = "",
    ) -> Reply:
        upload = Upload(_attachment(file), url.strip(), sha256.strip(), game.strip(), name.strip(), version.strip())
        return Reply(mods.uploaded(await call.services.artifacts.upload(call.actor, upload)))

    @app_commands.command(name="deploy", description="Put a version of a mod on a server")
    @app_commands.describe(server="Which server", mod="Which mod", version="Which version; the newest if left out")
    @app_commands.autocomplete(server=choices.server, mod=choices.mod, version=choices.mod_version)
    @gate("mods.deploy")
    async def deploy(self, call: Call, server: str, mod: str, version: str = "") -> Reply:
        return Reply(confirm.question(await call.services.mods.ask_deploy(call.actor, server, mod, version)))

    @app_commands.command(name="rollback", description="Bring back a version of a mod that a server had before")
    @app_commands.describe(server="Which server", mod="Which mod", to="Which version; the one before if left out")
    @app_commands.autocomplete(server=choices.server, mod=choices.mod, to=choices.mod_earlier)
    @gate("mods.deploy")
    async def rollback(self, call: Call, server: str, mod: str, to: str = "") -> Reply:
        return Reply(confirm.question(await call.services.mods.ask_rollback(call.actor, server, mod, to)))

    @app_commands.command(name="list", description="The mods that a server has, and what was deployed to it")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("workshop.view")
    async def list(self, call: Call, server: str) -> Reply:
        return await _list(call, server, 0)

    @app_commands.command(name="history", description="What was deployed to a server")
    @app_commands.describe(server="Which server")
    @app_commands.autocomplete(server=choices.server)
    @gate("workshop.view")
    async def history(self, call: Call, server: str) -> Reply:
        return await _history(call, server, 0)


@action("mod.list", "workshop.view")
async def _list(call: Call, server: str, page: int) -> Reply:
    card, found = await call.services.mods.inventory(call.actor, server, page)
    lines = [mods.there(mod) for mod in found.rows]
    return Reply(
        listing(
            f"Mods on {safe(card.name)}",
            lines,
            empty="None that its host has reported. `/mod deploy` puts one there.",
            page=found.number,
            more=found.more,
            route="mod.list",
            args=(card.id,),
        )
    )


@action("mod.history", "workshop.view")
async def _history(call: Call, server: str, page: int) -> Reply:
    card, found = await call.services.mods.history(call.actor, server, page)
    lines = [mods.line(deployment) for deployment in found.rows]
    return Reply(
        listing(
            f"Deployments to {safe(card.name)}",
            lines,
            empty="Nothing was deployed yet. `/mod deploy` does.",
            page=found.number,
            more=found.more,
            route="mod.history",
            args=(card.id,),
        )
    )


@action("mod.force", "mods.deploy", Show.PRIVATE)
async def _force(call: Call, number: int) -> Reply:
    return Reply(confirm.question(await call.services.mods.ask_force(call.actor, number)))


def _attachment(file: discord.Attachment | None) -> Attachment | None:
    if file is None:
        return None

    async def read() -> bytes:
        try:
            return await file.read()
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            raise Unavailable("Discord does not hand the file out.", "Attach it again.") from error

    return Attachment(storable(file.filename), file.size, read)


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ModCog())
