"""Heartbeats: what a host's agent reports every few seconds, and what their absence means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.actors import system
from bot.services import bans_returns, bans_syncing, players_seen
from bot.services.agents import GAMES_MAX, HostIdentity, NotRecognised
from bot.services.sightings import edit_cards, status_event
from db.engine import Database
from db.queries import agents, events, heartbeats
from db.queries.events import Happened
from db.queries.heartbeats import Beat, Observed
from db.uow import Tx

_SHOWN: Final = ("version", "map", "reachable", "maxPlayers", "note", "startedAt", "caution")
"""What a server's card shows of `observed`, besides its status and its players."""
_LONGEST_WORDS: Final = 200
_MOST_PORTS: Final = 16
_LIVE: Final = frozenset({"running", "starting", "stopping"})


class Heartbeats:
    """Takes heartbeats in, one transaction each, and notices hosts that have gone silent."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def beat(self, host: HostIdentity, report: wire.Heartbeat, ip: str | None) -> Beat:
        """Writes a report down and says what the agent has to know. Servers that are not this host's are ignored.

        Raises:
            NotRecognised: the host was removed.
        """
        reports = {server.id: server for server in report.servers}
        async with self._db.uow(host.actor) as tx:
            # Rows are locked in the order servers, host, messages: so do those who change what an agent must know.
            known = await heartbeats.servers(tx.session, host.org_id, host.id, reports) if reports else {}
            games = [game.dump() for game in report.games[:GAMES_MAX]]
            beat = await heartbeats.beat(
                tx.session,
                host.id,
                version=report.agent_version[:64],
                games=games,
                metrics=report.metrics.dump() | _skew(report, clock.now()),
                ip=ip,
                now=clock.now(),
            )
            if beat is None:
                raise NotRecognised("This host was removed.", "Pair it again with `/host add`.")
            if beat.other_games:
                await agents.new_games(tx.session, games, clock.now())
            await self._servers(tx, host, beat, known, {server_id: reports[server_id] for server_id in known})
        return beat

    async def _servers(
        self,
        tx: Tx,
        host: HostIdentity,
        beat: Beat,
        known: Mapping[UUID, Observed],
        reports: Mapping[UUID, wire.ServerReport],
    ) -> None:
        came_back = beat.old_status != "online"
        happened = [_online(host, beat)] if came_back else []
        if reports:
            happened += await players_seen.note(tx, host.org_id, reports)
            await heartbeats.update_servers(tx.session, [_row(report) for report in reports.values()], clock.now())
        happened += filter(None, (_missed_crash(host, known[key], report) for key, report in reports.items()))
        happened += filter(None, (_status_event(host, known[key], report) for key, report in reports.items()))
        await events.write(tx.session, happened)
        if any(event.event_type == "server.crashed" for event in happened):
            await tx.notify("gk_states")
        await self._bans(tx, host, beat, known, reports, happened)
        changed = [key for key, report in reports.items() if came_back or _shows_change(known[key], report)]
        await edit_cards(tx, host.org_id, changed)

    async def _bans(
        self,
        tx: Tx,
        host: HostIdentity,
        beat: Beat,
        known: Mapping[UUID, Observed],
        reports: Mapping[UUID, wire.ServerReport],
        happened: Sequence[Happened],
    ) -> None:
        if beat.other_games:
            await bans_returns.able(tx, host.id)
        running = [key for key, report in reports.items() if report.state == "running"]
        if new := [key for key in running if _has_started(known[key], reports[key])]:
            await bans_returns.started(tx, new)
        if beat.old_status != "online":
            await bans_syncing.start(tx, running)
        if joined := {UUID(event.source_id) for event in happened if event.event_type == "player.join"}:
            await bans_returns.evaded(tx, joined)

    async def sweep(self) -> dict[str, int]:
        """Hosts that have been silent for longer than their guild's patience are offline."""
        async with self._db.uow(system("hosts.sweep")) as tx:
            silent = await heartbeats.offline(tx.session, clock.now())
            await events.write(
                tx.session,
                [
                    Happened(
                        host.org_id,
                        "host",
                        str(host.id),
                        "host.offline",
                        {"name": host.name, "since": host.offline_since.isoformat()},
                        clock.now(),
                    )
                    for host in silent
                ],
            )
            for host in silent:
                await edit_cards(tx, host.org_id, host.servers)
        return {"offline": len(silent)}


def _skew(report: wire.Heartbeat, now: datetime) -> dict[str, float]:
    """How far a host's clock is ahead, in seconds. What a heartbeat takes on its way makes it seem behind."""
    return {} if report.sent_at is None else {"clockSkewSec": round((report.sent_at - now).total_seconds(), 1)}


def _online(host: HostIdentity, beat: Beat) -> Happened:
    since = beat.offline_since.isoformat() if beat.offline_since else None
    payload = {"name": host.name, "offlineSince": since}
    return Happened(host.org_id, "host", str(host.id), "host.online", payload, clock.now())


def _row(report: wire.ServerReport) -> dict[str, Any]:
    return {
        "id": str(report.id),
        "status": report.state,
        "observed": observed_of(report),
        "players": len(report.players) if report.players is not None and report.state in _LIVE else None,
    }


def observed_of(report: wire.ServerReport) -> dict[str, Any]:
    """What is kept of a report beside its state and its players. A game says what it likes, but not at any length."""
    said = report.dump().items()
    return {name: _short(value) for name, value in said if name not in ("id", "state", "players")}


def _short(value: Any) -> Any:
    match value:
        case str():
            return value[:_LONGEST_WORDS]
        case list():
            return cast("list[Any]", value)[:_MOST_PORTS]
        case _:
            return value


def _shows_change(old: Observed, report: wire.ServerReport) -> bool:
    new = _row(report)
    return (old.status, old.players_online) != (new["status"], new["players"]) or any(
        old.observed.get(name) != new["observed"].get(name) for name in _SHOWN
    )


def _has_started(old: Observed, report: wire.ServerReport) -> bool:
    """Is it another run of the game than before?"""
    began = _row(report)["observed"].get("startedAt")
    return old.status != "running" or (began is not None and old.observed.get("startedAt") != began)


def _missed_crash(host: HostIdentity, old: Observed, report: wire.ServerReport) -> Happened | None:
    """It crashed and was started again before its host could say so: we, or the way to us, were away."""
    before = old.observed.get("crashes")
    if not isinstance(before, int) or report.crashes <= before or "crashed" in (old.status, report.state):
        return None
    return status_event(host.org_id, old.id, old.status, "crashed", report.note)


def _status_event(host: HostIdentity, old: Observed, report: wire.ServerReport) -> Happened | None:
    return status_event(host.org_id, old.id, old.status, report.state, report.note)
