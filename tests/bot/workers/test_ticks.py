"""Ticks: they leave a row when they did something, and no error ends them."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from bot import clock
from bot.errors import Unavailable
from bot.workers.sweeps import Patient, Tick, ticks_of
from bot.workers.ticks import Ticks
from db.engine import Database
from tests.bot.world import World


class Work:
    """Something that a tick does, and how often it was done."""

    def __init__(self, done: int | Exception) -> None:
        self.done, self.times = done, 0

    async def __call__(self) -> Mapping[str, int]:
        self.times += 1
        if isinstance(self.done, Exception):
            raise self.done
        return {"done": self.done}


@pytest.mark.parametrize(
    ("done", "rows"),
    [
        (0, []),
        (3, [("success", {"done": 3})]),
        (ValueError("odd"), [("failure", {"error": "ValueError: odd"})]),
        (Unavailable("It is held."), [("failure", {"error": "Unavailable: It is held."})]),
    ],
)
async def test_a_row_only_when_it_worked_or_failed(
    world: World, done: int | Exception, rows: list[tuple[str, dict[str, object]]]
) -> None:
    await Ticks(world.db, []).run(Tick("test", timedelta(seconds=1), Work(done)))
    assert await world.rows("select status, meta_json from cron_runs where job_name = 'test'") == rows


async def test_ticks_come_again_after_errors(db: Database) -> None:
    work, late = Work(ValueError("odd")), Work(1)
    ticks = Ticks(db, [
        Tick("often", timedelta(seconds=0.2), work),
        Tick("late", timedelta(seconds=0.2), late, first=timedelta(hours=1)),
    ])  # fmt: skip
    await ticks.start()
    await asyncio.sleep(1)
    await ticks.stop()
    times = work.times
    assert times >= 3
    assert late.times == 0
    await asyncio.sleep(0.5)
    assert work.times == times


async def test_ticks_go_on_when_the_clock_is_set_back(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is when a machine that came up with a wrong clock has asked others for the time."""
    ahead = timedelta(hours=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + ahead

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Clock)
    monkeypatch.setattr(clock, "now", lambda: Clock.now(UTC))
    monkeypatch.setattr("bot.workers.ticks._LOOK_SECONDS", 0.3)
    work = Work(0)
    ticks = Ticks(db, [Tick("often", timedelta(seconds=0.2), work)])
    await ticks.start()
    await asyncio.sleep(0.5)
    ahead = timedelta()
    await asyncio.sleep(0.5)
    before = work.times
    await asyncio.sleep(1)
    await ticks.stop()
    assert work.times > before > 0


async def test_a_stop_waits_for_what_is_under_way(db: Database) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> Mapping[str, int]:
        begun.set()
        await asyncio.sleep(0.5)
        ended.set()
        return {"done": 1}

    ticks = Ticks(db, [Tick("slow", timedelta(hours=1), work)])
    await ticks.start()
    await asyncio.wait_for(begun.wait(), 5)
    await ticks.stop()
    assert ended.is_set()


async def test_the_declared_ticks_all_run_on_an_empty_database(world: World) -> None:
    ticks = ticks_of(world.db)
    assert [tick.name for tick in ticks] == [
        "leases.sweep", "queue.expire", "jobs.archive", "batches.tend", "mods.sweep", "schedules.due", "power.plans",
        "jobs.reconcile", "maintenance", "holds.expire", "hosts.sweep", "alerts.evaluate", "alerts.silence",
        "bans.reconcile", "bans.expire", "audit.seal", "audit.retention", "panels.refresh", "partitions",
        "retention", "retention.streams", "orgs.purge",
    ]  # fmt: skip
    busy = [tick.name for tick in ticks if any((await tick.work()).values())]
    assert busy == ["audit.seal"], "of an org that has just come only its first audit row has to be sealed"
    assert await world.rows("select * from cron_runs") == []


async def test_nothing_is_concluded_from_a_silence_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now, away, work = 1000.0, False, Work(1)
    monkeypatch.setattr("time.monotonic", lambda: now)

    async def reachable() -> None:
        if away:
            raise Unavailable("The database cannot be reached.")

    patient = Patient(work, reachable)
    for _ in range(2):
        assert await patient() == {}  # just started
        now += 15
    assert await patient() == {"done": 1}
    away = True
    for _ in range(8):
        now += 15
        with pytest.raises(Unavailable):
            await patient()
    away = False
    assert await patient() == {}  # the others, too, could not report
    now += 15
    assert await patient() == {}
    now += 15
    assert await patient() == {"done": 1}


