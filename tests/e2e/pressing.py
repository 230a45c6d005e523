"""How a walk over all buttons, selects and forms fills their custom_ids and what they are sent with: as `filling` does
for commands."""

import inspect
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final
from uuid import UUID

from simcord.results import ResponseMessage

from bot.gate import routes
from bot.ui.audit import pack
from db.models import BotMessage, NotificationChannel, PendingConfirmation, Player, Server
from tests.e2e import forging
from tests.e2e.filling import PLAIN, THINGS, Refs, Slot, Unfillable, named
from tests.e2e.forging import CHANNELS, ROLES, Act
from tests.e2e.street import Street

ARGUMENTS: Final[Mapping[str, Refs]] = {
    "number": lambda of: [str(of.number)],
    "packed": lambda of: [pack(("server", str(of.one(Server).id)))],
    "token": named(PendingConfirmation),
}
"""Arguments of custom_ids that name something, beside those that are called as options are."""
ROUTED: Final[Mapping[tuple[str, str], Refs]] = {
    ("console.found", "server"): lambda of: [pack(("x", str(of.one(Server).id)))[1:]],
    ("schedule.step", "token"): lambda of: [str(of.unsaved[0])],
    ("schedule.stepped", "token"): lambda of: [str(of.unsaved[0])],
    ("schedule.unstep", "token"): lambda of: [str(of.unsaved[1])],
}
"""The same where a name alone does not tell: (route, argument)."""
EITHER: Final = {("alert.added", "host"), ("alert.added", "server")}
"""Arguments that are left empty unless they are what is tried."""
VARIANTS: Final[Mapping[str, Sequence[tuple[str, Refs]]]] = {
    "check.fix": [
        ("try", named(NotificationChannel)),
        ("panel", named(BotMessage)),
        ("let", lambda of: [str(of.channel.id)]),
    ],
}
"""Routes whose first argument says what the second one names."""
FILTERS: Final[Mapping[str, str]] = {
    "_way": "on",
    "area": "servers",
    "asked": "0",
    "before": "zzzz",
    "by": "0",
    "choice": "soon",
    "digest": "0",
    "kind": "server_down",
    "last": "0",
    "last_id": "0",
    "match": "text",
    "page": "0",
    "preset": "moderator",
    "purpose": "ops",
    "result": "",
    "seconds": "0",
    "sees": "on",
    "severity": "high",
    "shown": "00000000",
    "shown_as": "0",
    "state": "",
    "step": "restart",
    "what": "",
    "which": "all",
    "words": "hello",
}
"""Arguments that name nothing of a guild."""
FIELDS: Final[Mapping[str, str]] = {
    "duration": "15 min",
    "failure": "stop",
    "name": "Something new",
    "place": "after",
    "reason": "because",
    "warn": "5",
    "when": "every day at 4",
    "window": "02:00-06:00",
    "words": "never mind",
    "zone": "Europe/Berlin",
}
"""Entries of forms."""
MORE_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "alert.added": {"for": "60"},
    "macro.filled": {"param.who": "everybody"},
}
"""Route -> entries that its form has besides, for the arguments that it gets here."""
CHOSEN: Final[Mapping[str, Refs]] = {
    "players.profile": named(Player),
}
"""Route of a select -> what is chosen in it that names something of a guild."""
PICKED: Final[Mapping[str, str]] = {
    "access.role.choose": "servers.view",
    "audit.result": "failed",
    "schedule.step": "restart",
    "schedule.unstep": "1",
    "setup.zone": "Europe/Berlin",
}
"""Route of a select -> what is chosen in it that names nothing of a guild."""
ENTITIES: Final[Mapping[str, int]] = {
    "setup.channel": CHANNELS,
    "setup.roles": ROLES,
}
"""Route of a select whose values Discord looks up -> its kind."""


def arguments(route: str) -> list[list[Slot]]:
    """How to fill the arguments of a custom_id, in every way that it may be meant.

    Raises:
        Unfillable: with what to do about it.
    """
    hints = typing.get_type_hints(routes[route][1])
    del hints["return"]
    named = list(hints.items())[1:]
    if route not in VARIANTS:
        return [[_argument(route, name, kind) for name, kind in named]]
    rest = [_argument(route, name, kind) for name, kind in named[2:]]
    return [[Slot(named[0][0], plain=word), Slot(named[1][0], refs), *rest] for word, refs in VARIANTS[route]]


