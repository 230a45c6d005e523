"""A new schedule: what was meant, shown with its next runs, and written down when somebody presses Save."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from agent import wire
from bot import clock
from bot.domain import cron_words, zones
from bot.domain.access import EVERYWHERE
from bot.domain.actions import ACTIONS, Action
from bot.domain.actors import Actor
from bot.domain.cron import Cron
from bot.domain.jobs import JOBS, JobType
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.actions import params, text_of
from bot.services.confirmations import Done, ask
from bot.services.servers import VIEW, left_out, must_be_able, resolve
from db.engine import Database
from db.failures import constraint_of
from db.queries import cards, outbox, schedules
from db.queries.cards import ServerCard
from db.uow import Tx

MANAGE: Final = "schedules.manage"
SHOWN_RUNS: Final = 5
_LONGEST_NAME: Final = 64


@dataclass(frozen=True)
class Wish:
    """What `/schedule add` was given. One of `server` and `tag`; an empty zone is the org's."""

    action: str
    when: str
    server: str = ""
    tag: str = ""
    text: str = ""
    name: str = ""
    zone: str = ""
    catch_up: bool = False


@dataclass(frozen=True)
class Plan:
    """A wish that was understood."""

    wish: Wish
    """With the names of server and zone in place of what was typed."""
    action: Action
    params: wire.Params
    cron: Cron
    servers: Sequence[ServerCard]
    runs: Sequence[datetime]
    denied: Sequence[ServerCard] = ()
    """Servers with the tag that are left out, because the author may not do it there."""


@dataclass(frozen=True)
class Preview:
    """A plan that waits for its Save button."""

    token: UUID
    plan: Plan
    told: bool
    """Is there a channel where people hear how runs went?"""
    left_out: str = ""
    """Names the servers on which its author may not do it."""


class ScheduleAdding:
    """`/schedule add`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, wish: Wish) -> Preview:
        """Writes the question down that `/schedule add` puts.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict, Unsupported: nothing was written.
        """
        async with self._db.uow(actor) as tx:
            plan = await _understood(tx, wish)
            told = await outbox.channel_for(tx.session, actor.org, "ops") is not None
            tx.audit("schedule.add.ask", resource=("schedule", None), name=plan.wish.name, cron=plan.cron.expression)
            question = await ask(
                tx, "schedule.add", asdict(plan.wish), title=f"Save {plan.wish.name}?", effect=[], verb="Save"
            )
        return Preview(question.token, plan, told, left_out(actor, plan.denied))

    async def saved(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Saves what was shown; servers, permissions and names are looked at again."""
        plan = await _understood(tx, Wish(**payload))
        schedule_id = await _insert(tx, plan)
        await schedules.leave_out(tx.session, tx.actor.org, schedule_id, [server.id for server in plan.denied])
        tx.audit(
            "schedule.add",
            resource=("schedule", schedule_id),
            name=plan.wish.name,
            type=plan.action.job_type.value,
            cron=plan.cron.expression,
            zone=plan.wish.zone,
            servers=[server.name for server in plan.servers],
            **({"leftOut": [server.name for server in plan.denied]} if plan.denied else {}),
            **({"tag": plan.wish.tag} if plan.wish.tag else {}),
            **({"text": plan.wish.text} if plan.wish.text else {}),
        )
        words = [f"It runs next <t:{plan.runs[0].timestamp():.0f}:R>.", left_out(tx.actor, plan.denied)]
        return Done(f"{safe(plan.wish.name)} is saved", "\n".join(filter(None, words)))


async def may(tx: Tx, servers: Collection[UUID], job_type: JobType) -> set[UUID]:
    """Those of the servers on which the actor manages schedules and may do what this one does.

    Raises:
        NotPermitted: there is none, or, without servers, not in the whole org.
    """
    allowed = set(servers)
    for permission in (MANAGE, JOBS[job_type].permission):
        allowed &= await tx.allowed_on(permission, servers)
        if not allowed:
            await tx.require_on(permission, servers)
    return allowed


