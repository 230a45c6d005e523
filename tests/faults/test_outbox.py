"""Messages of the bot's own against a Discord that limits, refuses and hangs."""

from typing import Any

import pytest
from sqlalchemy import text

from db.engine import Database
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer
from tests.wire.guild import Channel
from tests.wire.trouble import EDIT, posts_to
from tests.wire.waiting import eventually


class Owner:
    """Has the bot say something: choosing a channel brings a message there."""

    def __init__(self, discord: DiscordServer, db: Database) -> None:
        self.discord, self._db = discord, db

    async def sends(self, purpose: str, channel: Channel) -> None:
        """Sends a purpose to a channel, which owes that channel a message."""
        guild = self.discord.guild
        given = {"purpose": purpose, "channel": str(channel.id)}
        await (await self.discord.slash(guild.owner, guild.general, "setup channels", **given)).answer()

    async def rows(self, statement: str) -> list[Any]:
        async with self._db.read() as session:
            return [tuple(row) for row in await session.execute(text(statement))]

    async def a_minute_passes(self) -> None:
        """What a process that died had begun to send may be begun by another one."""
        async with self._db.statement() as session:
            await session.execute(text("update notification_jobs set locked_until = now() where status = 'processing'"))

    def said(self, channel: Channel) -> list[str]:
        return [message.text.strip("*") for message in self.discord.messages(channel)]


async def test_limits_and_errors_lose_nothing_and_keep_the_order(
    discord: DiscordServer, bot: BotProcess, db: Database
) -> None:
    """Of Discord itself, of the proxy before it, an error, and an answer that got lost."""
    owner, ops = Owner(discord, db), discord.guild.ops
    discord.trouble.limit(posts_to(ops.id), 0.3)
    discord.trouble.limit(posts_to(ops.id), 1.0, through_proxy=False)
    discord.trouble.refuse(posts_to(ops.id), 503, retry_after=1.0)
    for purpose in ("ops", "players", "audit"):
        await owner.sends(purpose, ops)
    expected = [f"Messages for {purpose} arrive here." for purpose in ("ops", "players", "audit")]
    await eventually(lambda: owner.said(ops) == expected, 20.0, lambda: f"{owner.said(ops)} {bot.log()}")
    assert [discord.trouble.count(posts_to(ops.id), status) for status in (429, 503, 200)] == [2, 1, 3]


async def test_a_channel_that_hangs_holds_up_no_other(discord: DiscordServer, bot: BotProcess, db: Database) -> None:
    owner, guild = Owner(discord, db), discord.guild
    hold = discord.trouble.hold(posts_to(guild.ops.id))
    await owner.sends("ops", guild.ops)
    await hold.until_arrived()
    await owner.sends("audit", guild.log)
    await discord.message(guild.log, "Messages for audit")
    assert discord.messages(guild.ops) == []
    hold.release()
    await discord.message(guild.ops, "Messages for ops")


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (404, 10003)])
async def test_a_channel_that_refuses_is_switched_off_and_told_about(
    discord: DiscordServer, bot: BotProcess, db: Database, status: int, code: int
) -> None:
    owner, guild = Owner(discord, db), discord.guild
    await owner.sends("audit", guild.log)
    await discord.message(guild.log, "Messages for audit")
    discord.trouble.refuse(posts_to(guild.ops.id), status, code, times=99)
    await owner.sends("ops", guild.ops)
    told = await discord.message(guild.log, "A channel was switched off")
    assert f"<#{guild.ops.id}>" in told.text and "ops" in told.text and str(status) in told.text
    assert await owner.rows("select purpose, enabled from notification_channels order by 1") == [
        ("audit", True),
        ("ops", False),
    ]
    assert await owner.rows("select count(*) from audit_logs where action = 'channel.disable'") == [(1,)]
    assert discord.trouble.count(posts_to(guild.ops.id)) == 1


async def test_a_message_whose_sender_died_is_posted_once(
    discord: DiscordServer, bot: BotProcess, db: Database
) -> None:
    """Discord had it; the process that sent it never heard so. Its nonce has been forgotten meanwhile."""
    owner, ops = Owner(discord, db), discord.guild.ops
    hold = discord.trouble.hold(posts_to(ops.id), after=True)
    await owner.sends("ops", ops)
    await hold.until_arrived()
    await bot.kill()
    (message,) = discord.messages(ops)
    message.posted -= 3600
    await bot.start()
    await owner.a_minute_passes()
    await eventually(lambda: discord.trouble.count(EDIT, 200) == 1, what=bot.log)
    await eventually(lambda: owner.rows("select 1 from notification_jobs where status = 'sent'"))
    assert discord.messages(ops) == [message] and discord.trouble.count(posts_to(ops.id)) == 1


async def test_a_post_that_arrives_after_its_sender_died_is_not_a_second_one(
    discord: DiscordServer, bot: BotProcess, db: Database
) -> None:
    owner, ops = Owner(discord, db), discord.guild.ops
    hold = discord.trouble.hold(posts_to(ops.id))
    await owner.sends("ops", ops)
    await hold.until_arrived()
    await bot.kill()
    await bot.start()
    await owner.a_minute_passes()
    await eventually(lambda: discord.trouble.count(posts_to(ops.id)) == 2, what=bot.log)
    hold.release()
    await eventually(lambda: discord.trouble.count(posts_to(ops.id), 200) == 2)
    assert owner.said(ops) == ["Messages for ops arrive here."] and discord.deduplicated == 1
