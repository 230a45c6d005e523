"""Macros, ordinary and hostile, and every card and form that is built of them."""

from collections.abc import Iterable
from typing import Any

import discord
from discord import ui

from bot.domain.actions import ACTIONS
from bot.domain.macros import Param, Template
from bot.services.macros import Draft, Ran
from bot.services.macros_adding import MACROS, Plan, Preview, Wish
from bot.ui import cards, macros
from db.queries.macros import MacroCard
from tests.bot.ui.samples import number, server

LONGEST = tuple(
    Param(letter * 32, "choice", choices=tuple(f"{n:02}{'w' * 38}" for n in range(25))) for letter in "abcde"
)
KINDS = (Param("who"), Param("amount", "number", -999999999, 999999999), Param("n", "number"), *LONGEST[:2])


def macro(name: str, **changed: Any) -> MacroCard:
    values: dict[str, Any] = {
        "id": number(),
        "name": "x" * 32,
        "description": name[:100],
        "job_type": "CONSOLE_COMMAND",
        "text": (name * 20)[:512],
        "params": [param.dump() for param in LONGEST],
        "required_permission": "macros.run",
        "server_id": number(3),
        "server_name": name,
        "server_gone": True,
        "author": name,
    }
    return MacroCard(**{**values, **changed})


def macro_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for action in MACROS:
        for params in ((), KINDS, LONGEST):
            template = Template((name * 20)[:512], params)
            wish = Wish("x" * 32, action, template.text, description=name[:100])
            yield macros.preview(Preview(number(), Plan(wish, ACTIONS[action], template, server(name))))
            yield macros.preview(Preview(number(), Plan(wish, ACTIONS[action], template, None)))
    for job_type in ("CONSOLE_COMMAND", "ANNOUNCE"):
        yield macros.ran(Ran("x" * 32, name, job_type, (name * 20)[:512], "`J-340` · <#1>"))
    shown = [macro(name), macro(name, server_id=None, author=None, params=[]), macro(name, job_type="SOMETHING_NEWER")]
    lines = [macros.line(one) for one in shown * 4]
    yield cards.listing("Macros", lines[:10], empty="-", page=9, more=True, route="macro.page")


def macro_forms(name: str) -> Iterable[ui.Modal]:
    for params in (KINDS, LONGEST):
        yield macros.form(Draft(macro(name), params, server(name)))
