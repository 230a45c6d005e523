"""kill -9 of the agent: a result is told once, and what nobody saw the end of is called unknown."""

import json
from typing import Any

from tests.faults.town import Town
from tests.wire.waiting import eventually


def kept(town: Town) -> dict[str, Any]:
    """Which processes the game and its keeper are."""
    (state,) = (town.host.state / "instances").glob("*/keeper/state.json")
    return json.loads(state.read_text())


async def test_between_the_work_and_its_result(town: Town) -> None:
    """The bot does not hear the result, then the agent dies. The game does not notice either."""
    town.game.slow(1.5)
    number = await town.number(await town.restart())
    await town.reaches(number, "waiting_ready")
    town.bot.freeze()
    await town.host.until(lambda: bool(town.host.spooled(".result")))
    before = kept(town)
    await town.host.kill()
    town.bot.thaw()
    await town.host.start()
    await town.end_of(number, "done")
    await eventually(lambda: not town.host.spooled(".result"))
    assert kept(town) == before and town.game.starts == 2
    await town.whole()


async def test_while_the_game_starts(town: Town) -> None:
    """It goes on starting, and its agent finds it; only nobody can say how the restart ended."""
    town.game.slow(2.0)
    number = await town.number(await town.restart())
    await eventually(lambda: town.game.starts == 2)
    await town.host.kill()
    await town.host.start()
    await town.end_of(number, "failed")
    (card,) = town.cards(number)
    assert "unknown" in card.text.lower() and "look at the server" in card.text.lower(), card.text
    await town.server_is("running")
    assert town.game.starts == 2
    await town.whole()


async def test_while_the_game_stops(town: Town) -> None:
    """What was wanted was a server that runs, so it is started, once."""
    town.game.stops_slowly(2.0)
    await town.succeeds(await town.restart())
    number = await town.number(await town.restart())
    await eventually(lambda: town.game.stopping)
    await town.host.kill()
    await town.host.start()
    await town.end_of(number, "failed")
    (card,) = town.cards(number)
    assert "unknown" in card.text.lower(), card.text
    # The game that still stops counts as running, so its start is what is waited for.
    await eventually(lambda: town.game.starts == 3)
    await town.server_is("running")
    assert town.game.starts == 3
    await town.whole()
