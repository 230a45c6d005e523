"""Maintenance windows when their time has come: players are told, messages are edited, what is over is ended.

Alerts, schedules and cards go by the clock, so nothing waits for this; it only tells. Any number of processes may look.
"""

import logging
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.actors import system
from bot.domain.maintenance import WARN, Step, said
from bot.services import maintenance_telling
from bot.services.each import each
from db.engine import Database
from db.queries import maintenance_windows
from db.queries.maintenance_windows import WindowCard
from db.uow import Tx

log = logging.getLogger(__name__)

_DUTY: Final = "maintenance"


class MaintenanceDue:
    """The tick `maintenance`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tick(self) -> dict[str, int]:
        """Does what is due. A window that fails stops none of the others."""
        async with self._db.read() as session:
            now = clock.now()
            due = await maintenance_windows.due(session, now, now + WARN)
        steps = await each(due, self._one)
        return {step: steps.count(step) for step in ("warn", "begin", "end")}

    async def _one(self, found: tuple[UUID, UUID]) -> Step | None:
        window_id, org_id = found
        async with self._db.uow(system(_DUTY, org_id)) as tx:
            window = await maintenance_windows.hold(tx.session, org_id, window_id, wait=False)
            step = _step(window) if window else None
            if window and step:
                tx.actor = system(_DUTY, org_id, window.guild_id)
                await _do(tx, window, step)
            return step


def _step(window: WindowCard) -> Step | None:
    return "end" if window.gone else window.times.step(clock.now())


async def _do(tx: Tx, window: WindowCard, step: Step) -> None:
    now = clock.now()
    if step == "end":
        at = min(now, window.ends_at)
        await maintenance_windows.end(tx.session, window.org_id, window.id, at=at, by=None)
    else:
        await maintenance_windows.told(tx.session, window.org_id, window.id, begun=step == "begin", now=now)
    if not window.gone:
        await maintenance_telling.say(tx, window, said(step, window.times, now))
    await maintenance_telling.show(tx, window)
    tx.audit(f"maintenance.{_ACTIONS[step]}", resource=window.resource, window=str(window.id), reason=window.reason)


_ACTIONS: Final[dict[Step, str]] = {"warn": "announce", "begin": "begin", "end": "end"}
