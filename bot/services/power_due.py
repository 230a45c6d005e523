"""What becomes of plans of power actions while they wait. Any number of processes may look.

A plan is held while something is done about it, and looked at once more: whoever else was faster has moved it on.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import power as rules
from bot.domain.actors import system
from bot.domain.jobs import JOBS, JobType
from bot.domain.power import Next, Plan, Seen, next_step
from bot.errors import Conflict, Unavailable
from bot.services import power_plans, power_telling
from bot.services.each import each
from db.engine import Database
from db.queries import cards, power
from db.queries.power import PlanRow, SeenRow
from db.queries.rest import left_alone
from db.uow import Tx

_BATCH: Final = 200
_DUTY: Final = "power.plans"
_LOOK_SELDOM: Final = timedelta(minutes=1)
_ENDS: Final = {"cancel": "cancelled", "expire": "expired"}
_OVERTAKES: Final = {
    "restart": ("SERVER_RESTART", "SERVER_START", "SERVER_STOP", "SERVER_KILL"),
    "stop": ("SERVER_STOP", "SERVER_KILL"),
}
"""What else, once done, makes a plan pointless."""


class PowerPlans:
    """The tick `power.plans`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tick(self) -> dict[str, int]:
        """Looks at the plans whose time for it has come. One that cannot be changed now keeps no other waiting."""
        async with self._db.read() as session:
            due = await power.due(session, clock.now(), _BATCH)
        steps = await each(due, self._one, passed_over=(Conflict, Unavailable))  # somebody acts on it, or holds it
        return dict(Counter(step for step in steps if step not in ("", "wait")))

    async def _one(self, found: tuple[UUID, UUID | None]) -> str:
        """What was done; empty where another process was faster."""
        plan_id, job_id = found
        async with self._db.uow(system(_DUTY)) as tx:
            held = await power.hold_chain(tx.session, job_id)
            plan = await power.lock_free(tx.session, plan_id)
            if plan is None or plan.job_id != job_id:
                return ""
            tx.actor = system(_DUTY, plan.org_id, plan.guild_id)
            decided = next_step(_plan(plan), await _seen(tx, plan), clock.now())
            await self._carry_out(tx, plan, held, decided)
            if decided.step != "wait":
                details = {"plan": str(plan.id), "what": plan.action, "reason": decided.reason}
                tx.audit(f"server.plan.{decided.step}", resource=("server", plan.server_id), **details)
            return decided.step

    async def _carry_out(self, tx: Tx, plan: PlanRow, held: Mapping[UUID, str], decided: Next) -> None:
        now = clock.now()
        if decided.step in _ENDS:
            await power_telling.close(tx, plan, _ENDS[decided.step], decided.reason)
            await power_plans.call_off(tx, plan, held, reason=f"its plan has ended: {decided.reason}")
            if not await _is_pointless(tx, plan):
                server = await cards.server(tx.session, plan.org_id, server_id=plan.server_id)
                await power_telling.tell(tx, server, rules.called_off(plan.action))
            return
        if decided.step == "end":
            await power_telling.close(tx, plan, "done", "")
            return
        if decided.step == "wait":
            await power_plans.skip_late(tx, held)
            await power.look_again(tx.session, plan.id, now + _pause(plan))
            return
        if decided.step == "begin" and plan.job_id:
            await power.begin(tx.session, plan.id, now)
            await power_telling.show_job(tx, plan, plan.job_id)
        elif server := await cards.server(tx.session, plan.org_id, server_id=plan.server_id):
            await power_plans.do(tx, plan, server)
        await power_telling.show(tx, plan)


def _pause(plan: PlanRow) -> timedelta:
    """Until it is looked at again, beyond the next tick: while its time is far, only whether it must not happen any
    more."""
    if plan.due_at is None or plan.job_id:
        return timedelta()
    return min(max(plan.due_at - rules.lead(plan.warn_minutes) - clock.now(), timedelta()), _LOOK_SELDOM)


async def _is_pointless(tx: Tx, plan: PlanRow) -> bool:
    """Whether nobody has to hear of its end: the game is not there."""
    seen = await power.seen(tx.session, plan.id, clock.now())
    return seen is None or seen.removed or seen.status != "running"


def _plan(plan: PlanRow) -> Plan:
    return Plan(plan.action, plan.due_at, plan.give_up_at, plan.warn_minutes, begun=plan.status == "running")


async def _seen(tx: Tx, plan: PlanRow) -> Seen:
    now = clock.now()
    row = await power.seen(tx.session, plan.id, now)
    if row is None or row.removed:
        return Seen(gone="its server was removed")
    rest = (await left_alone(tx.session, plan.org_id, [plan.server_id], now)).get(plan.server_id)
    return Seen(
        gone="the bot was removed from the Discord server" if row.left_alone else "",
        held=f"it was held meanwhile: {rest.reason}" if rest and rest.kind == "hold" else "",
        fresh=bool(row.fresh),
        status=row.status,
        players=row.players,
        busy=f"J-{row.busy_number} waits or is under way on it" if row.busy_number else "",
        overtaken=_overtaken(plan, row),
        job=row.job,
    )


def _overtaken(plan: PlanRow, row: SeenRow) -> str:
    if row.overtaken_by is None or row.overtaken_by[1] not in _OVERTAKES[plan.action]:
        return ""
    number, job_type = row.overtaken_by
    return f"J-{number} ({JOBS[JobType(job_type)].verb}) came first"
