"""What people want of a schedule, new or changed, and what is understood of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Protocol
from uuid import UUID

from bot import clock
from bot.domain import cron_words, zones
from bot.domain.access import Scope
from bot.domain.actions import ACTIONS, Action
from bot.domain.cron import Cron
from bot.domain.jobs import JOBS, JobType
from bot.domain.schedules_steps import Step, checked, lead, main, minutes_of, warned
from bot.domain.schedules_times import Timetable
from bot.domain.schedules_windows import Window, parse
from bot.domain.words import safe
from bot.errors import Conflict, Invalid
from bot.services.actions import text_of
from bot.services.schedules_steps import steps_of
from bot.services.servers import VIEW, must_be_able, resolve, tagged, where_allowed
from db.queries import config, schedules
from db.queries.cards import ServerCard
from db.queries.schedules import ScheduleCard
from db.uow import Tx

MANAGE: Final = "schedules.manage"
SHOWN_RUNS: Final = 5
_LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Wish:
    """What a schedule shall be. One of `server` and `tag`; an empty zone is the org's."""

    action: str
    when: str
    server: str = ""
    tag: str = ""
    text: str = ""
    name: str = ""
    zone: str = ""
    catch_up: bool = False
    warn: str = ""
    """Minutes before its time at which players are told, such as `15, 5, 1`."""
    window: str = ""
    only_online: bool = False
    only_empty: bool = False
    overlap: str = "skip"
    retries: int = 0
    backoff: int = 30
    steps: Sequence[Mapping[str, Any]] = ()
    """All that it does, as `Step`s; empty: only the action with its text."""
    edits: str = ""
    """The id of the schedule that becomes like this; empty: a new one."""

    @property
    def chain(self) -> list[Step]:
        return [Step(**step) for step in self.steps]

    def doing(self, steps: Sequence[Step]) -> "Wish":
        """The same with other steps."""
        return replace(self, steps=[asdict(step) for step in steps], text="", warn="", action=main(steps).action)


@dataclass(frozen=True)
class Plan:
    """A wish that was understood."""

    wish: Wish
    """With the names of server and zone, the cron expression and the steps in place of what was typed."""
    steps: Sequence[Step]
    cron: Cron
    window: Window | None
    servers: Sequence[ServerCard]
    runs: Sequence[datetime]
    """When the next runs begin."""
    denied: Sequence[ServerCard] = ()
    """Servers with the tag that are left out, because the author may not do it there."""

    @property
    def action(self) -> Action:
        return main(self.steps).does

    @property
    def first(self) -> str:
        """When it runs next, for a sentence."""
        return f"<t:{self.times.time_of(self.runs[0]).timestamp():.0f}:R>"

    @property
    def times(self) -> Timetable:
        return Timetable(self.cron, zones.zone(self.wish.zone), self.window, timedelta(seconds=lead(self.steps)))


def wish_of(schedule: ScheduleCard) -> Wish:
    """A schedule as somebody would have wished it.

    Raises:
        Conflict: it is nothing that this version does.
    """
    steps = understood_steps(schedule)
    begin, end = schedule.window_start, schedule.window_end
    return Wish(
        action=main(steps).action,
        when=schedule.expression,
        server=str(schedule.server_id or ""),
        tag=schedule.tag or "",
        name=schedule.name,
        zone=schedule.zone,
        catch_up=schedule.catch_up,
        window=Window(begin, end).words if begin and end else "",
        only_online=schedule.only_when_online,
        only_empty=schedule.only_when_empty,
        overlap=schedule.overlap,
        retries=schedule.max_retries,
        backoff=schedule.backoff_sec,
        steps=[asdict(step) for step in steps],
        edits=str(schedule.id),
    )


class Doing(Protocol):
    """A schedule's steps as they are kept."""

    @property
    def name(self) -> str: ...
    @property
    def steps(self) -> list[dict[str, Any]]: ...
    @property
    def lead_sec(self) -> int: ...


def understood_steps(schedule: Doing) -> list[Step]:
    """What a schedule does.

    Raises:
        Conflict: it is nothing that this version does.
    """
    try:
        return steps_of(schedule.steps, schedule.lead_sec)
    except ValueError as error:
        raise Conflict(
            f"This version of the bot cannot do what {safe(schedule.name)} does.", "It stays as it is."
        ) from error


async def may(tx: Tx, servers: Collection[UUID], steps: Sequence[Step]) -> set[UUID]:
    """Those of the servers on which the actor manages schedules and may do these steps: see `where_allowed`."""
    return await where_allowed(tx, [MANAGE, *(JOBS[step.does.job_type].permission for step in steps)], servers)


