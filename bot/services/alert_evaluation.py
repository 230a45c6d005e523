"""Looks at what all rules watch, a statement per type of rule, and carries out what follows.

One process at a time does, under a duty that every transaction checks. Where two are at it all the same, they write one
after the other, and the state that each change starts from decides: the second changes nothing.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from bot import clock
from bot.domain.actors import system
from bot.domain.alert_conditions import HostOffline, JobRunFailed, LogKeyword, ServerDown, read
from bot.domain.alerts import Decision, Observation, State, Step, Watch, decide, rested
from bot.errors import Unavailable
from bot.services import alert_sight, alert_transitions
from bot.services.log_matching import matcher
from db.engine import Database
from db.queries import alert_firings, alert_rules, alert_watch
from db.queries.alert_watch import Watched, WatchedHost, WatchedLines, WatchedRuns, WatchedServer
from db.uow import Tx

log = logging.getLogger(__name__)

_RECENT: Final = timedelta(days=1)
"""How far back a failed job makes its server worth a look."""
_ATTEMPTS: Final = 3
"""Transitions in a row that the database did not answer in time."""
_QUIET: Final[frozenset[Step]] = frozenset({"wait", "drop", "seen", "unsure", "clearing"})


@dataclass(frozen=True)
class _Judged:
    seen: Watched
    decision: Decision


class AlertEvaluation:
    """The work of the ticks of alerts."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def states(self) -> dict[str, int]:
        """Servers, jobs and logs: what hosts and games have said."""
        return await self._evaluate(self._servers, self._runs, self._lines)

    async def silence(self) -> dict[str, int]:
        """Hosts that say nothing. For whoever has been there long enough to have heard them."""
        return await self._evaluate(self._hosts)

    async def _evaluate(self, *looks: "Callable[[], Any]") -> dict[str, int]:
        steps: Counter[str] = Counter()
        for look in looks:
            judged = [one for one in await self._judged(await look()) if one.decision.step != "stay"]
            await self._write_quiet([one for one in judged if one.decision.step in _QUIET])
            steps.update(await self._write_all([one for one in judged if one.decision.step not in _QUIET]))
        return dict(steps)

    async def _write_all(self, judged: Sequence[_Judged]) -> Counter[str]:
        """A row that somebody holds for long keeps nobody else's alerts away; a database that is away ends it.

        Raises:
            Unavailable: nothing was done about the last ones.
        """
        steps: Counter[str] = Counter()
        in_vain = 0
        for one in judged:
            try:
                steps[one.decision.step] += await self._write(one)
                in_vain = 0
            except Unavailable as error:
                in_vain += 1
                if in_vain == _ATTEMPTS:
                    raise
                log.warning("rule %s has to wait for %s: %s", one.seen.rule_id, one.seen.fingerprint, error.__cause__)
        return +steps

    # --------------------------------------------------------------------------------------------------- looking

    async def _hosts(self) -> Sequence[Watched]:
        async with self._db.read() as session:
            return await alert_watch.hosts(session, clock.now())

    async def _servers(self) -> Sequence[Watched]:
        async with self._db.read() as session:
            return await alert_watch.servers(session, clock.now())

    async def _runs(self) -> Sequence[Watched]:
        async with self._db.read() as session:
            return await alert_watch.runs(session, clock.now() - _RECENT, clock.now())

    async def _lines(self) -> Sequence[Watched]:
        async with self._db.read() as session:
            return await alert_watch.lines(session, clock.now())

    async def _judged(self, rows: Sequence[Watched]) -> list[_Judged]:
        """What each row comes to. A rule that cannot be read is left out, and says so."""
        judged: list[_Judged] = []
        wrong: dict[UUID, str] = {}
        for seen in rows:
            try:
                watch, observed = observation(seen, clock.now())
            except ValueError as error:
                wrong[seen.rule_id] = str(error)
                continue
            judged.append(_Judged(seen, decide(watch, _state(seen), observed, clock.now())))
        fine = {seen.rule_id for seen in rows if seen.last_error} - wrong.keys()
        changed = {**wrong, **dict.fromkeys(fine, "")}
        known = {seen.rule_id: seen.last_error or "" for seen in rows}
        await self._remember({rule: error for rule, error in changed.items() if known[rule] != error})
        return judged

    # --------------------------------------------------------------------------------------------------- writing

    @asynccontextmanager
    async def _alone(self, org: tuple[UUID, int] | None = None) -> AsyncGenerator[Tx]:
        org_id, guild_id = org or (None, None)
        actor = system("alerts.evaluate", org_id, guild_id)
        async with self._db.uow(actor) as tx:
            await alert_firings.alone(tx.session)
            yield tx

    async def _write_quiet(self, judged: Sequence[_Judged]) -> None:
        """Steps that nobody is told about, all of them at once."""
        if not judged:
            return
        ids: dict[str, list[int]] = {}
        for one in judged:
            ids.setdefault(one.decision.step, []).append(one.seen.firing_id or 0)
        now = clock.now()
        async with self._alone() as tx:
            for one in judged:
                if one.decision.step == "wait":
                    await alert_firings.pending(
                        tx.session, one.seen.org_id, one.seen.rule_id, one.seen.fingerprint, now
                    )
                elif one.decision.step == "drop":
                    await alert_firings.drop(tx.session, one.seen.org_id, one.seen.firing_id or 0, now)
            await alert_firings.seen(tx.session, ids.get("seen", []), now)
            await alert_firings.unsure(tx.session, ids.get("unsure", []))
            await alert_firings.clearing(tx.session, ids.get("clearing", []), now)

    async def _write(self, judged: _Judged) -> bool:
        """One transition in a transaction of its own. What is wrong with one rule does not stop the others."""
        seen = judged.seen
        try:
            async with self._alone((seen.org_id, seen.guild_id)) as tx:
                return await alert_transitions.apply(tx, seen, judged.decision)
        except (DBAPIError, ValueError, AssertionError) as error:
            log.exception("rule %s (%s) could not be carried out for %s", seen.rule_id, seen.type, seen.fingerprint)
            await self._remember({seen.rule_id: _words(error)})
            return False

    async def _remember(self, errors: dict[UUID, str]) -> None:
        if errors:
            async with self._db.statement() as session:
                await alert_rules.errors(session, errors, clock.now())


