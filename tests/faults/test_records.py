"""kill -9 while a game's log is streamed: every line is in the database once."""

import asyncio
from collections import Counter

from games.catalog import SHIPPED, load_template
from tests.faults.town import Town
from tests.wire.waiting import eventually


async def _chatter(town: Town, lines: int) -> list[str]:
    said: list[str] = []
    await town.game.control.join("eve")
    for number in range(lines):
        said.append(f"chatter {number} of eve")
        await town.game.control.chat("eve", said[-1])
        await asyncio.sleep(0.05)
    return said


async def _stored(town: Town) -> list[str]:
    rows = await town.rows("select message from logs where message like '%chatter%' order by id")
    return [f"chatter {message.split('chatter ', 1)[1]}" for (message,) in rows]


async def test_of_the_bot_and_of_the_agent(town: Town) -> None:
    talking = asyncio.create_task(_chatter(town, 120))
    await asyncio.sleep(0.7)
    await town.bot.kill()
    await asyncio.sleep(0.4)
    await town.host.kill()
    await town.bot.start()
    await town.host.start()
    await asyncio.sleep(0.3)
    await town.host.kill()
    await town.host.start()
    await town.bot.kill()
    await town.bot.start()
    said = await talking

    async def all_stored() -> bool:
        return len(await _stored(town)) >= len(said)

    await eventually(all_stored, 30.0, lambda: "every line in the database")
    assert await _stored(town) == said
    assert await town.rows("select count(distinct generation), count(*) from log_cursors") == [(1, 1)]


OURS = "Executing command 'lp' by Telnet"
"""What heartbeats leave in the log stays on the host."""


async def test_a_game_that_begins_its_log_anew(town: Town) -> None:
    """What it said last is read before it starts again, and cuts its log to nothing."""
    await town.succeeds(await town.restart())
    await town.succeeds(await town.restart())
    log = load_template(SHIPPED / "7dtd.yaml").log
    wrong: list[str] = []

    async def all_of_it_once() -> bool:
        parts = [log.record.groups(line) for line in town.game.log().splitlines()]
        place = f"{town.game.directory.resolve()}/"  # where a server lives does not leave its host
        wrote = Counter(found["msg"].replace(place, "") for found in parts if found and OURS not in found["msg"])
        stored = await town.rows("select message from logs order by id")
        first_lines = Counter(message.splitlines()[0] for (message,) in stored)
        wrong[:] = [line for line in wrote if wrote[line] != first_lines[line]]
        return not wrong

    await eventually(all_of_it_once, 20.0, lambda: f"every line in the database, once: {wrong}")
    assert town.game.log().count("Preparing quit") == 2
