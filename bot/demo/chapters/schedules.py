"""Something is done by itself: saved early in the evening, due in its middle."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import eventually, shown
from bot.demo.story import Story

TEXT: Final = "Happy hour: double experience"
NAME: Final = "happy hour"
_AHEAD: Final = timedelta(seconds=20)
"""Time to look at the preview and to save it."""
_PATIENCE: Final = 30.0
"""Seconds after the minute until a tick has come, and the game has said it."""


async def saved(story: Story, game: Game) -> datetime:
    """The owner schedules an announcement for the minute that comes next; returns when."""
    with story.tell.step("A schedule: its next five runs are shown before it is saved"):
        return await _save(story, game, NAME)


async def _save(story: Story, game: Game, name: str) -> datetime:
    due = (datetime.now(UTC) + _AHEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
    server = await story.owner.picks("schedule add", "server", game.name)
    preview = await story.run(
        story.owner,
        "schedule add",
        action="announce",
        when=f"every day at {due:%H:%M}",
        server=server,
        text=TEXT,
        name=name,
        overlap="queue",
    )
    text = reading.text(shown(preview))
    assert text.count(f"{due:%H:%M} (") == 5, f"not five runs at {due:%H:%M}: {text!r}"
    await story.press(story.owner, preview, "Save")
    return due


async def fired(story: Story, game: Game, due: datetime) -> None:
    """The minute has come: the game says it, and the list says how it went."""
    with story.tell.step("The schedule fires, and the game says what it was told"):
        if await _left_out(story, due):
            due = await _save(story, game, f"{NAME} again")
        line = await story.logged(game, TEXT, seconds=_until(due))
        assert datetime.now(UTC) >= due, f"said before {due:%H:%M}: {line!r}"
        await _listed(story, "last done")


async def _left_out(story: Story, due: datetime) -> bool:
    """Whether the game was down in that very minute, as it is now and then this evening. The list says so."""
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
    seen = await _listed(story, "last done", "left out", seconds=_PATIENCE)
    return "last done" not in seen


async def _listed(story: Story, *words: str, seconds: float = 20.0) -> str:
    async def look() -> str | None:
        seen = reading.text(shown(await story.owner.types("schedule list")))
        return seen if any(word in seen for word in words) else None

    story.tell.says(story.owner, "/schedule list")
    seen = await eventually(look, f"{' or '.join(words)} in /schedule list", seconds)
    story.tell.shows(seen, private=True)
    return seen


def _until(due: datetime) -> float:
    return max(0.0, (due - datetime.now(UTC)).total_seconds()) + _PATIENCE