def _argument(route: str, name: str, kind: Any) -> Slot:
    refs = ROUTED.get((route, name)) or ARGUMENTS.get(name) or THINGS.get(name)
    if refs is not None and name not in FILTERS:
        return Slot(name, _ids(refs) if kind is UUID else refs, needed=(route, name) not in EITHER)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Slot(name, plain=next(iter(kind)).value)
    plain = FILTERS.get(name, PLAIN.get(name))
    if plain is None:
        raise Unfillable(
            f"{route}: nobody says what the argument {name!r} is. If it names something of a guild, add it to "
            f"ARGUMENTS (or ROUTED) in {__file__}, else to FILTERS."
        )
    return Slot(name, plain=plain)


def entries(route: str) -> dict[str, str] | None:
    """A filled form for a route that takes one.

    Raises:
        Unfillable: with what to do about it.
    """
    spec, _ = routes[route]
    if spec.fields is None:
        return None
    names = [field for field in spec.fields if not field.endswith("*")]
    if missing := [name for name in names if name not in FIELDS]:
        raise Unfillable(f"{route}: nobody says what goes into its form's {missing}. Add it to FIELDS in {__file__}.")
    return {name: FIELDS[name] for name in names} | dict(MORE_FIELDS.get(route, {}))


def picked(route: str) -> Slot | None:
    """How to choose in a select; None: the route belongs to a button or a form.

    Raises:
        Unfillable: with what to do about it.
    """
    spec, handler = routes[route]
    if spec.fields is not None or not re.search(r"\bcall\.value", inspect.getsource(inspect.unwrap(handler))):
        return None
    if route in CHOSEN:
        return Slot("values", CHOSEN[route])
    if route in ENTITIES:
        return Slot("values", lambda of: [str((of.channel if ENTITIES[route] == CHANNELS else of.role).id)])
    if route not in PICKED:
        raise Unfillable(
            f"{route}: nobody says what is chosen there. Add it to CHOSEN, PICKED or ENTITIES in {__file__}; if it is "
            "a form, name its entries: @action(…, fields=…)."
        )
    return Slot("values", plain=PICKED[route])


def _ids(refs: Refs) -> Refs:
    return lambda of: [UUID(refs(of)[0]).hex]


def acts(street: Street, card: ResponseMessage, route: str) -> Iterator[tuple[str, str, Act]]:
    """A route with what is ours; then every argument in turn, and what is chosen in a select, with what is theirs."""
    for slots in arguments(route):
        own = {one.name: str(one.own(street.us)) if one.needed else "" for one in slots}
        tried = [(one.name, ref) for one in slots for ref in one.named_by(street.them)]
        for name, ref in [("", ""), *tried]:
            custom_id = ":".join(["gk", route, *(own | {name: ref} if name else own).values()])
            yield name, ref, used(street, card, route, custom_id)
        choice = picked(route)
        for ref in choice.named_by(street.them) if choice else ():
            yield "values", ref, used(street, card, route, ":".join(["gk", route, *own.values()]), ref)


def used(street: Street, card: ResponseMessage, route: str, custom_id: str, chosen: str = "") -> Act:
    """A press, a filled form, or a choice of what the message offers: `chosen`, or else what is ours. Of entities
    Discord says only what is in our guild."""
    me, here, choice = street.us.owner, street.us.channel, picked(route)
    if (fields := entries(route)) is not None:
        return forging.form(me, here, custom_id, fields)
    if choice is None:
        return forging.component(me, card, here, custom_id)
    kind, value = ENTITIES.get(route, forging.STRINGS), chosen or choice.own(street.us)
    ours: dict[str, Any] = {"channels": {str(here.id): {}}, "roles": {str(street.us.role.id): {}}}
    return forging.component(me, card, here, custom_id, kind=kind, values=[value], resolved=ours)
