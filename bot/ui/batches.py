"""Batches as people follow them: the one message from the first server to the end, and pages of its servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.words import count, joined, safe
from bot.ui.cards import Button, Colour, card, everything, fitting, listing, row
from bot.ui.texts import ago, span

if TYPE_CHECKING:
    from bot.services.batches import Batch, State, Turn
    from bot.services.servers import Page
    from db.queries.batch_cards import BatchCard

_SIGNS: Final[dict[State, str]] = {
    "done": "✓",
    "under way": "▸",
    "waiting": "○",
    "failed": "✗",
    "left out": "–",
    "not begun": "–",
    "cancelled": "–",
}
_COUNTED: Final[tuple[State, ...]] = ("failed", "under way", "waiting", "cancelled", "not begun", "left out")
_LISTED: Final[dict[State, str]] = {
    "under way": "Under way",
    "waiting": "Waiting",
    "cancelled": "Cancelled",
    "not begun": "Not begun",
    "done": "Done",
}
_FEW: Final = 12
"""So many servers have a line each; of more the names are listed by state."""
_STEPS: Final = 12
"""Parts of the bar."""
_ROOM: Final = 2600
_NAMES: Final = 240
_REASONS: Final = 4
_FAILED: Final = 6
"""Failures that have a line each where servers are many."""


def number(batch: BatchCard) -> str:
    return f"W-{batch.number}"


def batch_card(
    batch: Batch, mark: int | None = None, *, may: Callable[[str], bool] = everything
) -> discord.ui.LayoutView:
    """The message of a batch. `may`: of the only reader, where there is one."""
    lines = list(map(_line, batch.turns)) if len(batch.turns) <= _FEW else _groups(batch)
    return card(_colour(batch), f"### {_head(batch)}", fitting(lines, _ROOM), *_buttons(batch, may), mark=mark)


def page(batch: Batch, found: Page[Turn], *, failed: bool, may: Callable[[str], bool]) -> discord.ui.LayoutView:
    """Ten of its servers, for one reader."""
    unseen = [f"-# {count(batch.unseen, 'more server')} that you do not see"] if batch.unseen and not found.more else []
    stop = [row(button)] if (button := _stop(batch, may)) else []
    return listing(
        _head(batch),
        [*map(_line, found.rows), *unseen],
        empty="None of its servers failed." if failed else "None of its servers is known any more.",
        page=found.number,
        more=found.more,
        route="batch.page",
        args=("failed" if failed else "all", batch.card.number),
        extra=stop,
    )


def _head(batch: Batch) -> str:
    shown = batch.card
    who = f" · by {safe(shown.author, 40)}" if shown.author else ""
    first = f"{_title(shown)}\n`{number(shown)}` · **{_state(batch)}**{who} · {ago(shown.created_at)}"
    text = str(shown.payload.get("text", ""))
    return "\n".join(filter(None, [first, f"> {safe(text, 300)}" if text else "", _pace(batch), _progress(batch)]))


def _title(batch: BatchCard) -> str:
    mod = " ".join(safe(str(batch.payload[key]), 60) for key in ("mod", "version") if batch.payload.get(key))
    deed = f"Deploy {mod}" if mod else batch.action.capitalize()
    return f"{deed} · tag {safe(str(batch.targets.get('tag', '')), 32)}"


def _state(batch: Batch) -> str:
    shown, failed = batch.card, len(batch.of("failed"))
    match shown.status:
        case "running":
            return "stopping: what is under way ends" if shown.stopped_at else "under way"
        case "cancelled":
            return "stopped"
        case _:
            return f"done, {failed} failed" if failed else "done"


def _pace(batch: Batch) -> str:
    shown = batch.card
    if shown.completed_at:
        took = f"It took {span(shown.completed_at - shown.created_at)}."
    elif shown.payload.get("atOnce") or shown.max_parallel >= shown.total_count:
        took = "All at once." if shown.total_count > 1 else ""
    else:
        took = "One after the other." if shown.max_parallel == 1 else f"{shown.max_parallel} at a time."
    if shown.stopped_at:
        return f"{took} Stopped {f'by {safe(shown.stopped_by, 40)}' if shown.stopped_by else 'because one failed'}."
    return took if shown.completed_at or not shown.stop_on_failure else f"{took} Stops when one fails."


def _progress(batch: Batch) -> str:
    """`▰▰▰▱▱▱ 3 of 6 done · 1 under way · 2 waiting`."""
    total, done = len(batch.turns) - len(batch.of("left out")), len(batch.of("done"))
    ended = done + len(batch.of("failed", "cancelled", "not begun"))
    full = _STEPS * ended // total if total else _STEPS
    words = [f"{len(found)} {state}" for state in _COUNTED if (found := batch.of(state))]
    return f"{'▰' * full}{'▱' * (_STEPS - full)} " + " · ".join([f"**{done} of {total} done**", *words])


def _colour(batch: Batch) -> Colour:
    match batch.card.status:
        case "running":
            return Colour.WARN if batch.of("failed") else Colour.BUSY
        case "cancelled":
            return Colour.BAD if batch.of("failed") else Colour.IDLE
        case _:
            return Colour.BAD if batch.of("failed") else Colour.GOOD


def _line(turn: Turn) -> str:
    """`✗ EU3 · failed: it did not start within 60 s · J-12`."""
    reason = f": {safe(turn.reason, 120)}" if turn.reason else ""
    job = f" · `J-{turn.number}`" if turn.number else ""
    return f"{_SIGNS[turn.state]} **{safe(turn.name, 60)}** · {turn.state}{reason}{job}"


def _groups(batch: Batch) -> list[str]:
    """Many servers: what is wrong in lines of its own, and the names of the others."""
    failed = batch.of("failed")
    lines = [_line(turn) for turn in failed[:_FAILED]]
    if len(failed) > _FAILED:
        lines.append(f"✗ and {len(failed) - _FAILED} more")
    lines += _reasons(batch.of("left out"))
    for state, words in _LISTED.items():
        if turns := batch.of(state):
            lines.append(f"{_SIGNS[state]} **{words}:** {_names(turns)}")
    return lines


def _reasons(left: Sequence[Turn]) -> list[str]:
    """Servers that were left out, by why."""
    found: dict[str, list[Turn]] = {}
    for turn in left:
        found.setdefault(turn.reason, []).append(turn)
    lines = [f"– **Left out,** {safe(reason, 100)}: {_names(turns)}" for reason, turns in found.items()]
    rest = sum(len(turns) for turns in [*found.values()][_REASONS:])
    return [*lines[:_REASONS], *([f"– **Left out,** for other reasons: {rest}"] if rest else [])]


def _names(turns: Sequence[Turn]) -> str:
    return joined([safe(turn.name, 40) for turn in turns], _NAMES)


def _stop(batch: Batch, may: Callable[[str], bool]) -> Button | None:
    goes_on = batch.card.status == "running" and not batch.card.stopped_at and batch.of("waiting")
    if not goes_on or not may("batches.run"):
        return None
    return Button("Stop", "batch.stop", (batch.card.number,), discord.ButtonStyle.danger)


def _buttons(batch: Batch, may: Callable[[str], bool]) -> list[discord.ui.Item[discord.ui.LayoutView]]:
    buttons = [button] if (button := _stop(batch, may)) else []
    if batch.of("failed"):
        buttons.append(Button("Show failed", "batch.open", ("failed", batch.card.number)))
    if len(batch.turns) > _FEW:
        buttons.append(Button("All servers", "batch.open", ("all", batch.card.number)))
    return [row(*buttons)] if buttons else []


def short(batch: BatchCard) -> str:
    """For autocompletes: `W-3 · restart · eu · running`."""
    state = "under way" if batch.status == "running" else "stopped" if batch.status == "cancelled" else batch.status
    return f"{number(batch)} · {batch.action} · {batch.targets.get('tag', '')} · {state}"[:100]
