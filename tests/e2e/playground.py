"""`gamekeeper demo` as a process of its own, and Chromium in front of it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, FrameLocator, Locator, Page, TimeoutError, async_playwright

from bot.demo.command import LOG
from bot.demo.playground import free_socket
from tests.database import open_directory

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
READY_SECONDS = 90.0
END_SECONDS = 30.0


@dataclass
class Demo:
    """A running demo: its process, what it has printed, and where it listens."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    printed: Path
    address: str

    @property
    def port(self) -> int:
        found = re.search(r":(\d+)/", self.address)
        assert found
        return int(found[1])

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as a terminal would; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # Python says where it is
            self.process.wait()
            log = (self.data_dir / LOG).read_text()[-3000:]
            raise AssertionError(f"the demo does not end: {self.printed.read_text()[-3000:]}\n{log}") from None


@contextmanager
def running_demo(data_dir: Path, *, port: int, name: str = "demo") -> Iterator[Demo]:
    """Start `gamekeeper demo` and wait until it says that it is ready."""
    printed = data_dir / f"{name}.printed"
    more = {"GAMEKEEPER_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
    with printed.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "demo", "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=os.environ | more, text=True,
            preexec_fn=_interruptible,
        )  # fmt: skip
    demo = Demo(process, data_dir, printed, "")
    try:
        demo.address = _address(demo)
        yield demo
    finally:
        demo.end(signal.SIGTERM)


def _interruptible() -> None:
    """What a shell runs in the background ignores Ctrl-C, and so does all that it starts: perhaps these tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _address(demo: Demo) -> str:
    end = time.monotonic() + READY_SECONDS
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/#\S+", demo.printed.read_text())):
        text = demo.printed.read_text()
        assert demo.process.poll() is None, f"the demo ended with {demo.process.returncode}: {text}"
        assert time.monotonic() < end, f"the demo is not ready: {text}"
        time.sleep(0.1)
    return found[0]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser; the test is skipped where it is missing."""
    if not CHROMIUM.exists():
        pytest.skip("Chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Visitor:
    """Somebody in front of the page. Messages and options are inside the frame `view`."""

    def __init__(self, page: Page, shots: Path) -> None:
        self.page = page
        self.shots = shots
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    @classmethod
    async def arrive(cls, browser: Browser, address: str, shots: Path) -> "Visitor":
        context = await browser.new_context(viewport={"width": 1440, "height": 860}, bypass_csp=True)
        visitor = cls(await context.new_page(), shots)
        await visitor.page.goto(address)
        await visitor.ready()
        return visitor

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("#view")

    @property
    def messages(self) -> Locator:
        return self.frame.get_by_role("log")

    async def ready(self) -> None:
        await self.frame.locator("#channel-composer-input").wait_for()
        await self.page.wait_for_function("document.getElementById('view').contentWindow.simcordPreview?.ready")

    async def go(self, channel: str, *, viewer: str = "") -> None:
        """Open a channel, perhaps as somebody else."""
        if viewer:
            await self.page.get_by_role("button", name=viewer).first.click()
        await self.page.get_by_role("button", name=channel, exact=True).click()
        await self.ready()

    async def types(self, command: str) -> None:
        """Write a command into the box and take it from the picker. A page that has just come may not listen yet."""
        box, picker = self.frame.locator("#channel-composer-input"), self.frame.get_by_role("option").first
        for _ in range(10):
            await box.fill("")
            await box.fill(command)
            with contextlib.suppress(TimeoutError):
                await picker.wait_for(timeout=3_000)
                break
        await picker.wait_for()
        await self.page.keyboard.press("Enter")

    async def chooses(self, words: str) -> None:
        """Take the suggestion with these words for the option that has the focus."""
        await self.frame.get_by_role("option", name=words).first.click()

    async def adds(self, name: str) -> None:
        """Add an option that may be left out. What is suggested for the one before comes late and closes the list."""
        option = self.frame.get_by_role("option", name=name).first
        for _ in range(5):
            await self.frame.get_by_text("more").last.click()
            with contextlib.suppress(TimeoutError):
                await option.click(timeout=3_000)
                return
        await option.click(timeout=3_000)

    async def sends(self) -> None:
        """Send what is typed. Suggestions that come late take the key for themselves: it may need another."""
        unsent = self.frame.locator(".command-row").filter(has_not=self.frame.locator(".is-readonly"))
        for _ in range(5):
            await self.page.keyboard.press("Enter")
            with contextlib.suppress(TimeoutError):
                await unsent.wait_for(state="detached", timeout=2_000)
                return

    async def presses(self, label: str) -> None:
        await self.messages.get_by_role("button", name=label, exact=True).last.click()

    async def reads(self, words: str, seconds: float = 30.0) -> None:
        """Wait until the channel shows these words."""
        try:
            await self.messages.get_by_text(words).last.wait_for(timeout=seconds * 1000)
        except TimeoutError as error:
            await self.shoot(f"missing-{words.replace(' ', '-')}")
            written = await self.frame.locator("#channel-composer-input").input_value()
            shown = await self.messages.inner_text()
            raise AssertionError(f"{words!r} is not shown; in the box: {written!r}; shown: {shown[-3000:]}") from error

    async def shoot(self, name: str) -> None:
        await self.page.wait_for_timeout(300)
        await self.page.screenshot(path=self.shots / f"{name}.png")


def shots_into(tmp_path: Path) -> Path:
    """Where screenshots go: GAMEKEEPER_SHOTS, for those that somebody looks at; those of the guide come from there."""
    place = Path(os.environ.get("GAMEKEEPER_SHOTS", tmp_path))
    place.mkdir(parents=True, exist_ok=True)
    return place


@asynccontextmanager
async def visiting(tmp_path: Path) -> AsyncIterator[tuple[Visitor, Path]]:
    """Somebody in front of a demo of their own, and its data directory. The page must not complain until the end."""
    with free_socket(0) as found:
        port = found.getsockname()[1]
    with open_directory() as data_dir, running_demo(data_dir, port=port) as demo:
        async with chromium() as browser:
            visitor = await Visitor.arrive(browser, demo.address, shots_into(tmp_path))
            yield visitor, data_dir
            assert visitor.complaints == []
