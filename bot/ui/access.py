"""`/access why`: the six steps in words, which of them decided, and who could change it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from discord import ui

from bot.domain.access import HeldRole, Override, ServerRole, Step
from bot.domain.permissions import PERMISSIONS
from bot.domain.role_words import through, until
from bot.domain.words import count, joined, safe
from bot.ui.cards import Colour, card
from bot.ui.texts import ago

if TYPE_CHECKING:
    from bot.services.access_sight import Why
    from db.queries.access_show import Able

_STEPS: Final = tuple(Step)
_ROOM: Final = 300
_ALWAYS: Final = "The owner of this Discord server and its Administrators always can."


def why_card(why: Why) -> ui.LayoutView:
    """The verdict, what decided it, all six steps, and who could change it."""
    decision = why.decision
    mark, may = ("✓", "may") if decision.allowed else ("✗", "may not")
    number = _STEPS.index(decision.step) + 1
    return card(
        Colour.GOOD if decision.allowed else Colour.BAD,
        f"### {mark} {safe(why.name, 40)} {may} `{why.permission}` {_asked(why)}\n{PERMISSIONS[why.permission]}",
        f"**Decided by step {number} of {len(_STEPS)}**: {_verdict(why)}",
        ui.Separator(),
        "\n".join(_line(why, n, step) for n, step in enumerate(_STEPS, 1)),
        ui.Separator(),
        "\n".join(_changes(why)),
    )


def _line(why: Why, number: int, step: Step) -> str:
    decided = _STEPS.index(why.decision.step) + 1
    text = f"{number} · {_seen(why, step)}"
    if number == decided:
        return f"**▶ {text}**"
    return text if number < decided else f"-# {text} · not asked any more"


def _seen(why: Why, step: Step) -> str:
    """What a step finds, whether it was reached or not."""
    match step:
        case Step.BREAK_GLASS:
            return f"Owner or Administrator of this Discord server: {'yes' if why.grants.break_glass else 'no'}"
        case Step.SERVER_OVERRIDE if why.server_id:
            return f"Exception {_where(why)}: {_exception(why, on_server=True)}"
        case Step.SERVER_OVERRIDE:
            return "Exception on a server: none was named"
        case Step.ORG_OVERRIDE:
            return f"Exception everywhere: {_exception(why, on_server=False)}"
        case Step.SERVER_ROLE if why.server_id:
            return f"Role {_where(why)} in place of all others: {_server_role(why)}"
        case Step.SERVER_ROLE:
            return "Role on a server: none was named"
        case Step.ROLE:
            return f"Roles held: {_roles(why)}"
        case Step.NOTHING:
            return "Otherwise: denied"


def _exception(why: Why, *, on_server: bool) -> str:
    found = [one for one in why.grants.overrides if (one.server_id is not None) == on_server]
    if found:
        return _override(found[0])
    past = [one for one in why.ended if one.role is None and one.on_server == on_server]
    return f"none; one ended {ago(past[0].expires_at)}" if past else "none"


def _override(one: Override) -> str:
    by = f" by {safe(one.by, 40)}" if one.by else ""
    reason = f" ({safe(one.reason, 120)})" if one.reason else ""
    return f"{'allowed' if one.granted else 'denied'}{until(one.expires_at)}{by}{reason}"


def _server_role(why: Why) -> str:
    for role in why.grants.server_roles:
        has = "has it" if why.permission in role.permissions else "does not have it"
        return f"{safe(role.role, 40)}{until(role.expires_at)}, which {has}"
    past = [one for one in why.ended if one.role]
    return f"none; {safe(past[0].role or '', 40)} ended {ago(past[0].expires_at)}" if past else "none"


def _roles(why: Why) -> str:
    held = [role for role in why.grants.roles if role.on(why.server_id)]
    having = [role for role in held if why.permission in role.permissions]
    others = [role for role in held if why.permission not in role.permissions]
    parts = [f"{_held(why, having)}, with it"] if having else []
    parts += [f"{_held(why, others)}, without it"] if others else []
    return "; ".join(parts) or "none"


def _held(why: Why, roles: Iterable[HeldRole]) -> str:
    ranked = sorted(roles, key=lambda role: -role.priority)
    return joined([f"{safe(role.role, 40)} {_source(why, role)}" for role in ranked], _ROOM)


def _source(why: Why, role: HeldRole) -> str:
    if role.discord_role_id is None:
        return "of their own"
    tag = f" with the tag {safe(role.tag)}" if role.tag else ""
    here = f" {_where(why)}" if role.servers is not None and not role.tag else ""
    source = through(role.discord_role_id, everyone=role.discord_role_id == why.guild_id)
    return f"through {source}{tag}{here}"


def _verdict(why: Why) -> str:
    """The deciding step as a sentence."""
    name = safe(why.name, 40)
    match why.decision.because:
        case Override() as one:
            where = _where(why) if one.server_id else "everywhere"
            return f"an exception for {name} {where} says so, whatever their roles: {_override(one)}."
        case ServerRole() as role:
            has = "has it" if why.decision.allowed else "does not have it"
            return (
                f"{_where(why)} {name} is **{safe(role.role, 40)}**{until(role.expires_at)}, "
                f"in place of all their other roles, and that {has}."
            )
        case tuple() as held:
            return f"{name} is {_held(why, held)}."
        case None if why.decision.allowed:
            return f"{name} owns this Discord server or is its Administrator, who may do everything."
        case None:
            return "no role that they hold has it, and no exception gives it to them."


def _changes(why: Why) -> list[str]:
    if why.decision.step is Step.BREAK_GLASS:
        return ["**Who can change it**", "Only Discord's own settings: Gamekeeper takes nothing from an owner."]
    lines = [
        "**Who can change it**",
        f"Exceptions, with `/access allow`, `deny` or `clear`: {_able(why, 'users.permissions')}.",
        f"Roles, with `/access grant` or `bind`: {_able(why, 'users.edit')}.",
        _ALWAYS,
    ]
    having = joined([safe(role, 40) for role in why.having], _ROOM)
    return [*lines, f"-# Roles with `{why.permission}`: {having or 'none'}."]


def _able(why: Why, permission: str) -> str:
    found = [one for one in why.changers if one.permission == permission]
    return joined([_with(why, one) for one in found], _ROOM) or "no role"


def _with(why: Why, able: Able) -> str:
    holders = [through(role, everyone=role == why.guild_id) for role in able.discord_roles[:3]]
    more = len(able.discord_roles) - len(holders)
    holders += [f"{more} more"] if more else []
    holders += [count(able.people, "person", "people")] if able.people else []
    return f"**{safe(able.role, 40)}** ({', '.join(holders) or 'nobody has it'})"


def _asked(why: Why) -> str:
    """The place, behind a "may not" too."""
    return _where(why) if why.server_id else "in general"


def _where(why: Why) -> str:
    return f"on {safe(why.server_name, 60)}" if why.server_id else "everywhere"