async def _understood(tx: Tx, wish: Wish) -> Plan:
    action = ACTIONS.get(wish.action)
    if action is None:
        raise Invalid(f"{safe(wish.action, 40)} is nothing that a schedule can do.", f"It can {', '.join(ACTIONS)}.")
    text = text_of(action, wish.text)
    try:
        cron = cron_words.parse(wish.when)
        zone_name = zones.named(wish.zone.strip() or await schedules.zone(tx.session, tx.actor.org))
    except ValueError as error:
        raise Invalid(str(error), "Nothing was saved.") from error
    tagged = await _servers(tx, wish)
    allowed = await may(tx, [server.id for server in tagged], action.job_type)
    servers = [server for server in tagged if server.id in allowed]
    denied = [server for server in tagged if server.id not in allowed]
    _able(servers, action.capability)
    name = await _name(tx, wish, servers)
    runs = list(islice(cron.runs(clock.now(), zones.zone(zone_name)), SHOWN_RUNS))
    server = "" if wish.tag else str(servers[0].id)
    told = replace(wish, server=server, text=text, name=name, zone=zone_name, tag=wish.tag.strip().lower())
    return Plan(told, action, params(action, text), cron, servers, runs, denied)


async def _servers(tx: Tx, wish: Wish) -> list[ServerCard]:
    tag = wish.tag.strip().lower()
    if bool(wish.server.strip()) == bool(tag):
        both = "both `server` and `tag`" if tag else "neither `server` nor `tag`"
        raise Invalid(f"A schedule is for one server or for one tag; this has {both}.", "Give one of them.")
    if not tag:
        return [await resolve(tx.session, tx.actor.org, wish.server, tx.actor.scope(VIEW))]
    if found := await cards.servers(tx.session, tx.actor.org, scope=EVERYWHERE, tag=tag, limit=None):
        return found
    seen = tx.actor.scope(VIEW)
    known = ", ".join(f"`{tag}`" for tag, _ in await schedules.tags(tx.session, tx.actor.org, scope=seen))
    raise NotFound(f"No server has the tag {safe(tag, 40)}.", f"Tags here: {known}." if known else "Name a server.")


def _able(servers: Sequence[ServerCard], capability: str) -> None:
    """A tag may also be on servers that cannot do it, but not on those alone."""
    if not any(capability in server.capabilities for server in servers):
        must_be_able(servers[0], capability)


async def _name(tx: Tx, wish: Wish, servers: Sequence[ServerCard]) -> str:
    given = " ".join(wish.name.split())
    if given:
        if len(given) > _LONGEST_NAME or not given.isprintable():
            raise Invalid(f"A schedule's name has at most {_LONGEST_NAME} printable characters.", "Choose another.")
        if await schedules.card(tx.session, tx.actor.org, name=given):
            raise _taken(given)
        return given
    start = f"{wish.action} {wish.tag.strip().lower() or servers[0].name}"[: _LONGEST_NAME - 5].rstrip()
    taken = {name.casefold() for name in await schedules.names(tx.session, tx.actor.org, start)}
    numbered = (start if n == 1 else f"{start} {n}" for n in range(1, len(taken) + 2))
    return next(name for name in numbered if name.casefold() not in taken)


async def _insert(tx: Tx, plan: Plan) -> UUID:
    wish = plan.wish
    values: dict[str, Any] = {
        "org": tx.actor.org,
        "server": wish.server or None,
        "tag": wish.tag or None,
        "name": wish.name,
        "expression": plan.cron.expression,
        "zone": wish.zone,
        "catch_up": wish.catch_up,
        "next_run_at": plan.runs[0],
        "author": tx.actor.user_id,
        "now": clock.now(),
        "job_type": plan.action.job_type.value,
        "params": plan.params.dump(),
    }
    try:
        return await schedules.add(tx.session, values)
    except IntegrityError as error:
        raise _taken(wish.name) if constraint_of(error) == "uq_schedules_org_name" else error from error


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a schedule called {safe(name)} already.", "Choose another `name`; nothing was saved.")
