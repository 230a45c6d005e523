"""How often a rule would have fired in the last seven days, counted from what was kept."""

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.alert_conditions import Condition, HostOffline, JobRunFailed, LogKeyword, ServerDown
from bot.domain.alerts_past import LOOKED_BACK, Past, apart, bursts, streaks
from bot.services.log_matching import PATIENCE, matching
from db.queries import alerts_past
from db.queries.alerts_past import MOST, Scope

_COOLDOWN: Final = timedelta(minutes=5)
_PATIENCE: Final = 1.0
"""Seconds of computing for lines of seven days."""


async def count(
    session: AsyncSession, org_id: UUID, condition: Condition, *, host_id: UUID | None, server_id: UUID | None
) -> Past:
    """Says, too, what cannot be known.

    Raises:
        TooSlow: looking for it takes too long.
    """
    scope = Scope(org_id, host_id, server_id, clock.now() - LOOKED_BACK)
    match condition:
        case HostOffline():
            times, noticed = await alerts_past.silences(session, scope, condition.for_seconds)
            late = condition.for_seconds < noticed
            return Past(times, f"silences shorter than {noticed} s were not kept" if late else "")
        case ServerDown():
            found = await alerts_past.crashes(session, scope)
            crashes = apart([(crash.entity, crash.at) for crash in found], _COOLDOWN)
            return Past(crashes, "crashes only: how long a server did not answer was not kept")
        case JobRunFailed():
            runs = await alerts_past.runs(session, scope, list(condition.job_types))
            return Past(streaks([(run.entity, run.wrong) for run in runs], condition.consecutive))
        case LogKeyword():
            return await _lines(session, scope, condition)


async def _lines(session: AsyncSession, scope: Scope, condition: LogKeyword) -> Past:
    found = await alerts_past.lines(session, scope)
    if not found:
        return Past(None, "no log lines of these days were kept")
    by_server: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for line in reversed(found):
        by_server[line.entity].append((line.at, line.message))
    window, times = timedelta(minutes=condition.window_minutes), 0
    for mine in by_server.values():
        share = _PATIENCE * len(mine) / len(found)
        moments = await asyncio.to_thread(matching, condition, mine, max(share, PATIENCE))
        times += bursts(moments, condition.threshold, window)
    return Past(times, f"of the newest {MOST} lines" if len(found) == MOST else "")
