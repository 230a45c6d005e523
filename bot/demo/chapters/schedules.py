"""Something is done by itself: saved early in the evening, due in its middle."""

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
_PATIENCE: Final = 100.0
"""Seconds until the next minute has come, and a tick after it."""


async def saved(story: Story, game: Game) -> datetime:
    """The owner schedules an announcement for the minute that comes next; returns when."""
    with story.tell.step("A schedule: its next five runs are shown before it is saved"):
        due = (datetime.now(UTC) + _AHEAD).replace(second=0, microsecond=0) + timedelta(minutes=1)
        server = await story.owner.picks("schedule add", "server", game.name)
        preview = await story.run(
            story.owner,
            "schedule add",
            action="announce",
            when=f"every day at {due:%H:%M}",
            server=server,
            text=TEXT,
            name=NAME,
        )
        text = reading.text(shown(preview))
        assert text.count(f"{due:%H:%M} (") == 5, f"not five runs at {due:%H:%M}: {text!r}"
        await story.press(story.owner, preview, "Save")
    return due


async def fired(story: Story, game: Game, due: datetime) -> None:
    """The minute has come: the game says it, and the list says how it went."""
    with story.tell.step("The schedule fires, and the game says what it was told"):
        line = await story.logged(game, TEXT, seconds=_PATIENCE)
        assert datetime.now(UTC) >= due, f"said before {due:%H:%M}: {line!r}"

        async def done() -> str | None:
            seen = reading.text(shown(await story.owner.types("schedule list")))
            return seen if "last done" in seen else None

        story.tell.says(story.owner, "/schedule list")
        story.tell.shows(await eventually(done, f"{NAME} as done in /schedule list"), private=True)