async def test_partitions_are_made_ahead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=3))
    (tick,) = [tick for tick in ticks_of(world.db) if tick.name == "partitions"]
    assert await tick.work() == {"made": 6}, "three days of events, three of logs"
    assert await tick.work() == {"made": 0}


async def test_a_tick_can_be_hurried_and_a_stranger_cannot(db: Database) -> None:
    work = Work(0)
    ticks = Ticks(db, [Tick("rare", timedelta(hours=1), work, first=timedelta(hours=1))])
    ticks.hurry("rare")  # before the start, and after the stop: nothing to hurry
    await ticks.start()
    ticks.hurry("unknown")
    ticks.hurry("rare")
    await asyncio.sleep(0.5)
    await ticks.stop()
    ticks.hurry("rare")
    assert work.times == 1


async def test_who_was_away_accuses_no_host(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts could not reach a bot that was down, and may take a minute to try again."""
    world = await World(db).found()
    host, _ = await world.pair()
    await world.rows("update alert_rules set enabled = true")
    await world.rows("update hosts set last_heartbeat_at = now() - interval '1 hour' where id = :id", id=host.id)
    seconds = 1000.0
    monkeypatch.setattr("bot.workers.sweeps.time.monotonic", lambda: seconds)
    (tick,) = [tick for tick in ticks_of(db) if tick.name == "alerts.silence"]
    for _ in range(18):
        assert await tick.work() == {}
        seconds += 5
    assert await tick.work() == {"fire": 1}, "whoever is still silent then is"


async def test_when_a_tick_should_have_begun(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its last time, however it ended and also while it goes on; before that by the start of the process."""
    start = now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    work = Work(0)
    tick = Tick("rare", timedelta(hours=1), work, first=timedelta(minutes=5))
    ticks = Ticks(db, [tick])
    (fact,) = ticks.facts()
    assert (fact.name, fact.every, fact.due, fact.failed) == ("rare", tick.every, start + tick.first, False)
    now = start + timedelta(hours=3)
    await ticks.run(tick)
    assert [(one.due, one.failed) for one in ticks.facts()] == [(now + tick.every, False)]
    work.done = ValueError("odd")
    await ticks.run(tick)
    assert [one.failed for one in ticks.facts()] == [True]


async def test_ticks_of_a_duty_are_done_by_whoever_leads_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process does is not late here; whoever takes over knows how long the database has been there."""
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    led, work, everywhere = set[str](), Work(1), Work(1)

    async def reachable() -> None:
        return

    silence, second = Patient(Work(1), reachable, timedelta(seconds=0.5)), timedelta(seconds=0.2)
    ticks = [Tick("led", second, work, duty="x"), Tick("silence", second, silence, duty="x")]
    standby = Ticks(db, [*ticks, Tick("everywhere", second, everywhere)], led.__contains__)
    await standby.start()
    await asyncio.sleep(1)
    assert (work.times, everywhere.times > 2) == (0, True)
    assert [fact.name for fact in standby.facts()] == ["everywhere"]
    assert await silence() == {"done": 1}, "it has watched all the time"
    now += timedelta(days=1)
    await asyncio.sleep(0.4)
    led.add("x")
    await asyncio.sleep(0.5)
    assert work.times > 0
    assert {fact.name: fact.is_late(now) for fact in standby.facts()} == dict.fromkeys(
        ("led", "silence", "everywhere"), False
    )
    await standby.stop()


async def test_a_tick_is_done_for_whoever_asks(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    work, stuck, begun = Work(1), asyncio.Event(), 0

    async def hangs() -> Mapping[str, int]:
        nonlocal begun
        begun += 1
        await stuck.wait()
        return {}

    ticks = Ticks(db, [Tick("rare", timedelta(hours=1), work), Tick("stuck", timedelta(hours=1), hangs)])
    assert await ticks.do("rare") and work.times == 1
    work.done = ValueError("odd")
    assert not await ticks.do("rare")
    monkeypatch.setattr("bot.workers.ticks._ASKED_SECONDS", 0.05)
    assert not await ticks.do("stuck") and not await ticks.do("stuck"), "nobody waits for ever"
    assert begun == 1, "what is asked for again is not done twice at once"
    with pytest.raises(KeyError):
        await ticks.do("unknown")
    stuck.set()
    await ticks.stop()
