"""Who holds what, and the editor of a role: `/access show` and `/access role`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.access import HeldRole
from bot.domain.permissions import PERMISSIONS
from bot.domain.role_words import place, through, until, verdict
from bot.domain.roles import AREAS, digest, is_edited
from bot.domain.words import count, joined, safe
from bot.ui.cards import Button, Colour, card, fitting, row
from bot.ui.ids import custom_id

if TYPE_CHECKING:
    from bot.services.access_roles import Edited
    from bot.services.access_sight import MemberSight, RoleSight
    from db.queries.access_roles import RoleCard
    from db.queries.access_show import Bound, Holder

_LINE: Final = 280
_ROOM: Final = 800
_SPLIT: Final = 1100
"""Characters for each of the three parts of a person's card."""


def short(role: RoleCard) -> str:
    """For autocompletes: `moderator · 40 · 14 permissions`."""
    return f"{role.name} · {role.priority} · {count(len(role.permissions), 'permission')}"[:100]


def line(role: RoleCard) -> str:
    """One row of `/access role list`."""
    held = ", ".join(
        filter(
            None,
            (
                count(role.bindings, "Discord role") if role.bindings else "",
                count(role.people, "person", "people") if role.people else "",
                f"{count(role.on_servers, 'person', 'people')} on one server" if role.on_servers else "",
            ),
        )
    )
    what = f"-# {safe(role.description, 100)} · " if role.description else "-# "
    return f"{_head(role)}\n{what}{f'held by {held}' if held else 'nobody holds it'}"


def sight_line(sight: RoleSight) -> str:
    """One row of the overview: a role, and all who hold it."""
    held = [_bound(one) for one in sight.bound] + [_holder(one) for one in sight.holders]
    return f"{_head(sight.role)}\n-# {joined(held, _LINE) or 'nobody holds it'}"


def role_card(sight: RoleSight) -> ui.LayoutView:
    """A role: what it may do, and who holds it."""
    role = sight.role
    bound, holders = [_bound(one) for one in sight.bound], [_holder(one) for one in sight.holders]
    return card(
        Colour.IDLE,
        f"### {_head(role)}" + (f"\n{safe(role.description, 200)}" if role.description else ""),
        "\n".join(_areas(role)) or "It may do nothing yet.",
        ui.Separator(),
        f"**Bound to it** · {joined(bound, _ROOM) or 'nothing'}",
        f"**Have it themselves** · {joined(holders, _ROOM) or 'nobody'}",
    )


def member_card(sight: MemberSight) -> ui.LayoutView:
    """What decides over one person, in the order in which it is asked."""
    grants = sight.grants
    glass = "Owns this Discord server or is its Administrator, and may do everything." if grants.break_glass else ""
    exceptions = [
        f"{'✓' if one.granted else '✗'} `{one.permission}` {verdict(one.granted)}{_on(sight, one.server_id)}"
        f"{until(one.expires_at)}{f' · by {safe(one.by, 40)}' if one.by else ''}"
        f"{f' · {safe(one.reason, 80)}' if one.reason else ''}"
        for one in grants.overrides
        if one.server_id is None or one.server_id in sight.servers
    ]
    servers = [
        f"**{safe(role.role, 40)}** on {safe(sight.servers[role.server_id], 40)}{until(role.expires_at)}"
        for role in grants.server_roles
        if role.server_id in sight.servers
    ]
    own = next((safe(role.role, 40) for role in grants.roles if role.discord_role_id is None), "")
    roles = [f"**{own}** · their own"] if own else []
    roles += [_through(sight, role) for role in grants.roles if role.discord_role_id is not None]
    return card(
        Colour.IDLE,
        f"### {safe(sight.name, 80)}" + (f"\n{glass}" if glass else ""),
        _part("Exceptions", exceptions, "none"),
        _part("Roles on one server, in place of all others", servers, "none"),
        _part("Roles", roles, "none: they may do nothing that needs one"),
        "-# `/access why` says what decides a single permission.",
    )


def editor(edited: Edited) -> ui.LayoutView:
    """A role with a select for each area. Each choice counts at once."""
    role = edited.role
    parts: list[str | ui.Item[ui.LayoutView]] = [f"### {_head(role)}\n{safe(role.description, 200)}".strip()]
    parts += [edited.note] if edited.note else []
    for area, (title, names) in AREAS.items():
        chosen = [name for name in names if name in role.permissions]
        parts += [f"**{title}** · {len(chosen)} of {len(names)}", ui.ActionRow(_select(role, area))]
    if role.is_preset and is_edited(role.name, role.priority, role.permissions):
        parts.append(row(Button("Put the preset back", "access.role.restore", (role.id,))))
    parts.append("-# Each choice counts at once, for everybody who holds the role.")
    return card(Colour.BUSY, *parts)


def _select(role: RoleCard, area: str) -> ui.Select[ui.LayoutView]:
    names = AREAS[area][1]
    options = [
        discord.SelectOption(label=PERMISSIONS[name], value=name, description=name, default=name in role.permissions)
        for name in names
    ]
    return ui.Select(
        custom_id=custom_id("access.role.choose", role.id, area, digest(role.permissions, area)),
        placeholder="Nothing of this",
        min_values=0,
        max_values=len(options),
        options=options,
    )


def _head(role: RoleCard) -> str:
    preset = "preset" if role.is_preset else ""
    if role.is_preset and is_edited(role.name, role.priority, role.permissions):
        preset = "preset, **changed here**"
    parts = [f"**{safe(role.name)}**", f"priority {role.priority}", count(len(role.permissions), "permission"), preset]
    return " · ".join(filter(None, parts))


def _areas(role: RoleCard) -> list[str]:
    found: list[str] = []
    for title, names in AREAS.values():
        chosen = [f"`{name}`" for name in names if name in role.permissions]
        if chosen:
            found.append(f"**{title}** · {'all: ' if len(chosen) == len(names) else ''}{' '.join(chosen)}")
    return found


def _bound(one: Bound) -> str:
    return through(one.discord_role_id, everyone=one.everyone) + place(one.server_name, one.tag)


def _holder(one: Holder) -> str:
    return f"{safe(one.name, 40)}{place(one.server_name)}{until(one.expires_at)}"


def _through(sight: MemberSight, role: HeldRole) -> str:
    source = through(role.discord_role_id or 0, everyone=role.discord_role_id == sight.guild_id)
    if role.tag is not None:
        where = place(None, role.tag)
    else:
        where = "".join(place(sight.servers.get(one, "a removed server")) for one in role.servers or ())
    return f"**{safe(role.role, 40)}** · through {source}{where}"


def _on(sight: MemberSight, server_id: object) -> str:
    name = next((name for one, name in sight.servers.items() if one == server_id), None)
    return place(name) or " everywhere"


def _part(title: str, lines: list[str], empty: str) -> str:
    shown = fitting([f"- {text}" for text in lines], _SPLIT)
    return f"**{title}**\n{shown}" if lines else f"**{title}** · {empty}"
