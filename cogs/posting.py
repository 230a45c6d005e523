"""What Discord says of a channel that the bot is to post in."""

from typing import Final

import discord

from bot.services.panels import Where

_NEEDED: Final = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
}


def where(channel: discord.TextChannel) -> Where:
    """The channel, and what the bot lacks there."""
    own = channel.permissions_for(channel.guild.me)
    return Where(channel.id, tuple(name for right, name in _NEEDED.items() if not getattr(own, right)))
