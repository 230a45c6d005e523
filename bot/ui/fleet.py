"""Forms of `/fleet`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discord import ui

from bot.ui.ids import custom_id

if TYPE_CHECKING:
    from uuid import UUID

    from bot.services.fleet import Draft


def form(draft: Draft, title: str, route: str, *args: str | UUID) -> ui.Modal:
    """Name and the template's first variables; what is left out keeps its default."""
    modal = ui.Modal(title=title[:45], custom_id=custom_id(route, *args))
    name: ui.TextInput[ui.Modal] = ui.TextInput(custom_id="name", default=draft.name, max_length=100)
    modal.add_item(ui.Label(text="Name", description="As it is shown here", component=name))
    for variable in draft.variables:
        field: ui.TextInput[ui.Modal] = ui.TextInput(
            custom_id=f"var.{variable.name}"[:100],
            default=draft.values.get(variable.name, "")[:256] or None,
            required=bool(draft.values.get(variable.name)),
            max_length=256,
        )
        hint = f"One of {', '.join(variable.choices)}" if variable.choices else variable.type
        modal.add_item(ui.Label(text=variable.label[:45], description=hint[:100], component=field))
    return modal
