"""What the ticks of every process do, told where every process can read it: by whoever leads them, for their duty."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot import clock
from bot.domain.actors import system
from bot.domain.checks_inside import TickFact
from db.engine import Database
from db.queries import operations

CHANNEL: Final = "gk_ticks"
"""Carries the name of a tick that somebody wants to be done now."""
_EVERY: Final = 0.25


class TickFacts:
    """One row for each duty."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tell(self, duty: str, facts: Sequence[TickFact]) -> None:
        """Writes down how the ticks of a duty do, for the other processes."""
        told = [
            {"name": one.name, "every": one.every.total_seconds(), "due": one.due.isoformat(), "failed": one.failed}
            for one in facts
        ]
        async with self._db.statement() as session:
            await operations.set_state(session, f"ticks:{duty}", told, clock.now())

    async def known(self) -> list[TickFact]:
        """What was last told of every duty."""
        async with self._db.read() as session:
            told = await operations.states(session, "ticks:")
        return [_read(one) for facts in told for one in facts]

    async def ask(self, before: TickFact, seconds: float) -> bool:
        """Has a tick done by whoever leads it; False where it failed, or was not done within so many seconds."""
        async with self._db.uow(system("ticks")) as tx:
            await tx.notify(CHANNEL, before.name)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await asyncio.sleep(_EVERY)
                    now = {one.name: one for one in await self.known()}.get(before.name, before)
                    if now.due > before.due:
                        return not now.failed
        except TimeoutError:
            return False


def _read(told: Mapping[str, Any]) -> TickFact:
    every, due = timedelta(seconds=told["every"]), datetime.fromisoformat(told["due"])
    return TickFact(told["name"], every, due, told["failed"])
