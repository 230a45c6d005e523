"""The whole of it, running: database, bot on a simulated Discord, its HTTP side, and a host that can be paired.

Used by the demo (in the browser), by the tour (without one) and by the end-to-end tests.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import simcord
from pydantic_settings import SettingsConfigDict
from simcord.actors import MemberActor

from bot import clock
from bot.app import App, build
from bot.config import Settings
from bot.demo import cast as casting
from bot.demo import simcord_private as private
from bot.demo.cast import Cast
from bot.demo.directory import workplace
from bot.demo.host import DemoHost
from bot.demo.people import Person
from bot.demo.playground import ended
from bot.demo.timekeeper import follow_wall_clock
from bot.domain.actors import system
from db import migrate
from db.embedded import EmbeddedPostgres
from db.seed import seed
from games.catalog import load_catalog

#: Nothing of a demo has to survive a power cut.
FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class DemoWorld:
    """Handles of everything that runs. `lock` is held by whoever acts on the simulated Discord."""

    place: Path
    app: App
    env: simcord.Env
    cast: Cast
    host: DemoHost
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def person(self, member: MemberActor, channel: str) -> Person:
        """A member who types into a channel."""
        return Person(member, self.cast.channels[channel], self.lock)


@contextlib.asynccontextmanager
async def demo_world(data_dir: Path) -> AsyncIterator[DemoWorld]:
    """Start everything in an empty place below `data_dir`, and end all of it again. Main thread only.

    Raises:
        AppError: with a sentence, where the database or the HTTP side cannot start.
    """
    async with contextlib.AsyncExitStack() as stack:
        place = stack.enter_context(workplace(data_dir))
        url = _database(stack, place)
        await migrate.upgrade(url)
        app = await build(demo_settings(place), url)
        stack.push_async_callback(app.close)
        await _seed(app)
        env = await _discord(stack, app)
        cast = casting.enter(env)
        await env.settle()
        await app.start_background()
        stack.push_async_callback(app.stop_background)
        world = DemoWorld(place, app, env, cast, DemoHost(place, app.public_url))
        stack.push_async_callback(ended, asyncio.create_task(follow_wall_clock(env, world.lock)))
        stack.callback(world.host.stop)
        yield world


async def _seed(app: App) -> None:
    games = {template.id: (template.name, template.capabilities) for template in load_catalog().values()}
    async with app.work_db.uow(system("demo.seed")) as tx:
        await seed(tx.session, games)


def _database(stack: contextlib.ExitStack | contextlib.AsyncExitStack, place: Path) -> str:
    postgres = EmbeddedPostgres(place / "postgres", settings=FAST)
    postgres.start()
    stack.callback(postgres.stop)
    postgres.create_database()
    return postgres.dsn()


class DemoSettings(Settings):
    """Settings that nothing around can turn towards a real Discord or a real database."""

    model_config = SettingsConfigDict(env_file=None)


def demo_settings(place: Path) -> Settings:
    """Everything below `place`, the HTTP side on a free port of loopback. What is given here wins over GAMEKEEPER_*."""
    return DemoSettings(
        discord_token=None,
        database_url="",
        data_dir=place,
        public_url="",
        bind="127.0.0.1:0",
        trusted_proxies=[],
        secret_keys=None,
    )


async def _discord(stack: contextlib.AsyncExitStack, app: App) -> simcord.Env:
    private.guard()
    env = simcord.Env(app.client, shard_count=1)
    private.to_now(env)
    private.name_bot(env, casting.BOT)
    plain = clock.idle
    clock.idle = private.idle_seam(env)
    stack.callback(setattr, clock, "idle", plain)
    await env.start()
    stack.push_async_callback(env.shutdown)
    return env
