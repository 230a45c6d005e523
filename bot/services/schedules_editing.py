"""A schedule that is changed: before and after with its next runs, and written when somebody presses Save."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import IntegrityError

from bot.domain.actors import Actor
from bot.domain.schedules_steps import Step, main
from bot.domain.words import safe
from bot.errors import Conflict, Invalid
from bot.services.confirmations import Done
from bot.services.schedules import Schedules, must_be_there
from bot.services.schedules_adding import Preview, asked, name_taken, noted, values_of
from bot.services.schedules_steps import rows_of
from bot.services.schedules_wishes import Plan, Wish, understood, wish_of
from bot.services.servers import left_out
from db.engine import Database
from db.queries import schedules
from db.queries.schedules import ScheduleCard
from db.uow import Tx


@dataclass(frozen=True)
class Change:
    """What of a schedule shall be different; empty or None: that stays."""

    when: str = ""
    text: str = ""
    name: str = ""
    zone: str = ""
    warn: str = ""
    window: str = ""
    overlap: str = ""
    catch_up: bool | None = None
    only_online: bool | None = None
    only_empty: bool | None = None
    retries: int | None = None
    backoff: int | None = None


class ScheduleEditing:
    """`/schedule edit`."""

    def __init__(self, db: Database, known: Schedules) -> None:
        self._db = db
        self._known = known

    async def ask(self, actor: Actor, ref: str, change: Change) -> Preview:
        """Writes the question down that `/schedule edit` puts.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict, Unsupported: nothing was written.
        """
        async with self._db.uow(actor) as tx:
            schedule = await self._known.locked(tx, ref)
            must_be_there(schedule)
            before = wish_of(schedule)
            return await asked(tx, _changed(before, change), before, schedule.last_run_for)

    async def edited(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Saves what was shown, unless the schedule is another by now."""
        wish = Wish(**payload["wish"])
        schedule = await self._known.locked(tx, wish.edits)
        must_be_there(schedule)
        if wish_of(schedule) != Wish(**payload["before"]):
            raise Conflict(
                f"Somebody else has changed {safe(schedule.name)} meanwhile.",
                "Nothing was saved. `/schedule show` shows what it is now.",
            )
        plan = await understood(tx, wish, schedule.last_run_for)
        try:
            await schedules.edit(tx.session, schedule.id, values_of(tx, plan), rows_of(plan.steps))
        except IntegrityError as error:
            raise name_taken(error, wish.name) from error
        denied = [server.id for server in plan.denied]
        await schedules.leave_out(tx.session, tx.actor.org, schedule.id, denied)
        tx.audit("schedule.edit", resource=("schedule", schedule.id), **noted(plan))
        words = [_next(schedule, plan), left_out(tx.actor, plan.denied)]
        return Done(f"{safe(plan.wish.name)} is changed", "\n".join(filter(None, words)))


def _next(schedule: ScheduleCard, plan: Plan) -> str:
    if not schedule.enabled:
        return "It is paused still."
    if schedule.paused_until and plan.runs[0] < schedule.paused_until:
        return f"It is paused until <t:{schedule.paused_until.timestamp():.0f}:f> still."
    return f"It runs next {plan.first}."


def _changed(wish: Wish, change: Change) -> Wish:
    texts = {
        name: value
        for name in ("when", "name", "zone", "warn", "window", "overlap")
        if (value := getattr(change, name).strip())
    }
    flags = {
        name: value
        for name in ("catch_up", "only_online", "only_empty", "retries", "backoff")
        if (value := getattr(change, name)) is not None
    }
    changed = wish.doing(_retold(wish.chain, change.text)) if change.text.strip() else wish
    return replace(changed, **texts, **flags)


def _retold(steps: list[Step], text: str) -> list[Step]:
    """The steps with another text where it is clear which one says it."""
    says_something = [step for step in steps if step.does.text]
    told = [step for step in says_something if not step.is_warning] or says_something
    aim = main(steps)
    says = aim if aim.does.text else told[0] if len(told) == 1 else None
    if says is None:
        raise Invalid(
            "Several of its steps have a text." if told else "Nothing that it does takes a `text`.",
            "Take the step out on the preview, and add another." if told else "Leave it out; nothing was changed.",
        )
    return [replace(step, text=text) if step is says else step for step in steps]