def _words(error: Exception) -> str:
    """What went wrong, without the statement and its values, which are in the log."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return f"{type(error).__name__}: {cause}".partition("\n")[0]


def observation(seen: Watched, now: datetime) -> tuple[Watch, Observation]:
    """What a rule sees, and how patient it is.

    Raises:
        ValueError: its condition cannot be read.
    """
    condition = read(seen.type, seen.condition)
    wait = timedelta()
    match condition:
        case HostOffline():
            observed = alert_sight.host(condition, cast("WatchedHost", seen), now)
        case ServerDown():
            wait = timedelta(seconds=condition.for_seconds)
            observed = alert_sight.server(condition, cast("WatchedServer", seen))
        case JobRunFailed():
            observed = alert_sight.runs(condition, cast("WatchedRuns", seen))
        case LogKeyword():
            matcher(condition)  # one that counts nothing must not look like one that finds nothing
            observed = alert_sight.lines(condition, cast("WatchedLines", seen))
    return Watch(wait, timedelta(seconds=seen.cooldown_seconds)), rested(observed, seen.resting)


def _state(seen: Watched) -> State:
    """A folded firing has no incident of its own: when that of its host is over, it may open one."""
    own = seen.incident_id is not None and seen.own_incident
    ended = seen.incident_status == "resolved"
    incident = ("closed" if ended else "live") if own else ("over" if ended else "none")
    return State(
        seen.firing_status,
        seen.pending_since,
        seen.clear_since,
        seen.last_notified_at,
        incident,
        seen.incident_closed_at if own else None,
    )
