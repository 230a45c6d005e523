"""A new macro: what was meant, shown with its parameters, and written down when somebody presses Save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from bot import clock
from bot.domain import macros as rules
from bot.domain.access import EVERYWHERE
from bot.domain.actions import ACTIONS, Action
from bot.domain.actors import Actor
from bot.domain.jobs import JOBS
from bot.domain.macros import Template
from bot.domain.words import safe
from bot.errors import Conflict, Invalid
from bot.services.actions import text_of
from bot.services.confirmations import Done, ask
from bot.services.servers import VIEW, must_be_able, resolve
from db.engine import Database
from db.failures import constraint_of
from db.queries import cards, macros
from db.queries.cards import ServerCard
from db.uow import Tx

MANAGE: Final = "macros.manage"
MACROS: Final = tuple(action.name for action in ACTIONS.values() if action.text)
"""Actions that say something of one's own; the others have their commands."""
_LONGEST_DESCRIPTION: Final = 100


@dataclass(frozen=True)
class Wish:
    """What `/macro add` was given. Without `server` it is for every server that can do it."""

    name: str
    action: str
    text: str
    server: str = ""
    description: str = ""


@dataclass(frozen=True)
class Plan:
    """A wish that was understood."""

    wish: Wish
    """With the name and the id of the server in place of what was typed."""
    action: Action
    template: Template
    server: ServerCard | None


@dataclass(frozen=True)
class Preview:
    """A plan that waits for its Save button."""

    token: UUID
    plan: Plan


class MacroAdding:
    """`/macro add`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, wish: Wish) -> Preview:
        """Writes the question down that `/macro add` puts.

        Raises:
            Invalid, NotFound, NotPermitted, Conflict, Unsupported: nothing was written.
        """
        async with self._db.uow(actor) as tx:
            plan = await _understood(tx, wish)
            tx.audit("macro.add.ask", resource=("macro", None), name=plan.wish.name, text=plan.template.text)
            title = f"Save {plan.wish.name}?"
            question = await ask(tx, "macro.add", asdict(plan.wish), title=title, effect=[], verb="Save")
        return Preview(question.token, plan)

    async def saved(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Saves what was shown; the server, the permissions and the name are looked at again."""
        plan = await _understood(tx, Wish(**payload))
        macro_id = await _insert(tx, plan)
        tx.audit(
            "macro.add",
            resource=("macro", macro_id),
            name=plan.wish.name,
            type=plan.action.job_type.value,
            text=plan.template.text,
            server=plan.server.name if plan.server else None,
        )
        return Done(f"{safe(plan.wish.name)} is saved", f"`/macro run macro:{plan.wish.name}` runs it.")


async def _understood(tx: Tx, wish: Wish) -> Plan:
    action = ACTIONS.get(wish.action)
    if action is None or not action.text:
        raise Invalid(f"{safe(wish.action, 40)} is nothing that a macro can do.", f"It can {', '.join(MACROS)}.")
    try:
        name, template = rules.name_of(wish.name), rules.parse(text_of(action, wish.text))
    except ValueError as error:
        raise Invalid(f"{safe(str(error), 300)}.", "Nothing was saved.") from error
    if action.name == "console" and (first := rules.leads(template)):
        raise Invalid(
            f"{first.name} stands where the command stands, so whoever runs this could send any command.",
            "Begin with the command, or make it a choice; nothing was saved.",
        )
    description = " ".join(wish.description.split())
    if len(description) > _LONGEST_DESCRIPTION:
        raise Invalid(f"A description has at most {_LONGEST_DESCRIPTION} characters.", "Shorten it.")
    server = await _server(tx, wish.server, action)
    if await macros.card(tx.session, tx.actor.org, name=name):
        raise _taken(name)
    told = replace(wish, name=name, server=str(server.id) if server else "", description=description)
    return Plan(told, action, template, server)


async def _server(tx: Tx, ref: str, action: Action) -> ServerCard | None:
    """Where it will be run, all of which the author must be allowed: who runs it later need not be."""
    needed, session, org = (MANAGE, JOBS[action.job_type].permission), tx.session, tx.actor.org
    if ref.strip():
        server = await resolve(session, org, ref, tx.actor.scope(VIEW))
        for permission in needed:
            await tx.require(permission, server_id=server.id)
        must_be_able(server, action.capability)
        return server
    servers: Sequence[ServerCard] = await cards.servers(session, org, scope=EVERYWHERE, limit=None)
    for permission in needed:
        await tx.require(permission)  # of servers that come later
        await tx.require_on(permission, [server.id for server in servers])
    return None


async def _insert(tx: Tx, plan: Plan) -> UUID:
    values: dict[str, Any] = {
        "org": tx.actor.org,
        "server": plan.wish.server or None,
        "name": plan.wish.name,
        "description": plan.wish.description or None,
        "job_type": plan.action.job_type.value,
        "payload": {"text": plan.template.text},
        "params": [param.dump() for param in plan.template.params],
        "author": tx.actor.user_id,
        "now": clock.now(),
    }
    try:
        return await macros.add(tx.session, values)
    except IntegrityError as error:
        raise _taken(plan.wish.name) if constraint_of(error) == "uq_command_macros_org_name" else error from error


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a macro called {safe(name)} already.", "Choose another `name`; nothing was saved.")
