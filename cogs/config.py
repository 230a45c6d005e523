"""/config: show, set."""

from discord import app_commands
from discord.ext import commands

from bot.domain import settings
from bot.domain.settings import SETTINGS
from bot.gate import Call, Reply, gate, suggest
from bot.ui import config


@suggest
async def _key(call: Call, current: str) -> list[app_commands.Choice[str]]:
    """Settings with their present values."""
    values = await call.services.config.suggest(call.actor)
    wanted = current.strip().lower()
    found = [SETTINGS[key] for key in values if wanted in f"{key} {SETTINGS[key].words}".lower()]
    return [app_commands.Choice(name=config.short(one, values[one.key]), value=one.key) for one in found]


@suggest
async def _value(call: Call, current: str) -> list[app_commands.Choice[str]]:
    """Values of the setting that was chosen."""
    setting = SETTINGS.get(call.value("key"))
    if setting is None:
        return []
    return [app_commands.Choice(name=value, value=value) for value in settings.offered(setting, current)]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class ConfigCog(commands.GroupCog, group_name="config", group_description="The settings of this community"):
    """Handlers of /config."""

    @app_commands.command(name="show", description="Every setting, what it does and what it may be")
    @gate("settings.view")
    async def show(self, call: Call) -> Reply:
        return Reply(config.list_card(await call.services.config.show(call.actor), call.services.state.mention))

    @app_commands.command(name="set", description="Change a setting")
    @app_commands.describe(key="Which setting", value="What it is to be")
    @app_commands.autocomplete(key=_key, value=_value)
    @gate("settings.edit")
    async def set(self, call: Call, key: str, value: app_commands.Range[str, 1, 100]) -> Reply:
        return Reply(config.changed_card(await call.services.config.change(call.actor, key, value)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ConfigCog())
