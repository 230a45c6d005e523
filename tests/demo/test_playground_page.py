"""The playground's page in Chromium, before a small bot: what the frame around simcord's page adds."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import simcord
from playwright.async_api import Browser, expect

from bot.demo import cast as casting
from bot.demo import simcord_private as private
from bot.demo.cast import Cast
from bot.demo.playground import Playground, Stage, Suggestion
from tests.demo.stand_in import StandIn
from tests.e2e.playground import Visitor, chromium

TIPS = (
    Suggestion(title="Restart", command="/server restart", channel="ops", viewer="Moderator"),
    Suggestion(title="Look", command="/status", channel="general", viewer="Player"),
)


@contextlib.asynccontextmanager
async def served(port: int = 0) -> AsyncIterator[tuple[str, Playground, Cast]]:
    """A playground before the small bot; its address stays the same when the port does."""
    bot = StandIn()
    env = simcord.Env(bot, shard_count=1)
    private.to_now(env)
    await env.start()
    cast = casting.enter(env)
    bot.ops = cast.channels["ops"].id
    channels = list(cast.channels.values())
    stage = Stage(guild=cast.guild, channels=channels, viewers=cast.viewers, suggestions=TIPS, pictures=cast.pictures)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(asyncio.create_task(bot.work(pause=0.1)).cancel)
        playground = Playground(env, stage, asyncio.Lock(), capability="secret")
        yield await playground.serve(stack, port=port), playground, cast
    await env.shutdown()
    env.raise_errors()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_it_opens_where_the_first_suggestion_is_and_types_others(browser: Browser, tmp_path: Path) -> None:
    async with served() as (address, _, _):
        visitor = await Visitor.arrive(browser, address, tmp_path)
        await expect(visitor.page).to_have_title("#ops · Riverside Games")
        await expect(visitor.page.get_by_role("button", name="Mika Moderator")).to_have_attribute(
            "aria-pressed", "true"
        )
        await visitor.page.get_by_role("button", name="Look").click()
        await visitor.frame.get_by_role("option", name="status").wait_for()
        await expect(visitor.page).to_have_title("#general · Riverside Games")
        await visitor.sends()
        await visitor.sends()
        await visitor.reads("All is well.")
        assert visitor.complaints == []


async def test_suggestions_come_without_typing_and_a_chosen_one_is_shown_whole(
    browser: Browser, tmp_path: Path
) -> None:
    async with served() as (address, _, _):
        visitor = await Visitor.arrive(browser, address, tmp_path)
        await visitor.types("/server restart")
        await visitor.chooses("EU #2")
        field = visitor.frame.locator(".command-option-input")
        await expect(field).to_have_value("EU #2 · 7 Days to Die · 0/8 · up")
        assert await field.evaluate("field => field.scrollWidth <= field.clientWidth"), "the value is cut off"


async def test_news_elsewhere_are_marked_until_they_are_read(browser: Browser, tmp_path: Path) -> None:
    async with served() as (address, playground, cast):
        visitor = await Visitor.arrive(browser, address, tmp_path)
        general = visitor.page.get_by_role("button", name="general", exact=True)
        await expect(general).not_to_have_class("channel unread")
        async with playground.lock:
            await cast.player.send(cast.channels["general"], "hello?")
        await expect(general).to_have_class("channel unread")
        await general.click()
        await visitor.reads("hello?")
        await expect(general).not_to_have_class("channel unread")


async def test_the_page_comes_back_by_itself_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    async with served() as (address, first, _):
        port = first.port
        visitor = await Visitor.arrive(browser, address, tmp_path)
    await expect(visitor.page.get_by_role("status").first).to_contain_text("The playground has stopped")
    async with served(port) as (again, _, cast):
        assert again == address
        await expect(visitor.page.get_by_role("status").first).to_be_hidden()
        await visitor.ready()
        await cast.moderator.send(cast.channels["ops"], "back again")
        await visitor.reads("back again")


async def test_a_channel_stays_at_its_newest_message_unless_the_reader_scrolls_up(
    browser: Browser, tmp_path: Path
) -> None:
    async with served() as (address, playground, cast):
        ops = cast.channels["ops"]
        for number in range(30):
            await cast.moderator.send(ops, f"message {number}")
        visitor = await Visitor.arrive(browser, address, tmp_path)
        await expect(visitor.messages.get_by_text("message 29")).to_be_in_viewport()
        async with playground.lock:
            await cast.moderator.send(ops, "one more")
        await expect(visitor.messages.get_by_text("one more")).to_be_in_viewport()
        await visitor.messages.hover()
        await visitor.page.mouse.wheel(0, -400)
        await visitor.page.wait_for_timeout(400)
        async with playground.lock:
            await cast.moderator.send(ops, "unseen")
        await visitor.messages.get_by_text("unseen").wait_for(state="attached")
        await visitor.page.wait_for_timeout(300)
        await expect(visitor.messages.get_by_text("unseen")).not_to_be_in_viewport()
