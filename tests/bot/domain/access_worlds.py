"""Small guilds as the rows that a database would hold, and a decision about them that was written from the words of the
design, without a look at the code that decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from bot.domain.access import Grants, HeldRole, Override, ServerRole, Step

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS: Final = (None, NOW, NOW + timedelta(microseconds=1), NOW - timedelta(days=1), NOW + timedelta(days=1))
"""Never; this very moment, which is over; the next; long ago; much later."""
SERVERS: Final = tuple(UUID(int=n) for n in (1, 2, 3))
TAGS: Final = ("pvp", "event")
PERMISSIONS: Final = ("servers.view", "servers.restart")
EVERYONE, STAFF, HELPERS = 1001, 501, 502
STEPS: Final = dict(enumerate(Step, 1))


@dataclass(frozen=True)
class Guild:
    """One person in one guild."""

    administrator: bool
    roles: dict[str, frozenset[str]]
    """Role -> its permissions."""
    own: str | None
    worn: frozenset[int]
    bindings: dict[tuple[int, UUID | None, str | None], str]
    """(Discord role, server, tag) -> role."""
    tags: frozenset[tuple[UUID, str]]
    server_roles: dict[UUID, tuple[str, datetime | None]]
    overrides: dict[tuple[str, UUID | None], tuple[bool, datetime | None]]


class _Draw:
    """Choices, one byte each; when they are used up, always the first."""

    def __init__(self, data: bytes) -> None:
        self._bytes: Iterator[int] = iter(data)

    def one(self, options: Any) -> Any:
        return options[next(self._bytes, 0) % len(options)]

    def yes(self) -> bool:
        return bool(self.one((False, True)))

    def some(self, options: Any) -> frozenset[Any]:
        bits = next(self._bytes, 0)
        return frozenset(option for n, option in enumerate(options) if bits >> n & 1)


def guild(data: bytes) -> Guild:
    """A guild out of bytes: about 40 of them are used."""
    draw = _Draw(data)
    names = ("low", "middle", "high")
    places = [(None, None), *((server, None) for server in SERVERS), *((None, tag) for tag in TAGS)]
    bindings = {
        (draw.one((EVERYONE, STAFF, HELPERS)), *draw.one(places)): draw.one(names) for _ in range(draw.one(range(5)))
    }
    return Guild(
        administrator=draw.one(range(16)) == 15,
        roles={name: draw.some(PERMISSIONS) for name in names},
        own=draw.one((None, None, *names)),
        worn=draw.some((STAFF, HELPERS)) | {EVERYONE},
        bindings=bindings,
        tags=draw.some([(server, tag) for server in SERVERS for tag in TAGS]),
        server_roles={server: (draw.one(names), draw.one(ENDS)) for server in SERVERS if draw.one(range(4)) == 3},
        overrides={
            (permission, server): (draw.yes(), draw.one(ENDS))
            for permission in PERMISSIONS
            for server in (None, *SERVERS)
            if draw.one(range(4)) == 3
        },
    )


def decided(rows: Guild, permission: str, server: UUID | None) -> tuple[bool, Step]:
    """What the design says, in the order in which its steps are easiest to find; the first of them counts."""
    heard = {6: False}
    for (what, where), (granted, ends) in rows.overrides.items():
        if what == permission and (ends is None or ends > NOW) and where in (None, server):
            heard[3 if where is None else 2] = granted
    if server and server in rows.server_roles:
        role, ends = rows.server_roles[server]
        if ends is None or ends > NOW:
            heard[4] = permission in rows.roles[role]
    here = {tag for place, tag in rows.tags if place == server}
    held = {role for (worn, place, tag), role in rows.bindings.items()
            if worn in rows.worn and (place in (None, server) and (tag is None or tag in here))}  # fmt: skip
    if any(permission in rows.roles[role] for role in held | {rows.own} - {None} if role):
        heard[5] = True
    if rows.administrator:
        heard[1] = True
    first = min(heard)
    return heard[first], STEPS[first]


def grants(rows: Guild) -> Grants:
    """The guild as the decision takes it, with what has ended still in it."""
    return Grants(
        break_glass=rows.administrator,
        overrides=tuple(
            Override(permission=permission, granted=granted, server_id=server, expires_at=ends)
            for (permission, server), (granted, ends) in rows.overrides.items()
        ),
        server_roles=tuple(
            ServerRole(server_id=server, role=role, priority=0, permissions=rows.roles[role], expires_at=ends)
            for server, (role, ends) in rows.server_roles.items()
        ),
        roles=tuple(_held(rows)),
    )


def _held(rows: Guild) -> Iterator[HeldRole]:
    if rows.own:
        yield HeldRole(role=rows.own, priority=0, permissions=rows.roles[rows.own])
    for (worn, server, tag), role in rows.bindings.items():
        if worn in rows.worn:
            tagged = frozenset(place for place, its in rows.tags if its == tag) if tag else None
            yield HeldRole(
                role=role,
                priority=0,
                permissions=rows.roles[role],
                discord_role_id=worn,
                servers=frozenset({server}) if server else tagged,
                tag=tag,
            )
