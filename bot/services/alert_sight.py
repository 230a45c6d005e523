"""What a rule's condition makes of what is known of an entity: matching, clear, or neither, and in words."""

from datetime import datetime, timedelta
from typing import Final

from bot.domain.alert_conditions import HostOffline, JobRunFailed, LogKeyword, ServerDown
from bot.domain.alerts import Observation
from bot.domain.durations import compact, rough
from bot.domain.words import count
from db.queries.alert_watch import WatchedHost, WatchedLines, WatchedRuns, WatchedServer

_BETWEEN: Final = frozenset({"starting", "stopping", "installing", "install_failed", "unknown"})
_BROKEN: Final = frozenset({"failed", "lost"})


def host(condition: HostOffline, seen: WatchedHost, now: datetime) -> Observation:
    """A host without a key was shut out by people: its silence is no news."""
    silent = now - seen.last_heartbeat_at if seen.last_heartbeat_at else timedelta()
    if not seen.has_key:
        return Observation("clear", f"{seen.entity_name} was shut out")
    if silent >= timedelta(seconds=condition.for_seconds):
        return Observation("match", f"no heartbeat for {rough(silent)}", at_once=True)
    if silent >= timedelta(seconds=min(condition.for_seconds, 60)):
        return Observation("unclear", f"no heartbeat for {rough(silent)}")
    return Observation("clear", "heartbeats arrive again")


def server(_: ServerDown, seen: WatchedServer) -> Observation:
    """Only what its host has said lately counts, and only while nobody is at work on it."""
    if seen.desired_state != "running":
        return Observation("clear", "nobody wants it to run any more")
    if seen.busy or seen.silent:
        return Observation("unclear", "a job is at work on it" if seen.busy else "its host is silent")
    note = f": {seen.note}" if seen.note else ""
    if seen.status == "crashed" or seen.crashed_since:
        return Observation("match", f"it crashed{note}", at_once=True, reported_at=seen.last_seen_at)
    if seen.status in _BETWEEN:
        return Observation("unclear", f"it is {seen.status}")
    if seen.status == "stopped":
        return Observation("match", f"it is stopped and should run{note}", reported_at=seen.last_seen_at)
    if not seen.reachable:
        return Observation("match", f"it runs and does not answer{note}", reported_at=seen.last_seen_at)
    return Observation("clear", "it is running and reachable")


def runs(condition: JobRunFailed, seen: WatchedRuns) -> Observation:
    """The newest runs of the types that count."""
    since = seen.since.timestamp()
    lately = [run for run in seen.runs if run["at"] > since]
    counted = [run for run in lately if not condition.job_types or run["type"] in condition.job_types]
    broken = 0
    for run in counted:
        if run["status"] not in _BROKEN:
            break
        broken += 1
    if not counted or not broken:
        return Observation("clear", "the last job succeeded" if counted else "no job has run since")
    latest = f"J-{counted[0]['number']} ({counted[0]['type'].lower().replace('_', ' ')}) {_ended(counted[0]['status'])}"
    if broken < condition.consecutive:
        return Observation("clear", latest)
    return Observation("match", latest if broken == 1 else f"{latest}, the last {broken} runs in a row", at_once=True)


def lines(condition: LogKeyword, seen: WatchedLines) -> Observation:
    """The lines within the window, up to ten seconds more or less."""
    window = compact(timedelta(minutes=condition.window_minutes))
    if seen.n >= condition.threshold and not seen.told:
        return Observation("match", f"{count(seen.n, 'line')} with “{condition.keyword}” within {window}", at_once=True)
    return Observation(
        "unclear" if seen.n and not seen.told else "clear", f"no line with “{condition.keyword}” for {window}"
    )


def _ended(status: str) -> str:
    return "failed" if status == "failed" else "was lost"
