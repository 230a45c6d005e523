"""Plans of power actions as they are written down: a row, its message, and a countdown of jobs that wait in turn.

The jobs of a plan are always locked before the plan, in the order in which they end: so does whoever ends one of them.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from bot import clock
from bot.domain import power as rules
from bot.domain.actions import ACTIONS
from bot.domain.durations import spoken
from bot.domain.jobs import JobType
from bot.domain.when import When
from bot.domain.words import safe
from bot.errors import Conflict
from bot.services import power_telling
from bot.services.actions import dedupe_key, params
from bot.services.confirmations import AGAIN, Done
from bot.services.jobs_ending import end
from bot.services.jobs_enqueue import Enqueued, enqueue
from bot.services.power_telling import announce, tell
from db.queries import jobs, power
from db.queries.cards import ServerCard
from db.queries.power import PlanRow
from db.uow import Tx


async def make(tx: Tx, server: ServerCard, action: rules.Planned, when: When, reason: str) -> Done:
    """Writes a plan down within a unit of work of the caller, who has checked that it may be made.

    Raises:
        Conflict: the server has a plan already, or something else waits on it.
    """
    now = clock.now()
    moment = when.confirmed(now)
    plan_id = await power.add(
        tx.session,
        org_id=server.org_id,
        server_id=server.id,
        action=action,
        due=moment if when.kind == "at" else None,
        give_up=moment if when.kind == "empty" else None,
        warn=rules.WARNINGS,
        reason=reason,
        author=tx.actor.user_id,
        now=now,
    )
    plan = await power.of_server(tx.session, server.org_id, server.id)
    if plan is None or plan.id != plan_id:
        raise Conflict(f"{safe(server.name)} has another plan by now.", "`/server cancel` ends it.")
    channel = await power_telling.post(tx, plan.id)
    job = await begin(tx, plan, server, opening=rules.opening(plan.action, plan.due_at, plan.reason or "", now))
    numbers = {"jobId": str(job.id), "number": job.number} if job else {}
    tx.audit(
        f"server.{action}.plan",
        resource=("server", server.id),
        plan=str(plan.id),
        when=when.words,
        at=moment.isoformat(),
        reason=reason,
        **numbers,
    )
    where = [f"`J-{job.number}`" if job else "", f"<#{channel}>" if channel else "", "`/server cancel`"]
    told = "" if server.says else f"\n{safe(server.game_name)} cannot tell its players."
    title = f"{action.capitalize()} {safe(server.name)} {when.words}"
    return Done(title, " · ".join(filter(None, where)) + told)


async def begin(tx: Tx, plan: PlanRow, server: ServerCard, *, opening: str) -> Enqueued | None:
    """Tells players of a new plan or time; where it is near, its countdown is written down, too."""
    now = clock.now()
    if plan.due_at and now >= plan.due_at - rules.lead(plan.warn_minutes):
        return await do(tx, plan, server, opening=opening)
    await tell(tx, server, opening)
    return None


async def do(tx: Tx, plan: PlanRow, server: ServerCard, *, opening: str = "") -> Enqueued:
    """Writes down what a plan does, and before it what players are told until then; `opening`: at once."""
    now, due = clock.now(), plan.due_at or clock.now()
    told: Sequence[rules.Announcement] = ()
    if server.says and plan.due_at:
        told = rules.announcements(plan.action, due, plan.reason or "", plan.warn_minutes, now, opening=opening)
    before: UUID | None = None
    for one in told:
        before = (await announce(tx, server, one.text, at=one.at, after=before)).id
    action = ACTIONS[plan.action]
    job = await enqueue(
        tx,
        type=action.job_type,
        server_id=server.id,
        host_id=server.host_id,
        params=params(action, ""),
        not_before=max(due, now),
        after=before,
        after_any=before is not None,
        dedupe_key=dedupe_key(action, server.id),
        quiet=True,  # the plan's own message says when; the job's comes when it begins
    )
    await power.set_job(tx.session, plan.id, job.id, now)
    return job


async def _waiting(tx: Tx, known: PlanRow) -> tuple[PlanRow, Mapping[UUID, str]]:
    """A plan that waits and its live jobs with their status, held.

    Raises:
        Conflict: it is over or under way, or its jobs have changed in this moment.
    """
    held = await power.hold_chain(tx.session, known.job_id)
    plan = await power.lock(tx.session, known.id)
    if plan is None:
        raise Conflict("This plan is over already.", "Its message says how it ended.")
    if plan.job_id != known.job_id:
        raise Conflict("This plan has changed in this moment.", AGAIN)
    if _begun(plan, held):
        raise Conflict(f"The {plan.action} of {safe(plan.server_name)} is under way.", "`/server cancel` can stop it.")
    return plan, held


def _begun(plan: PlanRow, held: Mapping[UUID, str]) -> UUID | None:
    """The job of a plan that its host has begun; None: it waits."""
    return plan.job_id if plan.job_id and held.get(plan.job_id) == "running" else None


async def under_way(tx: Tx, plan: PlanRow) -> int | None:
    """The number of a plan's job that its host has begun; None: it waits. Its jobs are held from here on."""
    begun = _begun(plan, await power.hold_chain(tx.session, plan.job_id))
    job = await jobs.lock(tx.session, begun) if begun else None
    return job.number if job else None


