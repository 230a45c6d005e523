"""Judges the bot's own works: what it owes Discord and hosts, what it does by itself, its database and its disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.checks import Finding, Fix, Mend, Topic, broken, fine, note
from bot.domain.durations import rough
from bot.domain.sizes import size
from bot.domain.words import count, joined, safe

WAITS_LONG: Final = timedelta(minutes=2)
"""A message leaves within seconds; Discord may ask a channel to wait for some minutes."""
STUCK: Final = timedelta(minutes=15)
JOB_WAITS_LONG: Final = timedelta(minutes=5)
"""A host that is online takes a job at once, or says that another one is under way on that server."""
LATE: Final = 3
"""A tick is overdue after this many times its pause, and a minute."""
SKEW_NOTED: Final = 2.0
SKEW_BROKEN: Final = 30.0
"""Seconds between the clock of the bot and that of the database."""
SLOW_ROUND_TRIP: Final = 50.0
"""Milliseconds. A command makes several."""
FREE_NOTED: Final = 2 * 2**30
FREE_BROKEN: Final = 256 * 2**20
"""Bytes. A database without room stops, and its last moments are not nice."""
CONNECTIONS_NOTED: Final = 0.8


@dataclass(frozen=True)
class OutboxFacts:
    """What the bot owes an org's channels."""

    waiting: int
    oldest: datetime | None
    failed: int
    """Those that were given up within a day and can be tried again."""
    last_error: str | None


@dataclass(frozen=True)
class StuckJob:
    """A job that nothing stands in the way of, and that its host does not take."""

    number: int
    host: str
    since: datetime


@dataclass(frozen=True)
class TickFact:
    """Something that is done from time to time, by whichever process leads it."""

    name: str
    every: timedelta
    due: datetime
    """When it should have run at the latest, by its last run."""
    failed: bool
    """So it ended when it last ran."""

    def is_late(self, now: datetime) -> bool:
        return now - self.due > self.every * LATE + timedelta(minutes=1)


@dataclass(frozen=True)
class FailedTick:
    """A tick that failed in any process within the last hour."""

    name: str
    times: int


@dataclass(frozen=True)
class Slow:
    """A statement that took too long in this process."""

    name: str
    times: int
    worst_ms: float


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """The database as one look at it showed."""

    version: str
    embedded: bool
    bytes: int
    connections: int
    most_connections: int
    round_trip_ms: float
    skew_sec: float
    """The bot's clock less the database's."""
    revision: str | None
    revisions: Sequence[str]
    """The steps that this release knows, oldest first."""
    slow: Sequence[Slow]
    orphaned: Sequence[str]
    """Duties whose lease has lapsed and that nobody has taken."""


def messages(outbox: OutboxFacts, stuck: Sequence[StuckJob], now: datetime) -> Iterator[Finding]:
    """What waits to be said, and what waits to be done."""
    if outbox.oldest is not None and now - outbox.oldest > WAITS_LONG:
        judge = broken if now - outbox.oldest > STUCK else note
        why = f" Discord's last word: {safe(outbox.last_error, 100)}." if outbox.last_error else ""
        yield judge(
            Topic.MESSAGES,
            f"{count(outbox.waiting, 'message waits', 'messages wait')} for {rough(now - outbox.oldest)}.{why}",
            "They are tried again by themselves; the bot's log says what is in the way.",
        )
    else:
        yield fine(Topic.MESSAGES, "no message waits" if not outbox.waiting else "messages leave at once")
    if outbox.failed:
        yield note(
            Topic.MESSAGES,
            f"{count(outbox.failed, 'message was', 'messages were')} given up within a day.",
            "Mend their channel first; then they can be sent again.",
            Fix(Mend.SEND, "Send again"),
        )
    if stuck:
        first = stuck[0]
        more = f" and {len(stuck) - 1} more" if len(stuck) > 1 else ""
        yield broken(
            Topic.MESSAGES,
            f"J-{first.number}{more} waits for {rough(now - first.since)} although {safe(first.host, 60)} is online.",
            f"`/job show` says what is in the way; `gamekeeper-agent doctor` on {safe(first.host, 60)}.",
        )
    else:
        yield fine(Topic.MESSAGES, "no job is stuck")


