"""New schedules: what was meant, shown with its next runs, and written down when somebody presses Save."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from bot import clock
from bot.domain.actions import ACTIONS
from bot.domain.actors import Actor
from bot.domain.jobs import JobType
from bot.domain.schedules_steps import Step, lead, place_of, placed, without
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import AGAIN, Done, ask
from bot.services.schedules_steps import rows_of
from bot.services.schedules_wishes import Plan, Wish, taken, understood
from bot.services.servers import left_out
from db.engine import Database
from db.failures import constraint_of
from db.queries import confirmations, outbox, schedules
from db.uow import Tx

_ADD: Final = "schedule.add"
_EDIT: Final = "schedule.edit"
_OVERTAKEN: Final = ["This preview was changed", "Nothing was saved by this one; press Save on the newer one."]
"""What Save on a preview says that has got a successor."""
_GOES_ON: Final = {"stop": False, "go on": True, "goon": True, "continue": True, "": False}


@dataclass(frozen=True)
class Preview:
    """A plan that waits for its Save button."""

    token: UUID
    plan: Plan
    told: bool
    """Is there a channel where people hear how runs went?"""
    left_out: str = ""
    """Names the servers on which its author may not do it."""
    before: Wish | None = None
    """What the schedule is now; None: it is new."""


class ScheduleAdding:
    """`/schedule add`, and the steps on its preview and on that of `/schedule edit`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, wish: Wish) -> Preview:
        """Writes the question down that `/schedule add` puts.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict, Unsupported: nothing was written.
        """
        async with self._db.uow(actor) as tx:
            return await asked(tx, wish, None)

    async def with_step(self, actor: Actor, token: UUID, action: str, text: str, place: str, failure: str) -> Preview:
        """The same question with one step more. `place`: when it is done; `failure`: `stop` or `go on`.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict, Unsupported: nothing was changed, and the question stays.
        """
        try:
            offset, before = place_of(place)
        except ValueError as error:
            raise Invalid(str(error), "Nothing was changed.") from error
        goes_on = _GOES_ON.get(" ".join(failure.lower().split()))
        if action not in ACTIONS or goes_on is None:
            raise Invalid("After a failure a chain can `stop` or `go on`.", "Nothing was changed.")
        # a warning that could not be given keeps nothing from being done
        goes_on = goes_on or (ACTIONS[action].job_type == JobType.ANNOUNCE and not failure.strip())
        step = Step(action, text, offset, goes_on)
        return await self._changed(actor, token, lambda steps: placed(steps, step, before=before))

    async def without_step(self, actor: Actor, token: UUID, number: int) -> Preview:
        """The same question without one of its steps."""
        return await self._changed(actor, token, lambda steps: without(steps, number))

    async def _changed(self, actor: Actor, token: UUID, change: Callable[[Sequence[Step]], list[Step]]) -> Preview:
        async with self._db.uow(actor) as tx:
            wish, before = await _taken(tx, token)
            try:
                steps = change(wish.chain)
            except ValueError as error:
                raise Invalid(str(error), "Nothing was changed.") from error
            known = await schedules.card(tx.session, actor.org, schedule_id=UUID(wish.edits)) if before else None
            return await asked(tx, wish.doing(steps), before, known.last_run_for if known else None)

    async def saved(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Saves what was shown; servers, permissions and names are looked at again."""
        plan = await understood(tx, Wish(**payload["wish"]))
        schedule_id = await _insert(tx, plan)
        await schedules.leave_out(tx.session, tx.actor.org, schedule_id, [server.id for server in plan.denied])
        tx.audit("schedule.add", resource=("schedule", schedule_id), **noted(plan))
        words = [f"It runs next {plan.first}.", left_out(tx.actor, plan.denied)]
        return Done(f"{safe(plan.wish.name)} is saved", "\n".join(filter(None, words)))


async def asked(tx: Tx, wish: Wish, before: Wish | None, after: datetime | None = None) -> Preview:
    """Writes the question down; `before`: what the schedule is now, if it is there. `after`: see `understood`."""
    plan = await understood(tx, wish, after)
    told = await outbox.channel_for(tx.session, tx.actor.org, "ops") is not None
    action, schedule_id = (_EDIT, UUID(wish.edits)) if before else (_ADD, None)
    tx.audit(f"{action}.ask", resource=("schedule", schedule_id), name=plan.wish.name, cron=plan.cron.expression)
    payload = {"wish": asdict(plan.wish), "before": asdict(before) if before else None}
    question = await ask(tx, action, payload, title=f"Save {plan.wish.name}?", effect=[], verb="Save")
    return Preview(question.token, plan, told, left_out(tx.actor, plan.denied), before)


async def _taken(tx: Tx, token: UUID) -> tuple[Wish, Wish | None]:
    """The wish of a question, which is not put any more."""
    question = await confirmations.state(tx.session, tx.actor.org, token)
    if question is None or question.action not in (_ADD, _EDIT):
        raise NotFound("There is nothing to save here any more.", AGAIN)
    if question.user_id != tx.actor.user_id:
        raise Conflict("This question was put to somebody else.", AGAIN)
    if await confirmations.consume(tx.session, tx.actor.org, question.user_id, token) is None:
        raise Conflict("This was saved or changed already, or its two minutes are over.", AGAIN)
    await confirmations.remember_result(tx.session, tx.actor.org, token, json.dumps(_OVERTAKEN))
    before = question.payload["before"]
    return Wish(**question.payload["wish"]), Wish(**before) if before else None


def noted(plan: Plan) -> dict[str, Any]:
    """What the audit log says of a schedule that was saved."""
    wish = plan.wish
    texts = [step.text for step in plan.steps if step.text]
    options = {name: value for name, value in asdict(wish).items() if name in _NOTED and value}
    return {
        "name": wish.name,
        "type": plan.action.job_type.value,
        "cron": plan.cron.expression,
        "zone": wish.zone,
        "servers": [server.name for server in plan.servers],
        **({"steps": [step.action for step in plan.steps]} if len(plan.steps) > 1 else {}),
        **({"leftOut": [server.name for server in plan.denied]} if plan.denied else {}),
        **({"text": texts[0] if len(texts) == 1 else texts} if texts else {}),
        **options,
    }


_NOTED: Final = frozenset({"tag", "window", "only_online", "only_empty", "retries", "catch_up"})


def values_of(tx: Tx, plan: Plan) -> dict[str, Any]:
    """The columns of a schedule that is saved."""
    wish, window = plan.wish, plan.window
    return {
        "org": tx.actor.org,
        "name": wish.name,
        "expression": plan.cron.expression,
        "zone": wish.zone,
        "catch_up": wish.catch_up,
        "overlap": wish.overlap,
        "only_online": wish.only_online,
        "only_empty": wish.only_empty,
        "window_start": window.begin if window else None,
        "window_end": window.end if window else None,
        "retries": wish.retries,
        "backoff": wish.backoff,
        "lead": lead(plan.steps),
        "next_run_at": plan.runs[0],
        "now": clock.now(),
    }


async def _insert(tx: Tx, plan: Plan) -> UUID:
    wish = plan.wish
    place = {"server": wish.server or None, "tag": wish.tag or None, "author": tx.actor.user_id}
    try:
        return await schedules.add(tx.session, {**values_of(tx, plan), **place}, rows_of(plan.steps))
    except IntegrityError as error:
        raise name_taken(error, wish.name) from error


def name_taken(error: IntegrityError, name: str) -> Exception:
    """The refusal for a name that somebody else took meanwhile; the error itself where it is another."""
    return taken(name) if constraint_of(error) == "uq_schedules_org_name" else error
