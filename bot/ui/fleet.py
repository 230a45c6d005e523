"""Forms of `/fleet`, and what its tags bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.domain.actions import OF_JOB_TYPE
from bot.domain.role_words import through
from bot.domain.words import joined, safe
from bot.ui.cards import notice
from bot.ui.forms import Field, modal
from bot.ui.texts import at

if TYPE_CHECKING:
    from uuid import UUID

    from bot.services.fleet import Draft
    from bot.services.fleet_tags import Carried, Tagged


def form(draft: Draft, title: str, route: str, *args: str | UUID) -> ui.Modal:
    """Name and the template's first variables; what is left out keeps its default."""
    fields = [Field("name", "Name", "As it is shown here", 100, draft.name)]
    for variable in draft.variables:
        hint = f"One of {', '.join(variable.choices)}" if variable.choices else variable.type
        default = draft.values.get(variable.name, "")[:256]
        fields.append(Field(f"var.{variable.name}", variable.label, hint, 256, default, required=bool(default)))
    return modal(title, route, args, *fields)


def tagged(done: Tagged) -> discord.ui.LayoutView:
    """What was changed, and what that begins and ends on the server."""
    changed = [f"`{tag}` added" for tag in done.added] + [f"`{tag}` removed" for tag in done.removed]
    worn = joined([f"`{tag}`" for tag in done.tags], 400) or "none"
    lines = [
        f"Tags now: {worn}",
        *_carried(done.gained, "Now counts there"),
        *_carried(done.lost, "Counts there no more"),
    ]
    return notice(f"{safe(done.name)}: {joined(changed, 400)}", "\n".join(filter(None, [*lines, done.left])))


def _carried(carried: Carried, title: str) -> list[str]:
    lines = [
        *(
            f"{through(bound.discord_role_id, everyone=bound.everyone)} is {safe(bound.role)}, by the tag `{bound.tag}`"
            for bound in carried.bindings
        ),
        *(
            f"schedule **{safe(one.name)}**: {_actions(one.job_types)}, by the tag `{one.tag}`"
            for one in carried.schedules
        ),
        *(
            f"maintenance from {at(one.starts_at)} to {at(one.ends_at)}, by the tag `{one.tag}`: {safe(one.reason)}"
            for one in carried.windows
        ),
    ]
    return [f"**{title}**", *lines] if lines else []


def _actions(job_types: list[str]) -> str:
    return ", ".join(OF_JOB_TYPE[name].name if name in OF_JOB_TYPE else safe(name) for name in job_types)
