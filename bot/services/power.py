"""Start, stop, restart, kill: what people want of a server, turned into a job that its host carries out."""

from datetime import datetime
from typing import Any, Final, Literal

from agent import wire
from bot import clock
from bot.domain import when
from bot.domain.actors import Actor
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid
from bot.services.confirmations import Done, Question, ask
from bot.services.jobs import Jobs
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import VIEW, must_be_able, permitted
from db.engine import Database
from db.queries import servers
from db.queries.cards import ServerCard
from db.uow import Tx

Action = Literal["start", "stop", "restart", "kill"]

_JOBS: Final[dict[Action, tuple[JobType, wire.Params, str]]] = {
    "start": (JobType.SERVER_START, wire.ServerStart(), "servers.start"),
    "stop": (JobType.SERVER_STOP, wire.ServerStop(), "servers.stop"),
    "restart": (JobType.SERVER_RESTART, wire.ServerRestart(), "servers.restart"),
    "kill": (JobType.SERVER_KILL, wire.ServerKill(), "servers.kill"),
}


class Power:
    """Power actions. Each effect is one job with its audit row; the progress is a message of the bot's own."""

    def __init__(self, db: Database, jobs: Jobs) -> None:
        self._db = db
        self._jobs = jobs

    async def start(self, actor: Actor, ref: str) -> Done:
        """Starts a server at once; nothing is lost by it, so nothing is asked."""
        async with self._db.uow(actor) as tx:
            server = await self._checked(tx, ref, "start")
            if server.status == "running" and server.host_online:
                raise Conflict(f"{safe(server.name)} is running already.", "Use `/server restart` to start it anew.")
            return await self._enqueue(tx, server, "start", clock.now(), "")

    async def ask(self, actor: Actor, ref: str, action: Action, *, when_text: str = "", reason: str = "") -> Question:
        """Writes the question down that `/server stop|restart|kill` puts: the effect, who is online, how to undo it."""
        try:
            moment = when.parse(when_text)
        except ValueError as error:
            raise Invalid(str(error)) from error
        async with self._db.uow(actor) as tx:
            server = await self._checked(tx, ref, action)
            tx.audit(f"server.{action}.ask", resource=("server", server.id), when=moment.words, reason=reason)
            return await ask(
                tx,
                f"server.{action}",
                {"server": str(server.id), "action": action, "delay": moment.delay.total_seconds(), "reason": reason},
                title=f"{action.capitalize()} {safe(server.name)} {moment.words}?",
                effect=_effect(server, action, reason),
                verb=f"{action.capitalize()} {server.name}",
                typed=server.name if action == "kill" else "",
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does what `ask` asked; the permission is checked again, it may be gone by now."""
        action: Action = payload["action"]
        server = await self._checked(tx, payload["server"], action)
        delay = when.When(when.timedelta(seconds=payload["delay"]))
        return await self._enqueue(tx, server, action, delay.moment(clock.now()), payload["reason"])

    async def cancel(self, actor: Actor, ref: str) -> Done:
        """Cancels what is waiting or under way on a server."""
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, VIEW)
            number = await servers.live_power_job(tx.session, actor.org, server.id)
            if number is None:
                raise Conflict(
                    f"Nothing is waiting or under way on {safe(server.name)}.", "`/job list` shows what was."
                )
            job = await self._jobs.cancel_in(tx, number)
            tx.audit("job.cancel", resource=("server", server.id), jobId=str(job.id), number=number)
            return Done(f"J-{number} is being cancelled", "Its message says how it ended.")

    async def _checked(self, tx: Tx, ref: str, action: Action) -> ServerCard:
        server = await permitted(tx, ref, _JOBS[action][2])
        must_be_able(server, action)
        return server

    async def _enqueue(self, tx: Tx, server: ServerCard, action: Action, at: datetime, reason: str) -> Done:
        job_type, params, _ = _JOBS[action]
        job = await enqueue(
            tx,
            type=job_type,
            server_id=server.id,
            host_id=server.host_id,
            params=params,
            not_before=at,
            dedupe_key=f"{'kill' if action == 'kill' else 'power'}:{server.id}",
        )
        tx.audit(
            f"server.{action}", resource=("server", server.id), jobId=str(job.id), number=job.number, reason=reason
        )
        return Done(f"{action.capitalize()} {safe(server.name)}", job.where)


def _effect(server: ServerCard, action: Action, reason: str) -> list[str]:
    online = server.players_online
    lines: list[str] = []
    if server.status in ("running", "starting") and online is not None:
        players = "1 player is" if online == 1 else f"{online or 'No'} players are"
        lines.append(f"**{players} online**" + (" and will be disconnected." if online else "."))
    elif server.status not in ("running", "starting"):
        lines.append(f"It is {server.status} now.")
    match action:
        case "kill":
            lines.append(
                "The process ends at once. **What the game has not saved is lost.** `/server start` starts it again."
            )
        case "stop":
            lines.append("The game saves first where it can. `/server start` starts it again.")
        case _:
            lines.append("The game saves first where it can, and comes back by itself.")
    if not server.host_online:
        lines.append(f"Its host {safe(server.host_name)} is offline: this waits for it for 15 minutes, then expires.")
    if reason:
        lines.append(f"Reason: {safe(reason, 300)}")
    return lines
