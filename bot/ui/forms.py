"""Forms: a title, and lines of text that are entered. What is too long for Discord is cut."""

from dataclasses import dataclass
from uuid import UUID

from discord import ui

from bot.ui.ids import custom_id


@dataclass(frozen=True)
class Field:
    """A line of a form. What is entered arrives under its name."""

    name: str
    label: str
    description: str
    longest: int
    """Characters at most."""
    default: str = ""
    placeholder: str = ""
    required: bool = True


def modal(title: str, route: str, args: tuple[str | int | UUID, ...], *fields: Field) -> ui.Modal:
    """A form that leads to `@action(route)`."""
    made = ui.Modal(title=title[:45], custom_id=custom_id(route, *args))
    for field in fields:
        entry: ui.TextInput[ui.Modal] = ui.TextInput(
            custom_id=field.name[:100],
            default=field.default or None,
            placeholder=field.placeholder[:100] or None,
            required=field.required,
            max_length=field.longest,
        )
        made.add_item(ui.Label(text=field.label[:45], description=field.description[:100], component=entry))
    return made
