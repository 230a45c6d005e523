"""That the Discord of these tests behaves, seen with the real bot."""

import aiohttp

from tests.wire.bot import BotProcess
from tests.wire.discord_server import TOKEN, DiscordServer


async def test_a_command_is_answered_in_a_card(discord: DiscordServer, bot: BotProcess) -> None:
    guild = discord.guild
    answer = await (await discord.slash(guild.moderator, guild.general, "server list")).answer()
    assert answer.ephemeral and "Servers" in answer.text, answer.text
    refused = await (await discord.slash(guild.player, guild.general, "audit search")).answer()
    assert "Reference" in refused.text and discord.messages(guild.general) == []


async def test_a_lost_connection_is_resumed_with_what_was_missed(discord: DiscordServer, bot: BotProcess) -> None:
    (session,) = discord.gateway.connected
    await discord.gateway.drop()
    assert session.socket is None
    guild = discord.guild
    await session.dispatch("CHANNEL_CREATE", {**guild.general.payload, "id": "999", "guild_id": str(guild.id)})
    await discord.gateway.until_connected()
    assert discord.gateway.connected == [session] and discord.gateway.resumed == 1
    assert "Servers" in (await (await discord.slash(guild.owner, guild.ops, "server list")).answer()).text


async def test_a_nonce_is_posted_once(discord: DiscordServer) -> None:
    headers = {"Authorization": f"Bot {TOKEN}"}
    body = {"content": "once", "nonce": "7", "enforce_nonce": True}
    url = f"{discord.url}/api/v10/channels/{discord.guild.ops.id}/messages"
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(2):
            async with session.post(url, json=body) as answer:
                assert answer.status == 200
    assert [message.text for message in discord.messages(discord.guild.ops)] == ["once"]
    assert discord.deduplicated == 1
