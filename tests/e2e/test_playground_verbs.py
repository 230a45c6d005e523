"""Ban, deploy, schedule, board, incident: each once in a browser, against the real `gamekeeper demo`."""

import signal
from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.demo.processes import below
from tests.e2e.playground import Visitor, visiting

pytestmark = pytest.mark.timeout(300)


async def test_every_verb_once(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (visitor, data_dir):
        await _board(visitor)
        await _ban(visitor)
        await _deploy(visitor)
        await _schedule(visitor)
        await _incident(visitor, data_dir)


async def _board(visitor: Visitor) -> None:
    await visitor.go("status", viewer="Pia Player")
    await visitor.reads("Navezgane")
    await visitor.shoot("20-board")


async def _ban(visitor: Visitor) -> None:
    await visitor.go("ops", viewer="Mika Moderator")
    await visitor.types("/ban add")
    await visitor.chooses("online on Navezgane")
    await visitor.page.keyboard.type("griefing the river bridge")
    await visitor.sends()
    await visitor.reads("The player reads:")
    await visitor.shoot("21-ban-preview")
    await visitor.presses("Ban on 2 servers")
    await visitor.reads("is banned")
    await visitor.go("bans")
    await visitor.reads("applied on Dust Arena, Navezgane")
    await visitor.shoot("22-ban-notice")


async def _deploy(visitor: Visitor) -> None:
    await visitor.go("ops", viewer="Olga Owner")
    await _deployed(visitor, "1.0")
    await visitor.reads("BiggerBackpack 1.0 is loaded.")
    await _deployed(visitor, "2.0")
    await visitor.reads("The old version is back")
    await visitor.shoot("23-deploy")


async def _deployed(visitor: Visitor, version: str) -> None:
    await visitor.types("/mod deploy")
    await visitor.chooses("Navezgane")
    await visitor.chooses("BiggerBackpack")
    await visitor.adds("version")
    await visitor.page.keyboard.type(version)
    await visitor.sends()
    await visitor.reads(f"Deploy BiggerBackpack {version} on Navezgane?")
    await visitor.presses("Deploy on Navezgane")


async def _schedule(visitor: Visitor) -> None:
    await visitor.types("/schedule add")
    await visitor.chooses("restart")
    await visitor.page.keyboard.type("weekdays 6:30")
    await visitor.adds("server")
    await visitor.chooses("Navezgane")
    await visitor.sends()
    await visitor.reads("Next 5 runs")
    await visitor.shoot("24-schedule")
    await visitor.presses("Save")
    await visitor.reads("is saved")
    await visitor.types("/schedule list")
    await visitor.sends()
    await visitor.reads("never ran")


async def _incident(visitor: Visitor, data_dir: Path) -> None:
    game = next(one for one in below(data_dir) if Path(one.cwd()).name == "navezgane")
    game.send_signal(signal.SIGKILL)
    await visitor.go("alerts")
    await visitor.reads("Navezgane is down")
    await visitor.shoot("25-incident-open")
    card = visitor.frame.locator("article").filter(has_text="Navezgane is down").last
    await expect(card).to_contain_text("it is running and reachable", timeout=60_000)
    await visitor.shoot("26-incident-over")
