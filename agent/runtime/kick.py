"""Kicking a player: found in the game's own list, and afterwards seen to be gone."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.instance import Instance
from agent.runtime.people import find, is_same
from agent.runtime.starting import Report
from agent.wire import Step
from games.consoles import Answer, Console, PlayerRow

GONE_WAIT: Final = 5.0
"""Seconds in which a kicked player has to leave the list."""


async def kick(server: Instance, identities: Mapping[str, str], name: str, reason: str, report: Report) -> str:
    """Kick the one player that is meant, or nobody. Raises `TaskFailed` when it is not certain that it worked."""
    console = server.console()
    await report(Step.SENDING, "")
    row, answer = await _send(server, console, identities, name, reason)
    if answer.outcome == "refused":
        raise TaskFailed(answer.reason)
    await report(Step.VERIFYING, "")
    if await _gone(console, row):
        return f"Kicked {row.name}."
    if answer.outcome == "answered":
        raise TaskFailed(f"The game said that it kicked `{row.name}`, but they are still in its list.")
    raise TaskFailed(f"It is unknown whether `{row.name}` was kicked: {answer.reason}")


async def _send(
    server: Instance, console: Console, identities: Mapping[str, str], name: str, reason: str
) -> tuple[PlayerRow, Answer]:
    """Finds and kicks in one turn of the console: while it waited for another command, the slot could change hands."""
    try:
        async with console.one_turn():
            row = await _find(server, console, identities, name)
            values = {**row.identities, "name": row.name, "reason": reason}
            if row.slot is not None:
                values["slot"] = row.slot
            return row, await console.action("kick", values)
    except TimeoutError as error:
        raise TaskFailed("The console was busy with other commands; nobody was kicked.") from error


async def _find(server: Instance, console: Console, identities: Mapping[str, str], name: str) -> PlayerRow:
    rows, complete = await console.players()
    found = find(identities, name, rows, server.template().identity)
    if found.row is not None:
        return found.row
    if not complete and not rows:
        raise TaskFailed("The game's list of players could not be read; nobody was kicked.")
    raise TaskFailed(found.reason if complete else f"{found.reason} The list could not be read in full.")


async def _gone(console: Console, kicked: PlayerRow) -> bool:
    deadline = time.monotonic() + GONE_WAIT
    while True:
        rows, complete = await console.players()
        if complete and not any(is_same(row, kicked) for row in rows):
            return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.3)