async def understood(tx: Tx, wish: Wish, after: datetime | None = None) -> Plan:
    """What a wish means now. `after`: its runs have times later than this.

    Raises:
        Invalid, NotFound, NotPermitted, Conflict, Unsupported: it cannot be; nothing was written.
    """
    steps = _steps(wish)
    try:
        cron, window = cron_words.parse(wish.when), parse(wish.window)
        zone_name = zones.named(wish.zone.strip() or await config.zone(tx.session, tx.actor.org))
    except ValueError as error:
        raise Invalid(str(error), "Nothing was saved.") from error
    found = await _servers(tx, wish)
    allowed = await may(tx, [server.id for server in found], steps)
    servers = [server for server in found if server.id in allowed]
    denied = [server for server in found if server.id not in allowed]
    for step in steps:
        _able(servers, step.does.capability)
    told = replace(
        wish.doing(steps),
        when=cron.expression,
        server="" if wish.tag else str(servers[0].id) if servers else wish.server,
        tag=wish.tag.strip().lower(),
        name=await _name(tx, wish, steps, servers),
        zone=zone_name,
        window=window.words if window else "",
    )
    plan = Plan(told, steps, cron, window, servers, [], denied)
    return replace(plan, runs=_runs(plan, after))


def _runs(plan: Plan, after: datetime | None) -> list[datetime]:
    times, now = plan.times, clock.now()
    runs = list(islice(times.begins(max(after - times.lead, now) if after else now), SHOWN_RUNS))
    if not runs:
        window = plan.window.words if plan.window else ""
        raise Invalid(
            f"{plan.cron.words} never lies in the window {window}, so nothing would ever be done.",
            "Choose another `when` or another `window`; nothing was saved.",
        )
    return runs


def _steps(wish: Wish) -> list[Step]:
    if wish.action not in ACTIONS:
        raise Invalid(f"{safe(wish.action, 40)} is nothing that a schedule can do.", f"It can {', '.join(ACTIONS)}.")
    steps = wish.chain or [Step(wish.action, wish.text)]
    steps = [replace(step, text=text_of(step.does, step.text)) for step in steps]
    if wish.overlap not in ("skip", "queue") or not (0 <= wish.retries <= 10 and 1 <= wish.backoff <= 3600):
        raise Invalid("A schedule cannot be like that.", "Give the command again, with what is offered.")
    if wish.only_online and steps[0].does.job_type == JobType.SERVER_START:
        raise Invalid(
            "Only what is down is started, so this would never be done while the server is up.",
            "Leave `only_online` out; nothing was saved.",
        )
    try:
        minutes = minutes_of(wish.warn)
        return list(checked(steps if minutes is None else warned(steps, minutes)))
    except ValueError as error:
        raise Invalid(str(error), "Nothing was saved.") from error


async def _servers(tx: Tx, wish: Wish) -> list[ServerCard]:
    tag = wish.tag.strip().lower()
    if bool(wish.server.strip()) == bool(tag):
        both = "both `server` and `tag`" if tag else "neither `server` nor `tag`"
        raise Invalid(f"A schedule is for one server or for one tag; this has {both}.", "Give one of them.")
    if not tag:
        return [await resolve(tx.session, tx.actor.org, wish.server, tx.actor.scope(VIEW))]
    left_out = await schedules.excluded(tx.session, tx.actor.org, UUID(wish.edits)) if wish.edits else []
    return await tagged(tx, tag, Scope(True, frozenset(left_out)))


def _able(servers: Sequence[ServerCard], capability: str) -> None:
    """A tag may also be on servers that cannot do it, but not on those alone."""
    if not any(capability in server.capabilities for server in servers):
        must_be_able(servers[0], capability)


async def _name(tx: Tx, wish: Wish, steps: Sequence[Step], servers: Sequence[ServerCard]) -> str:
    given = " ".join(wish.name.split())
    if given:
        if len(given) > _LONGEST_NAME or not given.isprintable():
            raise Invalid(f"A schedule's name has at most {_LONGEST_NAME} printable characters.", "Choose another.")
        other = await schedules.card(tx.session, tx.actor.org, name=given)
        if other and str(other.id) != wish.edits:
            raise taken(given)
        return given
    start = f"{main(steps).action} {wish.tag.strip().lower() or servers[0].name}"[: _LONGEST_NAME - 5].rstrip()
    known = {name.casefold() for name in await schedules.names(tx.session, tx.actor.org, start)}
    numbered = (start if n == 1 else f"{start} {n}" for n in range(1, len(known) + 2))
    return next(name for name in numbered if name.casefold() not in known)


def taken(name: str) -> Conflict:
    return Conflict(f"There is a schedule called {safe(name)} already.", "Choose another `name`; nothing was saved.")
