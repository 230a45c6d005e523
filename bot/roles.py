"""What a process of the bot may be for. Several share the work by having different ones."""

from typing import Final

from bot.errors import Invalid

ROLES: Final = {"bot": "Discord and its messages", "http": "agents", "workers": "what is done by itself"}
"""Each role and what it is for. Every process answers `/healthz` and `/readyz`."""


def roles_of(text: str) -> frozenset[str]:
    """The roles that are named, separated by commas.

    Raises:
        Invalid: one is unknown, or there is none.
    """
    named = [part.strip() for part in text.split(",") if part.strip()]
    known = ", ".join(f"{role} ({what})" for role, what in ROLES.items())
    if unknown := [role for role in named if role not in ROLES]:
        raise Invalid(f"There is no role `{unknown[0]}`.", f"Known are {known}.\nTry: gamekeeper run --roles bot,http")
    if not named:
        raise Invalid("No role is named.", f"Known are {known}.\nLeave --roles away to have all of them.")
    return frozenset(named)