async def call_off(tx: Tx, plan: PlanRow, held: Mapping[UUID, str], *, reason: str) -> None:
    """Cancels the jobs of a held plan, which are not its own any more: one by one they would release each other."""
    job = await jobs.lock(tx.session, plan.job_id) if plan.job_id in held and plan.job_id else None
    if job and job.status in ("held", "queued"):
        await end(tx, job, "cancelled", reason=reason, by=tx.actor.user_id)
    elif job and (run_id := await jobs.drop_offer(tx.session, job.id, clock.now())):
        await end(tx, job, "cancelled", reason=reason, run_id=run_id, by=tx.actor.user_id)
    await power.silence(tx.session, held, clock.now())


async def skip_late(tx: Tx, held: Mapping[UUID, str]) -> None:
    """Leaves out what was to be said while nobody could, such as while the bot was away; what follows goes on."""
    for job_id in held:
        job = await jobs.lock(tx.session, job_id)
        late = job and job.status == "queued" and job.expires_at and job.expires_at < clock.now()
        if job and late and job.type == JobType.ANNOUNCE:
            await end(tx, job, "expired", reason="its time has passed")


async def cancel(tx: Tx, known: PlanRow, server: ServerCard) -> None:
    """Ends a plan that waits, because somebody wants that; its players hear of it.

    Raises:
        Conflict: it is over, or under way.
    """
    plan, held = await _waiting(tx, known)
    await power_telling.close(tx, plan, "cancelled", "")
    await call_off(tx, plan, held, reason="its plan was cancelled")
    await tell(tx, server, rules.called_off(plan.action))


async def overrun(tx: Tx, known: PlanRow, *, reason: str) -> bool:
    """Ends a plan that something else has made pointless; one that is under way ends with its job. Returns whether it
    was ended."""
    held = await power.hold_chain(tx.session, known.job_id)
    plan = await power.lock(tx.session, known.id)
    if plan is None or plan.job_id != known.job_id or _begun(plan, held):
        return False
    await power_telling.close(tx, plan, "cancelled", reason)
    await call_off(tx, plan, held, reason=f"its plan was cancelled: {reason}")
    return True


async def postpone(tx: Tx, known: PlanRow, server: ServerCard, delay: timedelta) -> PlanRow:
    """Gives a plan that waits another time, so much later than it was, or than now where that is over; its players hear
    of it.

    Raises:
        Conflict: it is over, or under way.
    """
    plan, held = await _waiting(tx, known)
    now = clock.now()
    due = max(plan.due_at, now) + delay if plan.due_at else None
    give_up = max(plan.give_up_at, now) + delay if plan.give_up_at else None
    await power.move(tx.session, plan.id, due=due, give_up=give_up, now=now)
    await call_off(tx, plan, held, reason=f"postponed by {spoken(delay)}")
    moved = await power.lock(tx.session, plan.id)
    if moved is None:
        raise AssertionError("a plan that this transaction holds has ended")
    if moved.due_at:
        await begin(tx, moved, server, opening=rules.postponed(plan.action, moved.due_at - now, plan.reason or ""))
    await power_telling.show(tx, moved)
    return moved
