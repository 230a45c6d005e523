"""Set-up, rights and audit log in a browser, against the real `gamekeeper demo`."""

from pathlib import Path

import pytest

from tests.e2e.playground import Visitor, visiting

pytestmark = pytest.mark.timeout(300)


async def test_set_up_rights_and_audit_log(tmp_path: Path) -> None:
    async with visiting(tmp_path) as (visitor, _):
        await visitor.go("ops", viewer="Olga Owner")
        await _wizard(visitor)
        await _check(visitor)
        await _why(visitor)
        await _audit(visitor)


async def _wizard(visitor: Visitor) -> None:
    """Everything is done, so it opens at its end; Back leads through what was chosen."""
    await visitor.types("/setup start")
    await visitor.sends()
    await visitor.reads("Nothing is missing")
    await visitor.shoot("30-wizard-6")
    for step, words in ((5, "The first server"), (4, "A host"), (3, "Where messages go"), (2, "Who may do what")):
        await visitor.presses("Back")
        await visitor.reads(words)
        await visitor.shoot(f"30-wizard-{step}")
    await visitor.presses("Back")
    await visitor.reads("The clock")
    await visitor.shoot("30-wizard-1")


async def _check(visitor: Visitor) -> None:
    await visitor.types("/setup check")
    await visitor.sends()
    await visitor.reads("Nothing is broken")
    await visitor.shoot("31-check")


async def _why(visitor: Visitor) -> None:
    await visitor.go("ops", viewer="Mika Moderator")
    await visitor.types("/my why")
    await visitor.page.keyboard.type("servers.wipe")
    await visitor.chooses("servers.wipe")
    await visitor.adds("server")
    await visitor.chooses("Navezgane")
    await visitor.sends()
    await visitor.reads("Who can change it")
    await visitor.shoot("32-why")


async def _audit(visitor: Visitor) -> None:
    await visitor.go("audit", viewer="Olga Owner")
    await visitor.reads("audit entries, up to", seconds=90)
    await visitor.types("/audit search")
    await visitor.sends()
    await visitor.reads("Audit log")
    await visitor.shoot("33-audit-search")
    await visitor.types("/audit verify")
    await visitor.sends()
    await visitor.reads("The audit log is unchanged")
    await visitor.shoot("34-audit-verify")
