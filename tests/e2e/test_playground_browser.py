"""The product in a browser, clicked through as a person would, against the real `gamekeeper demo`."""

import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Browser, expect

from bot.demo.playground import free_socket
from bot.demo.processes import below
from tests.database import open_directory
from tests.e2e.playground import Demo, Visitor, chromium, running_demo, shots_into

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """One demo for the tests that only click."""
    with open_directory() as data_dir, running_demo(data_dir, port=_free_port()) as demo:
        yield demo


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    return shots_into(tmp_path)


def _free_port() -> int:
    with free_socket(0) as found:
        return found.getsockname()[1]


async def test_a_moderator_restarts_a_server(demo: Demo, browser: Browser, shots: Path) -> None:
    mika = await Visitor.arrive(browser, demo.address, shots)
    await mika.go("ops", viewer="Mika Moderator")
    await mika.types("/server restart")
    await mika.frame.get_by_role("option", name="Navezgane").wait_for()
    await mika.shoot("1-autocomplete")
    await mika.chooses("Navezgane")
    await mika.shoot("2-command")
    await mika.sends()
    await mika.reads("Restart Navezgane now?")
    await mika.shoot("3-question")
    await mika.presses("Restart Navezgane")
    await mika.reads("running")
    await mika.shoot("4-progress")
    await mika.reads("✓ Save ✓ Stop ✓ Start ✓ Ready")
    card = mika.frame.locator("article").filter(has_text="Restart · Navezgane").last
    await expect(card).to_contain_text("done")
    await expect(card).to_be_in_viewport()
    await mika.shoot("5-success")
    assert mika.complaints == []


async def test_a_suggestion_types_its_command(demo: Demo, browser: Browser, shots: Path) -> None:
    visitor = await Visitor.arrive(browser, demo.address, shots)
    await visitor.page.get_by_role("button", name="Ask the game").click()
    await visitor.frame.get_by_role("option", name="console run").wait_for()
    await visitor.page.keyboard.press("Enter")
    await visitor.chooses("Navezgane")
    await visitor.page.keyboard.type("gettime")
    await visitor.sends()
    await visitor.reads("Sent to Navezgane")
    await visitor.reads("Day 1, ")
    await visitor.shoot("6-console")


async def test_a_player_sees_what_players_see(demo: Demo, browser: Browser, shots: Path) -> None:
    pia = await Visitor.arrive(browser, demo.address, shots)
    await pia.go("general", viewer="Pia Player")
    channels = pia.page.get_by_role("navigation", name="Channel list").get_by_role("button")
    assert await channels.all_inner_texts() == ["general", "status", "players", "bans"]
    await pia.frame.locator("#channel-composer-input").fill("/")
    await pia.frame.get_by_role("option", name="players").wait_for()
    offered = await pia.frame.get_by_role("option").all_inner_texts()
    assert not any("restart" in text for text in offered)
    await pia.shoot("7-player")
    await pia.types("/status")
    await pia.sends()
    await pia.reads("Dust Arena")
    await pia.shoot("8-status")


async def test_another_browser_sees_it_happen_and_a_closed_tab_harms_nobody(
    demo: Demo, browser: Browser, shots: Path
) -> None:
    olga = await Visitor.arrive(browser, demo.address, shots)
    await olga.go("general", viewer="Olga Owner")
    pia = await Visitor.arrive(browser, demo.address, shots)
    await pia.go("general", viewer="Pia Player")
    await pia.frame.locator("#channel-composer-input").fill("hello from another browser")
    await pia.sends()
    await olga.reads("hello from another browser", seconds=5)
    await pia.page.context.close()
    await olga.frame.locator("#channel-composer-input").fill("still here")
    await olga.sends()
    await olga.reads("still here", seconds=5)


async def test_the_address_without_its_secret_says_so(demo: Demo, browser: Browser, shots: Path) -> None:
    page = await (await browser.new_context()).new_page()
    await page.goto(demo.address.partition("#")[0])
    await expect(page.get_by_role("status")).to_contain_text("Open the one that `gamekeeper demo` printed")


def test_two_at_once_and_each_ends_all_that_it_started() -> None:
    before = _temporary_places()
    with open_directory() as data_dir, running_demo(data_dir, port=_free_port(), name="one") as one:
        with running_demo(data_dir, port=one.port, name="two") as two:
            assert two.port != one.port
            assert f"Port {one.port} is taken" in two.printed.read_text()
            assert len(_temporary_places() - before) == 1
            family = psutil.Process(two.process.pid).children(recursive=True)
            assert two.end(signal.SIGINT) == 0, two.printed.read_text()
            assert not [child for child in family if child.is_running()]
        assert _temporary_places() == before
        assert one.process.poll() is None
        assert list(below(data_dir)), "the second demo ended processes of the first"
        assert one.end(signal.SIGTERM) == 0, one.printed.read_text()
        assert list(below(data_dir)) == []


def _temporary_places() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("gamekeeper-demo-*"))
