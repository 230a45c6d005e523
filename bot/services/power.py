"""Start, stop, restart, kill: what people want of a server, turned into a job or a plan."""

from typing import Any, Final, Literal
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain import durations, when
from bot.domain.actors import Actor
from bot.domain.jobs import JOBS, JobType
from bot.domain.when import When
from bot.domain.words import safe
from bot.domain.zones import zone
from bot.errors import Conflict, Invalid, NotFound
from bot.services import power_plans, power_words
from bot.services.confirmations import Done, Question, ask
from bot.services.holds import must_not_be_held
from bot.services.jobs import Jobs
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import VIEW, must_be_able, must_see, permitted
from db.engine import Database
from db.queries import power, servers
from db.queries.cards import ServerCard
from db.queries.power import PlanRow
from db.uow import Tx

Action = Literal["start", "stop", "restart", "kill"]

_JOBS: Final[dict[Action, tuple[JobType, wire.Params]]] = {
    "start": (JobType.SERVER_START, wire.ServerStart()),
    "stop": (JobType.SERVER_STOP, wire.ServerStop()),
    "restart": (JobType.SERVER_RESTART, wire.ServerRestart()),
    "kill": (JobType.SERVER_KILL, wire.ServerKill()),
}
_CANCEL: Final = "`/server cancel` ends it, `/server postpone` moves it."


class Power:
    """Power actions. Each effect is one job or plan with its audit row; the progress is a message of the bot's own."""

    def __init__(self, db: Database, jobs: Jobs) -> None:
        self._db = db
        self._jobs = jobs

    async def start(self, actor: Actor, ref: str) -> Done:
        """Starts a server at once; nothing is lost by it, so nothing is asked."""
        async with self._db.uow(actor) as tx:
            server = await _checked(tx, ref, "start")
            if server.status == "running" and server.host_online:
                raise Conflict(f"{safe(server.name)} is running already.", "Use `/server restart` to start it anew.")
            return await _enqueue(tx, server, "start", "")

    async def ask(self, actor: Actor, ref: str, action: Action, *, when_text: str = "", reason: str = "") -> Question:
        """Writes the question down that `/server stop|restart|kill` puts: the effect, who is online, how to undo it.
        Where people are on and nobody said when, it offers to wait."""
        async with self._db.uow(actor) as tx:
            server = await _checked(tx, ref, action)
            manners = await power.manners(tx.session, actor.org)
            try:
                moment = when.parse(when_text, clock.now(), zone(manners["timezone"]))
            except ValueError as error:
                raise Invalid(str(error), when.REMEDY) from error
            plan = await power.of_server(tx.session, actor.org, server.id)
            _must_go_together(server, plan, moment, action)
            view = power_words.View(
                server,
                action,
                moment,
                reason,
                server.rest,
                plan if action != "kill" else None,
                offers=not when_text.strip() and action != "kill" and plan is None,
                careful=manners["avoid_risky_restart"],
            )
            tx.audit(f"server.{action}.ask", resource=("server", server.id), when=moment.words, reason=reason)
            return await ask(
                tx,
                f"server.{action}",
                {"server": str(server.id), "action": action, "reason": reason, "when": power_words.stored(moment)},
                title=f"{action.capitalize()} {safe(server.name)} {moment.words}?",
                effect=power_words.effect(view),
                verb=f"{action.capitalize()} {server.name}",
                typed=server.name if action == "kill" else "",
                choices=power_words.choices(view),
                choices_first=bool(view.careful and power_words.risk(server)),
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does what `ask` asked; the permission is checked again, it may be gone by now."""
        action: Action = payload["action"]
        server = await _checked(tx, payload["server"], action)
        moment = power_words.read(payload)
        plan = await power.of_server(tx.session, server.org_id, server.id)
        if action == "kill":
            return await self._kill(tx, server, plan, payload["reason"])
        _must_go_together(server, plan, moment, action)
        if action == "start" or moment.kind == "now" or moment.confirmed(clock.now()) <= clock.now():
            return await _enqueue(tx, server, action, payload["reason"])
        return await power_plans.make(tx, server, action, moment, payload["reason"])

    async def _kill(self, tx: Tx, server: ServerCard, plan: PlanRow | None, reason: str) -> Done:
        """Passes everything; a plan that waits is over with it."""
        if plan:
            await power_plans.overrun(tx, plan, reason="it was killed")
        return await _enqueue(tx, server, "kill", reason)

    async def cancel(self, actor: Actor, ref: str) -> Done:
        """Cancels what is waiting or under way on a server: its plan, else its job."""
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, VIEW)
            plan = await power.of_server(tx.session, actor.org, server.id)
            number = await servers.live_power_job(tx.session, actor.org, server.id)
            if plan and (plan.job_id or number is None):
                return await self._cancel_plan(tx, plan, server)
            if number is None:
                raise Conflict(
                    f"Nothing is waiting or under way on {safe(server.name)}.", "`/job list` shows what was."
                )
            return await self._cancel_job(tx, server, number)

    async def cancel_plan(self, actor: Actor, plan_id: UUID) -> Done:
        """The button on a plan's message."""
        async with self._db.uow(actor) as tx:
            plan = await _of_button(tx, plan_id)
            return await self._cancel_plan(tx, plan, await permitted(tx, str(plan.server_id), VIEW))

    async def _cancel_job(self, tx: Tx, server: ServerCard, number: int) -> Done:
        job, followers = await self._jobs.cancel_in(tx, number)
        also = {"followers": followers} if followers else {}
        tx.audit("job.cancel", resource=("server", server.id), jobId=str(job.id), number=number, **also)
        return Done(f"J-{number} is being cancelled", "Its message says how it ended.")

    async def _cancel_plan(self, tx: Tx, plan: PlanRow, server: ServerCard) -> Done:
        """Of one whose job its host has begun, the job: the plan ends with it."""
        await tx.require(_permission(plan.action), server_id=server.id)
        if number := await power_plans.under_way(tx, plan):
            return await self._cancel_job(tx, server, number)
        await power_plans.cancel(tx, plan, server)
        tx.audit("server.plan.cancel", resource=("server", server.id), plan=str(plan.id), what=plan.action)
        return Done(f"The {plan.action} of {safe(server.name)} is cancelled", "Its players are told.")

    async def postpone(self, actor: Actor, ref: str, duration: str) -> Done:
        """Moves a plan that waits."""
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, VIEW)
            plan = await power.of_server(tx.session, actor.org, server.id)
            if plan is None:
                raise Conflict(f"Nothing is planned for {safe(server.name)}.", "`/server restart` plans with `when`.")
            return await self._postpone(tx, plan, server, duration)

    async def postponable(self, actor: Actor, plan_id: UUID) -> UUID:
        """The plan that somebody may enter a later time for.

        Raises:
            NotFound, NotPermitted, Conflict: there is none, it is not theirs to change, or it does not wait.
        """
        async with self._db.read() as session:
            shown = await power.card(session, actor.org, plan_id)
            if shown is None:
                raise NotFound("There is no such plan here.", "`/server show` shows what is planned.")
            await must_see(session, actor, _permission(shown.action), shown.server_id)
        if shown.status != "planned":
            raise Conflict("This plan does not wait any more.", "Its message says how it stands.")
        return shown.id

    async def postpone_plan(self, actor: Actor, plan_id: UUID, duration: str) -> Done:
        """The form of the button on a plan's message."""
        async with self._db.uow(actor) as tx:
            plan = await _of_button(tx, plan_id)
            return await self._postpone(tx, plan, await permitted(tx, str(plan.server_id), VIEW), duration)

    async def _postpone(self, tx: Tx, plan: PlanRow, server: ServerCard, duration: str) -> Done:
        await tx.require(_permission(plan.action), server_id=server.id)
        try:
            delay = durations.parse(duration)
        except ValueError as error:
            raise Invalid(str(error), "It takes such as `15m`, `1h` or `1h 30m`.") from error
        if (plan.due_at or plan.give_up_at or clock.now()) + delay > clock.now() + when.LONGEST:
            far = durations.spoken(when.LONGEST)
            raise Invalid(f"That is more than {far} ahead.", "Cancel it, and use `/schedule` for later.")
        moved = await power_plans.postpone(tx, plan, server, delay)
        at = moved.due_at or moved.give_up_at or clock.now()
        tx.audit(
            "server.plan.postpone", resource=("server", server.id), plan=str(plan.id), by=duration, at=at.isoformat()
        )
        until = "" if moved.due_at else "It waits for an empty server until then. "
        return Done(f"Postponed by {durations.spoken(delay)}", f"{until}<t:{at.timestamp():.0f}:f>")

    async def plan(self, org_id: UUID, plan_id: str) -> power.PlanCard | None:
        """What the message of a plan shows."""
        async with self._db.read() as session:
            return await power.card(session, org_id, UUID(plan_id))


