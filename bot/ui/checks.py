"""The card of `/setup check`: problems first, each with its remedy and the button that mends it; of what is fine a line
for each topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from discord import ButtonStyle, ui

from bot.domain import checks
from bot.domain.checks import PERMISSION, Finding, State
from bot.domain.words import count
from bot.ui.cards import MAX_TEXT, Button, Colour, card, fitting, row

_PER_PAGE: Final = 9
"""Problems; each with its button is three of the 40 parts that Discord allows in a message."""
_ROOM: Final = 2600
"""Characters of the problems on one page; the rest is for what is fine."""


def check_card(
    findings: Sequence[Finding], may: Callable[[str], bool], *, page: int = 0, done: str = ""
) -> ui.LayoutView:
    """`may`: whether the reader has a permission; nobody is shown a button that would refuse them. `done`: what a
    button has just brought about."""
    found = checks.problems(findings)
    pages = _paged(found)
    page = min(page, len(pages) - 1)
    parts: list[str | ui.Item[ui.LayoutView]] = [f"### {_title(found)}" + (f"\n**{done}**" if done else "")]
    parts += [_problem(finding, may, page) for finding in pages[page]]
    if page == 0:
        good = fitting(_good(findings), MAX_TEXT - _ROOM - len(done) - 100)
        parts += [ui.Separator(), good] if good else []
    parts.append(row(*_buttons(page, len(pages))))
    return card(_colour(found), *parts)


def _title(found: Sequence[Finding]) -> str:
    broken = sum(finding.state is State.BROKEN for finding in found)
    noted = len(found) - broken
    worth = f"{count(noted, 'thing is', 'things are')} worth knowing"
    if not found:
        return "Everything is fine"
    if not broken:
        return f"Nothing is broken, {worth}"
    return f"{count(broken, 'thing is', 'things are')} broken" + (f", {worth}" if noted else "")


def _colour(found: Sequence[Finding]) -> Colour:
    if not found:
        return Colour.GOOD
    return Colour.BAD if found[0].state is State.BROKEN else Colour.WARN


def _paged(found: Sequence[Finding]) -> list[list[Finding]]:
    pages: list[list[Finding]] = [[]]
    used = 0
    for finding in found:
        length = len(_text(finding))
        if pages[-1] and (len(pages[-1]) == _PER_PAGE or used + length > _ROOM):
            pages.append([])
            used = 0
        pages[-1].append(finding)
        used += length
    return pages


def _text(finding: Finding) -> str:
    return f"{finding.state.value} {finding.what}\n-# {finding.remedy}"


def _problem(finding: Finding, may: Callable[[str], bool], page: int) -> str | ui.Item[ui.LayoutView]:
    fix = finding.fix
    if fix is None or not may(PERMISSION[fix.mend]):
        return _text(finding)
    button = Button(fix.label, "check.fix", (fix.mend.value, fix.target or "-", page), ButtonStyle.primary)
    return ui.Section(_text(finding), accessory=button.build())


def _good(findings: Sequence[Finding]) -> list[str]:
    return [f"{State.FINE.value} **{topic.value}** · {words}" for topic, words in checks.folded(findings)]


def _buttons(page: int, pages: int) -> list[Button]:
    """Two buttons of a message may not carry the same id, so the pages beside this one have a route of their own."""
    again = Button("Check again", "check.page", (page,))
    if pages == 1:
        return [again]
    return [
        again,
        Button("Previous", "check.turn", (max(page - 1, 0), "-"), disabled=page == 0),
        Button(f"Next ({page + 1} of {pages})", "check.turn", (page + 1, "+"), disabled=page == pages - 1),
    ]
