"""A whole bot on a simulated Discord, with its own database, HTTP side and workers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord

from bot import clock
from bot.app import App, build
from bot.config import Settings
from bot.demo.simcord_private.env import faster_settle, idle_seam, owner_of, to_now
from tests.e2e.community import Community, Host


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database_url, data_dir=tmp_path, bind="127.0.0.1:0")


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    built = await build(settings)
    yield built
    await built.close()


@pytest.fixture
async def community(app: App, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Community]:
    """The guild, with the bot connected and its workers running on the real clock."""
    faster_settle()
    env = simcord.Env(app.client, shard_count=1)
    to_now(env)
    monkeypatch.setattr(clock, "idle", idle_seam(env))
    guild = env.create_guild("Dust & Iron", owner=env.create_user("olga"))
    general, ops = guild.create_text_channel("general"), guild.create_text_channel("ops")
    permissions = discord.Permissions(moderate_members=True, ban_members=True, view_audit_log=True)
    moderators = guild.create_role("Moderator", permissions=permissions)
    mod = guild.add_member(env.create_user("mia"), roles=[moderators])
    player = guild.add_member(env.create_user("bob"))
    await env.start()
    await app.start_background()
    yield Community(env, app, guild, general, ops, owner_of(guild), mod, player, moderators)
    await app.stop_background()
    await env.shutdown()
    env.raise_errors()
    assert kept_views(app) == 0, "discord.py keeps a view in memory"


def kept_views(app: App) -> int:
    """How many views and forms discord.py remembers; there is no public way to ask."""
    state: Any = app.client._connection  # pyright: ignore[reportPrivateUsage]  # see above
    store: Any = state._view_store
    return len(store._views) + len(store._modals) + len(store._dynamic_items)


@pytest.fixture
async def host(community: Community) -> Host:
    """A paired host with Teeworlds and 7 Days to Die, that does what the test says."""
    return await Host(community, "alpha").pair()
