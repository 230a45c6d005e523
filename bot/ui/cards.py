"""The shapes that every answer is made of: a card, a refusal, a paged list, a confirmation.

All are Components V2 views: an accent colour, and the state also in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import discord
from discord import ui

from bot.ui.ids import custom_id

MAX_TEXT = 3800
"""Discord allows 4,000 characters of text in a message; some are kept for what surrounds it."""


class Colour(Enum):
    """State as an accent colour. The words beside it say the same."""

    GOOD = 0x2E7D32
    BUSY = 0x1E88E5
    WARN = 0xF9A825
    BAD = 0xC62828
    IDLE = 0x78909C


VOLATILE = 0x7FFFFFF0
"""Id of a part that is no reason to edit a message, such as the time of its last change."""


@dataclass(frozen=True)
class Button:
    """A button that leads to `@action(route)`."""

    label: str
    route: str
    args: tuple[str | int | UUID, ...] = ()
    style: discord.ButtonStyle = discord.ButtonStyle.secondary
    disabled: bool = False

    def build(self) -> ui.Button[ui.LayoutView]:
        return ui.Button(
            label=self.label[:80],
            custom_id=custom_id(self.route, *self.args),
            style=self.style,
            disabled=self.disabled,
        )


def everything(_permission: str) -> bool:
    """A card that many read offers what any of them may do; pressing is checked."""
    return True


def row(*buttons: Button) -> ui.ActionRow[ui.LayoutView]:
    """Up to five buttons side by side."""
    return ui.ActionRow(*(button.build() for button in buttons))


def card(colour: Colour, *parts: str | ui.Item[ui.LayoutView], mark: int | None = None) -> ui.LayoutView:
    """A card of texts and rows. `mark` is an invisible id by which a message of ours can be found again."""
    view = ui.LayoutView(timeout=None)
    items = [ui.TextDisplay[ui.LayoutView](part) if isinstance(part, str) else part for part in parts if part]
    view.add_item(ui.Container(*items, accent_colour=colour.value, id=mark))
    return view


def failure(what: str, remedy: str, reference: str) -> ui.LayoutView:
    """Three lines: what failed, what to do, the reference."""
    lines = [f"**{what}**", remedy, f"-# Reference: `{reference}`"]
    return card(Colour.BAD, "\n".join(line for line in lines if line))


def notice(title: str, text: str = "", colour: Colour = Colour.GOOD) -> ui.LayoutView:
    """A short answer. Of a text that is too long the first lines are shown."""
    shown = fitting(text.splitlines(), MAX_TEXT - len(title))
    return card(colour, f"**{title}**" + (f"\n{shown}" if shown else ""))


def listing(
    title: str,
    lines: Sequence[str],
    *,
    empty: str,
    page: int = 0,
    more: bool = False,
    route: str = "",
    args: tuple[str | int | UUID, ...] = (),
    extra: Sequence[ui.Item[ui.LayoutView]] = (),
) -> ui.LayoutView:
    """A list of at most ten rows with Previous and Next; `route` gets `args` and the page."""
    parts: list[str | ui.Item[ui.LayoutView]] = [f"### {title}", ui.Separator()]
    parts.append(fitting(lines, MAX_TEXT - len(title)) or empty)
    parts += extra
    if route and (page or more):
        parts.append(
            row(
                Button("Previous", route, (*args, max(page - 1, 0)), disabled=page == 0),
                Button("Next", route, (*args, page + 1), disabled=not more),
            )
        )
    return card(Colour.IDLE, *parts)


def fitting(lines: Sequence[str], room: int = MAX_TEXT) -> str:
    """As many whole lines as there is room for (in characters); dots stand for the rest. A line that was cut in its
    middle could leave Markdown open."""
    text = "\n".join(lines)
    if len(text) <= room:
        return text
    cut = text.rfind("\n", 0, max(room - 1, 1))
    return (text[:cut] + "\n…") if cut > 0 else text[: room - 1] + "…"


def confirmation(
    title: str,
    effect: Sequence[str],
    *,
    verb: str,
    token: UUID,
    typed: bool = False,
    choices: Sequence[tuple[str, str]] = (),
    choices_first: bool = False,
) -> ui.LayoutView:
    """C1 and C2: what will happen, and a button with the verb on it. Typed: the button asks for the name first.
    `choices`: other ways to do it, by key and label."""
    route = "confirm.type" if typed else "confirm.press"
    verbs = [Button(verb, route, (token,), discord.ButtonStyle.danger)]
    style = discord.ButtonStyle.success if choices_first else discord.ButtonStyle.primary
    others = [Button(label, "confirm.choose", (token, key), style) for key, label in choices]
    ordered = [*others, *verbs] if choices_first else [*verbs, *others]
    buttons = row(*ordered, Button("Never mind", "confirm.dismiss", (token,)))
    return card(Colour.WARN, f"### {title}", "\n".join(effect), buttons, "-# For you only, for 2 minutes.")
