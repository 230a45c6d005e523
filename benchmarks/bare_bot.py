"""The baseline: what somebody writes in ten minutes with discord.py, one asyncpg round trip and nothing else."""

import importlib
import os
from typing import Any, Final, cast

import discord
from discord import app_commands
from discord.ext import commands

_NAME: Final = "select name from orgs where discord_guild_id = $1"
_ROW: Final = """
    insert into audit_logs (org_id, discord_guild_id, action, outcome, resource_type, command, interaction_id)
    select id, $1, 'durable', 'success', 'command', 'durable', $2 from orgs where discord_guild_id = $1"""


class Bare(commands.AutoShardedBot):
    """Answers with the name of the org, read from the database where there is one; `/durable` leaves an audit row."""

    def __init__(self, database: str) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned, help_command=None, intents=discord.Intents(guilds=True)
        )
        self.database = database
        self.pool: Any = None

    async def setup_hook(self) -> None:
        if self.database:
            pools: Any = importlib.import_module("asyncpg")  # comes without types
            self.pool = await pools.create_pool(self.database, min_size=10, max_size=10)
        self.tree.add_command(cast("app_commands.Command[Any, ..., Any]", bare))

        self.tree.add_command(cast("app_commands.Command[Any, ..., Any]", durable))

    async def name_of(self, guild: int | None) -> str:
        if self.pool is None:
            return "no database"
        return await self.pool.fetchval(_NAME, guild)


@app_commands.command(name="bare", description="The baseline")
async def bare(interaction: discord.Interaction[Bare]) -> None:
    """One round trip, one answer."""
    name = await interaction.client.name_of(interaction.guild_id)
    await interaction.response.send_message(name, ephemeral=True)


@app_commands.command(name="durable", description="The least that an audited look-up can cost")
async def durable(interaction: discord.Interaction[Bare]) -> None:
    """One round trip, one row that is durable before the answer."""
    name = await interaction.client.name_of(interaction.guild_id)
    await interaction.client.pool.execute(_ROW, interaction.guild_id, interaction.id)
    await interaction.response.send_message(name, ephemeral=True)


def run() -> None:
    """Connects until the process is ended."""
    Bare(os.environ.get("BARE_DATABASE", "")).run(os.environ["BARE_TOKEN"], log_handler=None)
