"""Players as heartbeats list them: who they are, since when they are on, and when they have left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from agent import wire
from bot import clock
from bot.domain.identities import Person, person
from db.queries import players
from db.queries.events import Happened
from db.uow import Tx

_LIVE: Final = frozenset({"running", "starting", "stopping"})
_LONGEST_SECONDS: Final = 30 * 86400


@dataclass(frozen=True)
class _Seen:
    server_id: UUID
    person: Person
    slot: str | None
    since: int


async def note(tx: Tx, org_id: UUID, reports: Mapping[UUID, wire.ServerReport]) -> list[Happened]:
    """Opens and closes sessions on the servers whose players are known; returns the joins and leaves as events.

    Of a server that could not be asked nothing is concluded; on one that is down nobody is left."""
    asked = [key for key, report in reports.items() if report.players is not None or report.state not in _LIVE]
    if not asked:
        return []
    seen = [row for key in asked if reports[key].state in _LIVE for row in _rows(reports[key])]
    who = await _who(tx, org_id, seen) if seen else []
    sessions = _sessions(seen, who)
    joined: set[tuple[UUID, UUID]] = set()
    if sessions:
        people = [{"id": str(player), "name": row.person.name} for row, player in zip(seen, who, strict=True)]
        await players.write_names(tx.session, org_id, people, clock.now())
        joined = await players.open_sessions(tx.session, org_id, sessions, clock.now())
    left = await players.close_sessions(tx.session, asked, sessions, clock.now())
    names = {(player, row.server_id): row.person.name for row, player in zip(seen, who, strict=True)}
    now = clock.now()
    return [_event(org_id, "player.join", *pair, names[pair], now) for pair in sorted(joined)] + [
        _event(org_id, "player.leave", row.player_id, row.server_id, row.name, row.ended_at) for row in left
    ]


def _event(org_id: UUID, name: str, player_id: UUID, server_id: UUID, player: str, at: Any) -> Happened:
    payload = {"playerId": str(player_id), "name": player}
    return Happened(org_id, "server_instance", str(server_id), name, payload, at)


def _rows(report: wire.ServerReport) -> list[_Seen]:
    rows: list[_Seen] = []
    for player in report.players or []:
        somebody = person(player.name, player.identities)
        if somebody is not None:
            since = min(max(player.since_sec or 0, 0), _LONGEST_SECONDS)
            rows.append(_Seen(report.id, somebody, player.slot and player.slot[:64], since))
    return rows


async def _who(tx: Tx, org_id: UUID, seen: list[_Seen]) -> list[UUID]:
    """The player of every row: whoever has its strongest known identity. Who was never seen is a new player."""
    identities = [
        {"place": place, "rank": rank, "kind": kind, "value": value}
        for place, row in enumerate(seen)
        for rank, (kind, value) in enumerate(row.person.identities)
    ]
    known = await players.known(tx.session, org_id, identities)
    if len(known) < len(identities):
        await players.lock_new(tx.session, org_id)
        known = await players.known(tx.session, org_id, identities)
    places = {place: known[place, rank] for place, rank in sorted(known, reverse=True)}
    if len(known) < len(identities):
        await _make(tx, org_id, seen, places)
    return [places[place] for place in range(len(seen))]


async def _make(tx: Tx, org_id: UUID, seen: list[_Seen], places: dict[int, UUID]) -> None:
    """Writes the players and the identities that are new, and adds the players to `places`."""
    owners = {key: places[place] for place, row in enumerate(seen) if place in places for key in row.person.identities}
    new: dict[str, str] = {}
    for place, row in enumerate(seen):
        if place not in places:
            places[place] = next((owners[key] for key in row.person.identities if key in owners), None) or uuid4()
            if places[place] not in owners.values():
                new[str(places[place])] = row.person.name
            owners.update({key: places[place] for key in row.person.identities if key not in owners})
    people = [{"id": key, "name": name} for key, name in new.items()]
    await players.write_new(tx.session, org_id, people, clock.now())
    rows = [{"player": str(player), "kind": kind, "value": value} for (kind, value), player in owners.items()]
    await players.write_identities(tx.session, org_id, rows, clock.now())


def _sessions(seen: list[_Seen], who: list[UUID]) -> list[dict[str, Any]]:
    """One row per player and server: a forged second entry of the same person is the same session."""
    rows = {
        (player, row.server_id): {
            "player": str(player),
            "server": str(row.server_id),
            "slot": row.slot,
            "since": row.since,
            "ip": row.person.address,
        }
        for row, player in zip(seen, who, strict=True)
    }
    return list(rows.values())
