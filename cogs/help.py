"""/help: what the caller may run, as commands that can be clicked."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Spec, gate, suggest
from bot.ui import help as pages


def _topics(bot: commands.Bot) -> list[pages.Topic]:
    """Every command with the permission that its gate declares, in the order of the tree."""
    found: dict[str, list[pages.Entry]] = {}
    for command in sorted(bot.tree.walk_commands(), key=lambda command: command.qualified_name):
        if isinstance(command, app_commands.Command):
            spec: Spec = command.callback.__gated__  # type: ignore[attr-defined]  # set by @gate, checked at start
            topic = command.qualified_name.split(" ", 1)[0]
            hidden = (command.root_parent or command).default_permissions
            found.setdefault(topic, []).append(
                pages.Entry(command.qualified_name, command.description, spec.permission, hidden.value if hidden else 0)
            )
    return [pages.Topic(name, entries) for name, entries in found.items()]


class HelpCog(commands.Cog):
    """Handler of /help."""

    def __init__(self, bot: commands.Bot) -> None:
        self.bot = bot

    def _able(self, call: Call) -> list[pages.Topic]:
        return pages.allowed(_topics(self.bot), call.actor.may, call.actor.discord_permissions)

    @suggest
    async def topics(self, call: Call, current: str) -> list[app_commands.Choice[str]]:
        """Topics with something that the caller may run."""
        able = self._able(call)
        return [
            app_commands.Choice(name=topic.name, value=topic.name) for topic in able if current.lower() in topic.name
        ]

    @app_commands.command(name="help", description="What you may do here")
    @app_commands.describe(topic="Only these commands")
    @app_commands.autocomplete(topic=topics)
    @gate("")
    async def help(self, call: Call, topic: str = "") -> Reply:
        able = self._able(call)
        return Reply(pages.help_card(able, topic, call.services.state.mention))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(HelpCog(bot))
