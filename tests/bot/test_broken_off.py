"""A request to Discord that is broken off must not keep those after it from being sent."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import discord
import pytest
from discord.http import Ratelimit

from bot import messenger
from bot.messenger import Messenger
from bot.services.outbox import Delayed, OutboxRow


async def test_what_discord_py_counts_for_ever_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messenger, "SEND_WITHIN", 0.1)
    client = discord.Client(intents=discord.Intents.none())
    cast("Any", client.http)._global_over = passing = asyncio.Event()
    passing.set()
    spent = Ratelimit(None)
    spent.remaining = 0  # as a cancelled request leaves it
    buckets: dict[str, Ratelimit] = cast("Any", client.http)._buckets

    def the_spent_one(key: str) -> Ratelimit:
        return buckets.setdefault(key, spent)

    monkeypatch.setattr(client.http, "get_ratelimit", the_spent_one)
    row = OutboxRow(
        1, uuid4(), 5, "delete", "message.gone", {}, 0, datetime.now(UTC), uuid4(), "panel", "1", 6, None, again=False
    )
    delivery = await Messenger(client, cast("Any", None)).deliver(row)
    assert isinstance(delivery, Delayed) and delivery.unsure, delivery
    assert buckets == {}
