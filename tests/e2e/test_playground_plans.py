"""Restarts that wait, schedules, maintenance and batches in a browser, against the real `gamekeeper demo`."""

from pathlib import Path

import pytest

from tests.e2e.playground import Visitor, visiting

pytestmark = pytest.mark.timeout(300)


async def test_plans_schedules_maintenance_and_batches(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (visitor, _):
        await visitor.go("ops", viewer="Olga Owner")
        await _planned(visitor)
        await _scheduled(visitor)
        await _rested(visitor)
        await _rolled(visitor)


async def _planned(visitor: Visitor) -> None:
    """Asked without `when`, the question offers what there is."""
    later = "In 15 min with countdown"
    for _ in range(10):  # players come and go: while nobody is on, there is nobody to wait for
        await visitor.types("/server restart")
        await visitor.chooses("Navezgane")
        await visitor.sends()
        await visitor.reads("Restart Navezgane")
        await visitor.shoot("40-restart-asked")
        if await visitor.messages.get_by_role("button", name=later).count():
            break
        await visitor.page.wait_for_timeout(3_000)
    await visitor.presses(later)
    await visitor.reads("planned")
    await visitor.shoot("41-plan")
    await visitor.types("/server show")
    await visitor.chooses("Navezgane")
    await visitor.sends()
    await visitor.reads("Postpone")
    await visitor.shoot("42-server")
    await visitor.types("/server cancel")
    await visitor.chooses("Navezgane")
    await visitor.sends()
    await visitor.reads("is cancelled")
    await visitor.shoot("43-plan-cancelled")


async def _scheduled(visitor: Visitor) -> None:
    await visitor.types("/schedule add")
    await visitor.chooses("restart")
    await visitor.page.keyboard.type("weekdays 6:30")
    await visitor.page.keyboard.press("Tab")
    await visitor.adds("server")
    await visitor.chooses("Navezgane")
    await visitor.sends()
    await visitor.reads("Next 5 runs")
    await visitor.shoot("44-schedule-preview")
    await visitor.presses("Save")
    await visitor.reads("is saved")
    await visitor.types("/schedule show")
    await visitor.chooses("restart Navezgane")
    await visitor.sends()
    await visitor.reads("Skip next")
    await visitor.shoot("45-schedule")


async def _rested(visitor: Visitor) -> None:
    await visitor.types("/fleet tag")
    await visitor.chooses("Navezgane")
    await visitor.adds("add")
    await visitor.page.keyboard.type("evening")
    await visitor.sends()
    await visitor.reads("Tags now")
    await visitor.types("/maintenance start")
    await visitor.chooses("evening")
    await visitor.page.keyboard.type("1h")
    await visitor.page.keyboard.press("Tab")
    await visitor.page.keyboard.type("new disks")
    await visitor.sends()
    await visitor.reads("is under way")
    await visitor.shoot("46-maintenance")
    await visitor.presses("End now")
    await visitor.reads("is over")


async def _rolled(visitor: Visitor) -> None:
    await visitor.types("/batch start")
    await visitor.chooses("restart")
    await visitor.chooses("eu")
    await visitor.sends()
    await visitor.reads("For you only")
    await visitor.shoot("47-batch-asked")
    await visitor.messages.get_by_role("button", name="Restart").last.click()
    await visitor.frame.get_by_role("textbox", name="Name").fill("eu")
    await visitor.frame.get_by_role("button", name="Submit").click()
    await visitor.reads("1 of 2 done")
    await visitor.shoot("48-batch")
    await visitor.reads("2 of 2 done")
    await visitor.shoot("49-batch-done")
