"""Roles, people and decisions, ordinary and hostile, and every card that is built of them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import discord

from bot.domain.access import Grants, HeldRole, Override, ServerRole
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.services.access_guards import NOBODY_LEFT
from bot.services.access_roles import Edited
from bot.services.access_sight import MemberSight, RoleSight, Why
from bot.ui import access, access_roles
from bot.ui.cards import listing
from db.queries.access_roles import RoleCard
from db.queries.access_show import Able, Bound, Ended, Holder
from tests.bot.ui.samples import LONG_AGO, NOW, SNOWFLAKE, number

GUILD = 1001
EVERYTHING = sorted(PERMISSIONS)
LONGEST = max(PERMISSIONS, key=len)


def role(name: str, **changed: Any) -> RoleCard:
    values: dict[str, Any] = {
        "id": number(),
        "name": name[:32],
        "description": name,
        "priority": 1000,
        "is_preset": False,
        "permissions": EVERYTHING,
        "bindings": 50,
        "people": 50,
        "on_servers": 1,
        "for_everyone": False,
    }
    return RoleCard(**{**values, **changed})


def sight(name: str, crowd: int = 50, **changed: Any) -> RoleSight:
    """A role that so many Discord roles and so many people have."""
    bound = [Bound(number(), name[:32], SNOWFLAKE - n, False, name if n % 2 else None, None) for n in range(crowd)]
    bound += [Bound(number(), name[:32], GUILD, True, None, "x" * 32)] if crowd else []
    holders = [Holder(number(), name, SNOWFLAKE, name if n % 2 else None, NOW) for n in range(crowd)]
    return RoleSight(role(name, **changed), bound, holders)


def override(name: str, *, server: int | None = None, granted: bool = False, permission: str = LONGEST) -> Override:
    server_id = number(server) if server else None
    return Override(
        permission=permission, granted=granted, server_id=server_id, expires_at=NOW, by=name, reason=name * 3
    )


def grants(name: str, crowd: int = 50) -> Grants:
    """Somebody with everything that a person can have, many times."""
    have = frozenset({LONGEST})
    held = [HeldRole(role=name[:32], priority=n, permissions=have, discord_role_id=SNOWFLAKE - n) for n in range(crowd)]
    return Grants(
        overrides=(*(override(name, server=3 + n) for n in range(crowd)), override(name)),
        server_roles=tuple(
            ServerRole(server_id=number(3 + n), role=name[:32], priority=1, permissions=have, expires_at=NOW)
            for n in range(crowd)
        ),
        roles=(
            *held,
            HeldRole(role=name[:32], priority=1, permissions=frozenset()),
            HeldRole(role=name[:32], priority=1, permissions=have, discord_role_id=GUILD),
            HeldRole(role=name[:32], priority=1, permissions=have, discord_role_id=5, servers=frozenset({number(3)})),
            HeldRole(
                role=name[:32], priority=1, permissions=have, discord_role_id=6, servers=frozenset(), tag="x" * 32
            ),
        ),
    )


def why(name: str, found: Grants, *, on_server: bool = True) -> Why:
    server_id = number(3) if on_server else None
    able = [
        Able(one, name[:32], 100, [SNOWFLAKE - n for n in range(50)], 50) for one in ("users.edit", "users.permissions")
    ]
    return Why(
        name=name,
        permission=LONGEST,
        server_id=server_id,
        server_name=name if on_server else "",
        decision=found.decide(LONGEST, server_id, LONG_AGO),
        grants=found,
        ended=[
            Ended(True, True, None, LONG_AGO),
            Ended(False, False, None, LONG_AGO),
            Ended(True, None, name, LONG_AGO),
        ],
        having=[name[:32]] * 50,
        changers=able * 20,
        guild_id=GUILD,
    )


def by_step(name: str) -> Iterable[Grants]:
    """One world for each step, every later step full of rows that are not asked."""
    full = grants(name)
    yield replace(full, break_glass=True)
    yield full
    everywhere = replace(full, overrides=(override(name, granted=True),))
    yield everywhere
    yield replace(full, overrides=())
    yield replace(full, overrides=(), server_roles=())
    yield Grants()


def access_cards(name: str) -> Iterable[discord.ui.LayoutView]:
    for found in by_step(name):
        for on_server in (True, False):
            yield access.why_card(why(name, found, on_server=on_server))
    for sample in (sight(name), sight(name, crowd=0, permissions=[], description="", is_preset=True)):
        yield access_roles.role_card(sample)
        yield listing(
            "Who holds what", [access_roles.sight_line(sample)] * 10, empty="-", page=9, more=True, route="access.show"
        )
        yield listing(
            "Roles", [access_roles.line(sample.role)] * 10, empty="-", page=9, more=True, route="access.roles"
        )
    servers = {number(3 + n): name for n in range(40)}
    for found in (grants(name), Grants(break_glass=True)):
        yield access_roles.member_card(MemberSight(name, found, servers, GUILD))
    for preset in PRESETS:
        yield access_roles.editor(Edited(role(preset.name, is_preset=True), NOBODY_LEFT))
        as_it_came = role(preset.name, is_preset=True, permissions=sorted(preset.permissions), priority=preset.priority)
        yield access_roles.editor(Edited(as_it_came))
    for permissions in ([], EVERYTHING):
        yield access_roles.editor(Edited(role(name, permissions=permissions, description="")))