def _permission(action: Action) -> str:
    return JOBS[_JOBS[action][0]].permission


async def _checked(tx: Tx, ref: str, action: Action) -> ServerCard:
    """The server, which may be acted on: kill passes whoever holds it."""
    server = await permitted(tx, ref, _permission(action))
    must_be_able(server, action)
    if action != "kill":
        await must_not_be_held(tx, server)
    return server


def _must_go_together(server: ServerCard, plan: PlanRow | None, moment: When, action: Action) -> None:
    if plan and action != "kill" and plan.status == "running":
        raise Conflict(f"The {plan.action} of {safe(server.name)} is under way.", "`/server cancel` can stop it.")
    if plan and action != "kill" and (plan.job_id or moment.kind != "now"):
        by = f" by {safe(plan.author)}" if plan.author else ""
        raise Conflict(f"A {plan.action} of {safe(server.name)} is planned{by} {_moment(plan)}.", _CANCEL)
    if moment.kind != "now" and server.host_online and not server.is_up:
        raise Conflict(f"{safe(server.name)} is {server.status}: there is nothing to wait for.", "Leave out `when`.")


def _moment(plan: PlanRow) -> str:
    if plan.due_at:
        return f"<t:{plan.due_at.timestamp():.0f}:R>"
    return "as soon as nobody is on"


async def _of_button(tx: Tx, plan_id: UUID) -> PlanRow:
    shown = await power.card(tx.session, tx.actor.org, plan_id)
    if shown is None:
        raise NotFound("There is no such plan here.", "`/server show` shows what is planned.")
    plan = await power.of_server(tx.session, tx.actor.org, shown.server_id)
    if plan is None or plan.id != plan_id:
        raise Conflict("This plan is over already.", "Its message says how it ended.")
    return plan


async def _enqueue(tx: Tx, server: ServerCard, action: Action, reason: str) -> Done:
    job_type, params = _JOBS[action]
    job = await enqueue(
        tx,
        type=job_type,
        server_id=server.id,
        host_id=server.host_id,
        params=params,
        dedupe_key=f"{'kill' if action == 'kill' else 'power'}:{server.id}",
    )
    tx.audit(f"server.{action}", resource=("server", server.id), jobId=str(job.id), number=job.number, reason=reason)
    return Done(f"{action.capitalize()} {safe(server.name)}", job.where)
