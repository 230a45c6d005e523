"""A small bot of the product's shape, to test the playground by itself: groups, autocomplete, V2 cards, a worker."""

import asyncio

import discord
from discord import app_commands, ui
from discord.ext import commands

SERVERS = ("EU #1 · Teeworlds · 3/16 · up", "EU #2 · 7 Days to Die · 0/8 · up", "US #1 · Teeworlds · down")


def card(*lines: str, colour: int = 0x5865F2, button: tuple[str, str] | None = None) -> ui.LayoutView:
    """A container with text and perhaps one button (label, custom_id); discord.py keeps no reference to it."""
    view: ui.LayoutView = ui.LayoutView(timeout=None)
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay("\n".join(lines)), accent_colour=colour)
    if button:
        row: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
        row.add_item(ui.Button(label=button[0], custom_id=button[1], style=discord.ButtonStyle.danger))
        container.add_item(row)
    view.add_item(container)
    view.stop()
    return view


@app_commands.default_permissions(moderate_members=True)
class ServerCommands(commands.GroupCog, name="server"):
    """`/server restart server~ reason` and `/server note` (a modal)."""

    @app_commands.command(description="Restart a game server")
    async def restart(self, interaction: discord.Interaction, server: str, reason: str = "") -> None:
        view = card(
            f"### Restart {server}?", "3 players are online.", reason, button=("Restart", f"gk:restart:{server[:5]}")
        )
        await interaction.response.send_message(view=view, ephemeral=True)

    @restart.autocomplete("server")
    async def servers(self, _: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=s, value=s) for s in SERVERS if current.lower() in s.lower()]

    @app_commands.command(description="Leave a note")
    async def note(self, interaction: discord.Interaction) -> None:
        form = ui.Modal(title="Note", custom_id="gk:note")
        form.add_item(ui.Label(text="Text", component=ui.TextInput(custom_id="text")))
        await interaction.response.send_modal(form)
        form.stop()


class StandIn(commands.AutoShardedBot):
    """Confirmed restarts go to a queue; `work()`, which the test starts outside the bot, posts and edits their card."""

    def __init__(self) -> None:
        super().__init__(commands.when_mentioned, help_command=None, intents=discord.Intents(guilds=True))
        self.confirmed: asyncio.Queue[str] = asyncio.Queue()
        self.ops = 0

    async def setup_hook(self) -> None:
        await self.add_cog(ServerCommands())
        self.tree.command(name="status", description="Who is online")(self.answer_status)
        await self.tree.sync()

    async def answer_status(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=card("All is well."))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        data = dict(interaction.data or {})
        if interaction.type is discord.InteractionType.component:
            await interaction.response.edit_message(view=card(f"Queued J-1: see <#{self.ops}>"))
            self.confirmed.put_nowait(str(data["custom_id"]).rpartition(":")[2])
        elif interaction.type is discord.InteractionType.modal_submit:
            await interaction.response.send_message(view=card("Noted."), ephemeral=True)

    async def work(self, pause: float = 0.3) -> None:
        """Do what was confirmed, in steps that the card shows."""
        while True:
            server = await self.confirmed.get()
            message = await self.get_partial_messageable(self.ops).send(view=card(f"Restarting {server}: stopping"))
            await asyncio.sleep(pause)
            await message.edit(view=card(f"Restarting {server}: starting"))
            await asyncio.sleep(pause)
            await message.edit(view=card(f"{server} restarted in 0.6 s", colour=0x248046))
