"""`gamekeeper tour`: the whole story without a browser."""

import os
import re
import subprocess
import sys
import time

import pytest

from bot.demo.tour import Tour, tour
from tests.database import open_directory

pytestmark = pytest.mark.timeout(300)


def test_the_tour_tells_the_whole_story() -> None:
    started = time.monotonic()
    with open_directory() as data_dir:
        environment = {
            **os.environ,
            "GAMEKEEPER_DATA_DIR": str(data_dir),
            "GAMEKEEPER_DATABASE_URL": "postgresql://no.where/x",
        }
        told = subprocess.run([sys.executable, "-m", "bot", "tour"], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    for words in (
        "host $ gamekeeper-agent pair http://127.0.0.1:",
        "Olga in #ops  ▸ /fleet add host:basement",
        "Navezgane's log:",
        "Total of 3 in the game",
        "Kicked eve' score=9.",
        "✓ Save   ✓ Stop   ✓ Start   ✓ Ready",
        "You need the permission servers.restart for this.",
        "⛔ Pia server.restart · denied",
    ):
        assert words in told.stdout, f"{words!r} is missing in:\n{told.stdout}"
    assert re.search(r"\d+ steps, all as they should be, in \d+\.\d s\.", told.stdout)
    assert not re.search(r"<[t#@]", told.stdout), "Discord's markup is not for the terminal"
    assert time.monotonic() - started < 240


async def test_a_step_that_fails_is_named_and_counts() -> None:
    class Broken(Tour):
        async def tell_all(self) -> None:
            await self.set_up()
            with self.tell.step("The moon is full"):
                await self.read("ops", "howling", seconds=0.2)

    lines: list[str] = []
    with open_directory() as data_dir:
        assert await tour(data_dir, lines.append, Broken) == 1
    assert "FAILED at step 2, The moon is full:" in lines
    assert "a message with 'howling' in #ops was not seen within 0.2 s" in lines[-1]
