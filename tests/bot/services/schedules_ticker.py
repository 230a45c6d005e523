"""Does what is due until it is killed: `python -m tests.bot.services.schedules_ticker DATABASE_URL`."""

import asyncio
import sys

from bot.services.schedules_due import SchedulesDue
from db.engine import Database


async def tick_for_ever(url: str) -> None:
    due = SchedulesDue(Database(url, role="workers"))
    while True:
        await due.tick()
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(tick_for_ever(sys.argv[1]))
