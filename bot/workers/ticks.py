"""Declares when something is looked at. What is due is read from PostgreSQL, so nothing is lost with the timer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import clock
from bot.domain.checks_inside import TickFact
from bot.errors import AppError
from bot.logs import correlation
from bot.services.retention import Retention
from bot.services.tick_facts import TickFacts
from bot.workers.sweeps import Patient, Tick, ticks_of

if TYPE_CHECKING:
    from db.engine import Database

log = logging.getLogger(__name__)

_DRAIN_SECONDS: Final = 10.0
_TOLD_EVERY: Final = 10.0
_LOOK_SECONDS: Final = 2.0
"""Between two looks at the clock: whoever sets it back costs the ticks no more than that."""
_ASKED_SECONDS: Final = 8.0
"""How long somebody waits for a tick that they asked for."""


class _Timer(Protocol):
    next_run_time: datetime

    def modify(self, *, next_run_time: datetime) -> Any: ...


class _Scheduler(Protocol):
    """What we use of APScheduler, which comes without types."""

    def add_job(self, func: Callable[..., Any], trigger: str, **options: Any) -> _Timer: ...
    def start(self) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...


class Ticks:
    """Runs ticks in this process, those of a duty while it has it. `leads` says which it has; by default all."""

    def __init__(
        self, db: Database, ticks: Sequence[Tick] | None = None, leads: Callable[[str], bool] = lambda _: True
    ) -> None:
        self._ticks = ticks_of(db) if ticks is None else ticks
        self._leads = leads
        self._retention = Retention(db)
        self._told = TickFacts(db)
        self._scheduler: _Scheduler | None = None
        self._timers: dict[str, _Timer] = {}
        self._timekeeper: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[Mapping[str, int]]] = {}
        self._begun: dict[str, datetime] = {}
        self._failed_last: dict[str, bool] = {}
        self._since = clock.now()

    async def start(self) -> None:
        # A tick that comes late still comes: the default of 1 s would silently skip it after any stall.
        options = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler = cast("_Scheduler", AsyncIOScheduler(job_defaults=options, timezone="UTC"))
        scheduler.start()
        for tick in self._ticks:
            seconds = tick.every.total_seconds()
            timer = scheduler.add_job(self._fire, "interval", args=[tick], id=tick.name, seconds=seconds)
            timer.modify(next_run_time=timer.next_run_time - tick.every + tick.first)
            self._timers[tick.name] = timer
        self._timers["tell"] = scheduler.add_job(self.tell, "interval", id="tell", seconds=_TOLD_EVERY)
        self._scheduler = scheduler
        self._timekeeper = asyncio.create_task(self._keep_time(), name="clock")

    async def _keep_time(self) -> None:
        """The scheduler waits for a time of day: of a clock that was set back by an hour, for an hour."""
        while True:
            before = clock.now()
            await asyncio.sleep(_LOOK_SECONDS)
            if (back := before - clock.now()) > timedelta():
                log.warning("the clock was set back by %s", back)
                for timer in self._timers.values():
                    timer.modify(next_run_time=timer.next_run_time - back)

    def hurry(self, name: str) -> None:
        """Does a tick now: something has happened that it would find later. One that is under way is not doubled."""
        if timer := self._timers.get(name):
            timer.modify(next_run_time=clock.now())

    async def tell(self) -> None:
        """Writes down for the other processes how what this one leads does."""
        with contextlib.suppress(AppError):
            for duty in {tick.duty for tick in self._own() if tick.duty}:
                await self._told.tell(duty, self._facts([tick for tick in self._own() if tick.duty == duty]))

    async def asked(self, name: str) -> None:
        """Another process wants a tick to be done now, and to read how it went."""
        if name in {tick.name for tick in self._own()}:
            await self.do(name)
            await self.tell()

    def facts(self) -> list[TickFact]:
        """Of what this process does now: when each should have begun, going by its last time, by when another process
        led it, or by the start, and how it ended."""
        return self._facts(self._own())

    def _own(self) -> list[Tick]:
        return [tick for tick in self._ticks if not tick.duty or self._leads(tick.duty)]

    def _facts(self, ticks: Sequence[Tick]) -> list[TickFact]:
        return [
            TickFact(
                tick.name,
                tick.every,
                self._begun[tick.name] + tick.every if tick.name in self._begun else self._since + tick.first,
                self._failed_last.get(tick.name, False),
            )
            for tick in ticks
        ]

    async def do(self, name: str) -> bool:
        """Does a tick now, or waits for it where it is under way; False where it failed, or goes on for longer than
        somebody waits.

        Raises:
            KeyError: there is none of this name.
        """
        task = self._begin({tick.name: tick for tick in self._ticks}[name])
        await asyncio.wait({task}, timeout=_ASKED_SECONDS)
        return task.done() and not self._failed_last[name]

    async def stop(self) -> None:
        """No tick begins any more; those that are under way get some seconds to end."""
        if self._scheduler is not None:
            self._timers.clear()
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
            if self._timekeeper:
                self._timekeeper.cancel()
            await asyncio.sleep(0)  # the scheduler shuts down in the loop's next round
        if self._running:
            await asyncio.wait(self._running.values(), timeout=_DRAIN_SECONDS)

    async def _fire(self, tick: Tick) -> None:
        if tick.duty and not self._leads(tick.duty):
            await self._stand_by(tick)
        else:
            await self._run_apart(tick)

    async def _run_apart(self, tick: Tick) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the scheduler's shutdown ends this, not the work
            await asyncio.shield(self._begin(tick))

    def _begin(self, tick: Tick) -> asyncio.Task[Mapping[str, int]]:
        """The run of a tick that is under way, which is not doubled, or a new one."""
        if (task := self._running.get(tick.name)) is None:
            task = self._running[tick.name] = asyncio.ensure_future(self.run(tick))
            task.add_done_callback(lambda _: self._running.pop(tick.name))
        return task

    async def _stand_by(self, tick: Tick) -> None:
        """Another process does it. Whoever takes over must know then how long the database has been there."""
        self._begun[tick.name] = clock.now()
        self._failed_last[tick.name] = False
        if isinstance(tick.work, Patient):
            with contextlib.suppress(AppError):
                await tick.work.watch()

    async def run(self, tick: Tick) -> Mapping[str, int]:
        """One tick. It leaves a row when it did something or failed; an error never ends the timer."""
        token = correlation.set(tick.name)
        started, begun = clock.now(), time.monotonic()
        self._begun[tick.name] = started
        failed = True
        try:
            done = await tick.work()
            failed = False
            if any(done.values()):
                await self._retention.record(tick.name, "success", started, time.monotonic() - begun, dict(done))
        except AppError as error:  # the database is away, or of many things one could not be done in this moment
            log.warning("%s: %s", tick.name, error.what)
            await self._failed(tick, started, time.monotonic() - begun, error)
            return {}
        except Exception as error:  # a bug in one tick must not end the others: logged, written down, tried again
            log.exception("%s failed", tick.name)
            await self._failed(tick, started, time.monotonic() - begun, error)
            return {}
        finally:
            self._failed_last[tick.name] = failed
            correlation.reset(token)
        return done

    async def _failed(self, tick: Tick, started: datetime, seconds: float, error: Exception) -> None:
        meta = {"error": f"{type(error).__name__}: {error}"[:500]}
        with contextlib.suppress(AppError):  # the database is away: there is nowhere to write it
            await self._retention.record(tick.name, "failure", started, seconds, meta)
