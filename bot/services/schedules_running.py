"""`/schedule run`: what a schedule does, now and once; when it runs by itself stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot import clock
from bot.domain.actors import Actor
from bot.domain.schedules_steps import Step, when
from bot.domain.words import count, joined, safe
from bot.errors import Conflict, NotFound
from bot.services.confirmations import Done, Question, ask
from bot.services.schedules import must_be_there, resolve
from bot.services.schedules_runs import Ran, Runs
from bot.services.schedules_wishes import may, understood_steps
from bot.services.servers import left_out
from db.engine import Database
from db.queries import schedules, schedules_due
from db.queries.cards import ServerCard
from db.queries.schedules_due import DueSchedule
from db.uow import Tx

_NAMES: Final = 800
_WHY: Final = 1500


@dataclass(frozen=True)
class _Ready:
    """A schedule that somebody may run now, and where."""

    schedule: DueSchedule
    steps: Sequence[Step]
    runs: Runs
    servers: Sequence[ServerCard]
    denied: Sequence[ServerCard]


class ScheduleRunning:
    """Runs schedules because somebody wants it now."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, ref: str) -> Question:
        """Writes the question down: what will be done, where, and who is online there.

        Raises:
            NotFound, NotPermitted, Conflict: it cannot be run.
        """
        async with self._db.uow(actor) as tx:
            ready = await _ready(tx, ref)
            name = ready.schedule.name
            tx.audit("schedule.run.ask", resource=("schedule", ready.schedule.id), name=name)
            return await ask(
                tx,
                "schedule.run",
                {"schedule": str(ready.schedule.id)},
                title=f"Run {safe(name)} now?",
                effect=list(filter(None, [*_effect(ready), left_out(tx.actor, ready.denied)])),
                verb="Run it now",
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does it; servers and permissions are looked at again."""
        ready = await _ready(tx, payload["schedule"])
        schedule, now = ready.schedule, clock.now()
        ran = await ready.runs.begin(schedule, ready.steps, now, {server.id for server in ready.servers})
        await ready.runs.write()
        if ran.job is None:
            outcome = ran.outcome()
            raise Conflict(f"Nothing was done: {safe(outcome.reason, _WHY)}.", "Its next run stays when it is.")
        await schedules_due.ran(tx.session, schedule.id, ran.job, now)
        tx.audit(
            "schedule.run",
            resource=("schedule", schedule.id),
            name=schedule.name,
            status="enqueued",
            numbers=ran.numbers,
            **({"leftOut": {name: skip.reason for name, skip in ran.left}} if ran.left else {}),
        )
        return Done(f"{safe(schedule.name)} runs now", "\n".join(filter(None, _words(tx, ready, ran))))


async def _ready(tx: Tx, ref: str) -> _Ready:
    """Holds a schedule that somebody may run on some of its servers.

    Raises:
        NotFound, NotPermitted, Conflict: it cannot be run.
    """
    card = await resolve(tx.session, tx.actor.org, ref)
    schedule = await schedules_due.hold(tx.session, tx.actor.org, card.id)
    if schedule is None:
        raise NotFound(f"{safe(card.name)} was removed meanwhile.", "`/schedule list` shows what there is.")
    steps, runs = understood_steps(schedule), Runs(tx, tx.actor.org, clock.now())
    allowed = await may(tx, await schedules.server_ids(tx.session, tx.actor.org, card), steps)
    must_be_there(card)
    await runs.look([schedule])
    found = runs.servers(schedule)
    if not found:
        raise Conflict(f"No server has the tag {safe(card.tag or '')}.", "`/fleet tag` gives it to some.")
    servers = [server for server in found if server.id in allowed]
    return _Ready(schedule, steps, runs, servers, [server for server in found if server.id not in allowed])


def _effect(ready: _Ready) -> list[str]:
    begin = ready.schedule.lead_sec
    words = [f"{n}. {step.does.name}{_later(step.offset + begin)}" for n, step in enumerate(ready.steps, 1)]
    online = sum(server.players_online or 0 for server in ready.servers)
    players = f"**{count(online, 'player is', 'players are')} online** there." if online else ""
    names = joined([safe(server.name) for server in ready.servers], _NAMES)
    return [f"On {names}:", *words, players, "Its next run stays when it is."]


def _later(seconds: int) -> str:
    return f" · {when(seconds).removesuffix(' after')} from now" if seconds else ""


def _words(tx: Tx, ready: _Ready, ran: Ran) -> list[str]:
    shown = ", ".join(f"`J-{number}`" for number in ran.numbers[:10])
    more = f" and {len(ran.numbers) - 10} more jobs" if len(ran.numbers) > 10 else ""
    left = [f"{safe(name)}: {safe(skip.reason, 200)}." for name, skip in ran.left]
    return [shown + more, *left, left_out(tx.actor, ready.denied)]
