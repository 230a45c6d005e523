"""The buttons of every confirmation: press, type the name and press, never mind."""

from uuid import UUID

from discord.ext import commands

from bot.gate import Call, Reply, Show, action
from bot.ui import confirm
from bot.ui.cards import Colour, notice


@action("confirm.press", "")
async def press(call: Call, token: UUID) -> Reply:
    """C1. What it confirms asks for its own permission in its transaction."""
    return Reply(confirm.done(await call.services.confirmations.press(call.actor, token)))


@action("confirm.choose", "")
async def choose(call: Call, token: UUID, choice: str) -> Reply:
    """C1 in another way than the one that was asked for."""
    return Reply(confirm.done(await call.services.confirmations.press(call.actor, token, choice=choice)))


@action("confirm.type", "", Show.FORM)
async def type_name(call: Call, token: UUID) -> Reply:
    """C2, first half: asks for the name."""
    return Reply(form=confirm.typed_name(token, await call.services.confirmations.expected(call.actor, token)))


@action("confirm.typed", "", fields=("name",))
async def typed(call: Call, token: UUID) -> Reply:
    """C2, second half."""
    return Reply(confirm.done(await call.services.confirmations.press(call.actor, token, call.value("name"))))


@action("confirm.dismiss", "")
async def dismiss(call: Call, token: UUID) -> Reply:
    """Nothing is done, unless it was done already."""
    done = await call.services.confirmations.dismiss(call.actor, token)
    return Reply(confirm.done(done) if done else notice("Nothing was done.", colour=Colour.IDLE))


async def setup(bot: commands.Bot) -> None:
    """The routes above are registered by importing this module."""