def work(ticks: Sequence[TickFact], failed: Sequence[FailedTick], now: datetime) -> Iterator[Finding]:
    """What should have been done by itself, and what went wrong."""
    late = [tick for tick in ticks if tick.is_late(now)]
    for tick in late:
        yield broken(
            Topic.WORK,
            f"`{tick.name}` should have run {rough(now - tick.due)} ago.",
            "Do it now; where that does not help, start the bot again.",
            Fix(Mend.TICK, "Do it now", tick.name),
        )
    last = {tick.name: tick.failed for tick in ticks}
    for one in [one for one in failed if one.name not in {tick.name for tick in late}]:
        times = "once" if one.times == 1 else f"{one.times} times"
        if last.get(one.name, True):
            yield broken(
                Topic.WORK,
                f"`{one.name}` failed {times} within the hour, and when it last ran.",
                "The bot's log has the reason; it is tried again by itself.",
                Fix(Mend.TICK, "Try it now", one.name) if one.name in last else None,
            )
        else:
            remedy = "It works again; the bot's log has the reason."
            yield note(Topic.WORK, f"`{one.name}` failed {times} within the hour.", remedy)
    if good := len(ticks) - len({tick.name for tick in late} | {one.name for one in failed if one.name in last}):
        yield fine(Topic.WORK, f"{good} of {len(ticks)} duties are on time")


def database(facts: DatabaseFacts, free: int | None) -> Iterator[Finding]:
    """`free`: bytes in the data directory; None: it could not be looked at."""
    kind = "its own" if facts.embedded else "external"
    yield fine(
        Topic.DATABASE, f"PostgreSQL {facts.version}, {kind}, {size(facts.bytes)}, {facts.connections} connections"
    )
    yield from _schema(facts)
    yield from _speed(facts)
    if abs(facts.skew_sec) >= SKEW_NOTED:
        judge = broken if abs(facts.skew_sec) >= SKEW_BROKEN else note
        yield judge(
            Topic.DATABASE,
            f"The clocks of bot and database differ by {rough(timedelta(seconds=abs(facts.skew_sec)))}.",
            "Switch time synchronisation on, on both machines.",
        )
    if facts.connections >= facts.most_connections * CONNECTIONS_NOTED:
        yield note(
            Topic.DATABASE,
            f"{facts.connections} of {facts.most_connections} connections are in use.",
            "Raise `max_connections`, or run fewer replicas.",
        )
    if facts.orphaned:
        yield broken(
            Topic.DATABASE,
            f"No process has taken over {joined(facts.orphaned)}.",
            "Start another `gamekeeper run`: what a process did that is gone is done by nobody.",
        )
    yield from _room(free)


def _schema(facts: DatabaseFacts) -> Iterator[Finding]:
    if facts.revision == facts.revisions[-1]:
        yield fine(Topic.DATABASE, "schema up to date")
    elif facts.revision in facts.revisions:
        yield broken(Topic.DATABASE, "The schema is older than this program.", "Run `gamekeeper migrate`.")
    else:
        yield note(
            Topic.DATABASE,
            "The schema is newer than this program.",
            "That is meant to work while replicas are replaced; bring this one to the new version.",
        )


def _speed(facts: DatabaseFacts) -> Iterator[Finding]:
    if facts.round_trip_ms >= SLOW_ROUND_TRIP:
        yield note(
            Topic.DATABASE,
            f"A round trip to the database takes {facts.round_trip_ms:.0f} ms.",
            "Run the bot beside its database; every command makes several.",
        )
    else:
        yield fine(Topic.DATABASE, f"{facts.round_trip_ms:.1f} ms away")
    if facts.slow:
        words = joined([f"`{one.name}` {one.worst_ms:.0f} ms ×{one.times}" for one in facts.slow], 300)
        yield fine(Topic.DATABASE, f"slowest since the start: {words}")


def _room(free: int | None) -> Iterator[Finding]:
    if free is None:
        yield note(Topic.DATABASE, "The data directory cannot be looked at.", "See GAMEKEEPER_DATA_DIR and its rights.")
    elif free < FREE_NOTED:
        judge = broken if free < FREE_BROKEN else note
        yield judge(Topic.DATABASE, f"{size(free)} are free in the data directory.", "Make room on that disk.")
    else:
        yield fine(Topic.DATABASE, f"{size(free)} free")
