"""How a ban is said."""

import re
from collections.abc import Mapping
from typing import Final

from games.sections.actions import Action
from games.sections.people import Identity

_NUMBER: Final = re.compile(r"-?[0-9]{1,10}")


def ban_context(identity: Identity, action: Action, values: Mapping[str, str]) -> dict[str, str]:
    """What `{target}`, `{duration}` and `{unit}` stand for. ValueError when one is not what it has to be.

    `target` is a kind and a value, as in `steam:7656…`.
    """
    context: dict[str, str] = {}
    if "target" in values:
        kind, _, value = values["target"].partition(":")
        described = next((described for one, described in identity.kinds.items() if one == kind), None)
        if described is None or kind not in identity.ban_by:
            raise ValueError(f"The game does not ban by {kind[:20]}.")
        context["target"] = described.written(value)
    if "duration" in values and action.duration is not None:
        if not _NUMBER.fullmatch(values["duration"]):
            raise ValueError(f"`{values['duration'][:20]}` is not a number.")
        context["duration"] = values["duration"]
        unit = values.get("unit", "")
        if unit not in {"", action.duration.permanent.unit, *action.duration.units}:
            raise ValueError(f"`{unit[:20]}` is not a unit that the game knows.")
        context["unit"] = unit
    return context
