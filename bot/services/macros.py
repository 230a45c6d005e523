"""Macros as people run, list and remove them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from agent import wire
from bot.domain import macros as rules
from bot.domain.actions import OF_JOB_TYPE, Action
from bot.domain.actors import Actor
from bot.domain.macros import Param
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import Done, Question, ask
from bot.services.consoles import must_be_up, one_line
from bot.services.jobs_enqueue import Enqueued, enqueue
from bot.services.macros_adding import MANAGE
from bot.services.servers import PAGE, VIEW, Page, must_be_able, permitted, seen
from db.engine import Database
from db.queries import macros
from db.queries.cards import ServerCard
from db.queries.macros import MacroCard
from db.uow import Tx

RUN: Final = "macros.run"


@dataclass(frozen=True)
class Draft:
    """A macro that asks for values, and where it will be run."""

    macro: MacroCard
    params: tuple[Param, ...]
    server: ServerCard


@dataclass(frozen=True)
class Ran:
    """A macro that was given to a host."""

    macro: str
    server: str
    job_type: str
    text: str
    """What is sent."""
    where: str


class Macros:
    """What people do with macros that are there. New ones: `MacroAdding`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor, page: int = 0) -> Page[MacroCard]:
        """Those that the reader may run, by name."""
        async with self._db.read() as session:
            rows = await macros.cards(session, actor.org, scope=actor.sight(RUN), limit=PAGE + 1, offset=page * PAGE)
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str) -> list[MacroCard]:
        """For autocompletes."""
        if not actor.may(RUN):
            return []
        async with self._db.read() as session:
            return await macros.cards(session, actor.org, scope=actor.sight(RUN), words=words.strip(), limit=25)

    async def begin(self, actor: Actor, ref: str, server_ref: str) -> Draft | Question:
        """What the form of `/macro run` asks for; of a macro without parameters, the question before it is sent.

        Raises:
            NotFound, NotPermitted, Invalid, Unsupported, Conflict: it cannot be run there.
        """
        async with self._db.read() as session:
            macro = await self._macro(session, actor, ref)
            server = await seen(session, actor, server_ref, RUN)
            _must_suit(macro, server)
        params = tuple(map(Param.load, macro.params))
        return Draft(macro, params, server) if params else await self._ask(actor, macro, server)

    async def _ask(self, actor: Actor, macro: MacroCard, server: ServerCard) -> Question:
        async with self._db.uow(actor) as tx:
            await tx.require(macro.required_permission, server_id=server.id)
            tx.audit("macro.run.ask", resource=("macro", macro.id), name=macro.name, server=server.name)
            return await ask(
                tx,
                "macro.run",
                {"macro": str(macro.id), "server": str(server.id)},
                title=f"Run {safe(macro.name)} on {safe(server.name)}?",
                effect=[f"{_verb(_action(macro))}: {safe(macro.text, wire.CONSOLE_LINE_MAX)}"],
                verb=f"Run {macro.name}",
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Runs a macro without parameters."""
        ran = await self._run(tx, UUID(payload["macro"]), payload["server"], {})
        return Done(f"Sent to {safe(ran.server)}", ran.where)

    async def run(self, actor: Actor, macro_id: UUID, server_id: UUID, typed: Mapping[str, str]) -> Ran:
        """Runs a macro with what was entered in its form.

        Raises:
            NotFound, NotPermitted, Invalid, Unsupported, Conflict: nothing was sent.
        """
        async with self._db.uow(actor) as tx:
            return await self._run(tx, macro_id, str(server_id), typed)

    async def _run(self, tx: Tx, macro_id: UUID, server_ref: str, typed: Mapping[str, str]) -> Ran:
        server = await permitted(tx, server_ref, RUN)
        if not await macros.hold(tx.session, tx.actor.org, macro_id):
            raise NotFound("This macro was removed meanwhile.", "`/macro list` shows what there is; nothing was sent.")
        macro = await self._macro(tx.session, tx.actor, str(macro_id))
        await tx.require(macro.required_permission, server_id=server.id)
        _must_suit(macro, server)
        params = tuple(map(Param.load, macro.params))
        if {param.name for param in params} != set(typed):
            raise Invalid("This form is not one of ours.", "Give the command again; nothing was sent.")
        values = _entered(params, typed)
        job = await _send(tx, macro, server, values)
        text = rules.filled(macro.text, values)
        tx.audit(
            "macro.run",
            resource=("macro", macro.id),
            name=macro.name,
            server=server.name,
            jobId=str(job.id),
            number=job.number,
            text=text,
        )
        return Ran(macro.name, server.name, macro.job_type, text, job.where)

    async def ask_remove(self, actor: Actor, ref: str) -> Question:
        async with self._db.uow(actor) as tx:
            macro = await self._macro(tx.session, actor, ref)
            await tx.require(MANAGE, server_id=macro.server_id)
            tx.audit("macro.remove.ask", resource=("macro", macro.id), name=macro.name)
            return await ask(
                tx,
                "macro.remove",
                {"macro": str(macro.id)},
                title=f"Remove {safe(macro.name)}?",
                effect=[f"Nobody can run it any more: {safe(macro.text, 300)}", "What it has begun goes on."],
                verb="Remove the macro",
            )

    async def removed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Carries a confirmed removal out."""
        await macros.lock(tx.session, tx.actor.org, UUID(payload["macro"]))
        macro = await self._macro(tx.session, tx.actor, payload["macro"])
        await tx.require(MANAGE, server_id=macro.server_id)
        await macros.remove(tx.session, tx.actor.org, macro.id)
        tx.audit("macro.remove", resource=("macro", macro.id), name=macro.name, text=macro.text)
        return Done(f"{safe(macro.name)} is removed", "What it has begun goes on.")

    async def _macro(self, session: AsyncSession, actor: Actor, ref: str) -> MacroCard:
        text = ref.strip()
        try:
            found = await macros.card(session, actor.org, macro_id=UUID(text))
        except ValueError:
            found = await macros.card(session, actor.org, name=text.lower())
        if found is None or (found.server_id and not actor.may_on(VIEW, found.server_id)):
            known = await macros.cards(session, actor.org, scope=actor.sight(RUN), limit=10)
            listed = f"Macros here: {joined([safe(macro.name) for macro in known], 300)}."
            raise NotFound("There is no such macro here.", listed if known else "`/macro add` makes one.")
        return found


def _action(macro: MacroCard) -> Action:
    return OF_JOB_TYPE[macro.job_type]


def _verb(action: Action) -> str:
    return "Announces" if action.name == "announce" else "Sends to the console"


def _must_suit(macro: MacroCard, server: ServerCard) -> None:
    if macro.server_id and macro.server_id != server.id:
        there = safe(macro.server_name or "") if not macro.server_gone else "a server that was removed"
        raise Conflict(f"{safe(macro.name)} is for {there} only.", "Nothing was sent.")
    must_be_able(server, _action(macro).capability)
    must_be_up(server)


def _entered(params: tuple[Param, ...], typed: Mapping[str, str]) -> dict[str, str]:
    try:
        return {param.name: rules.entered(param, typed.get(param.name, "")) for param in params}
    except ValueError as error:
        raise Invalid(f"{safe(str(error), 300)}.", "Nothing was sent; give the command again.") from error


async def _send(tx: Tx, macro: MacroCard, server: ServerCard, values: Mapping[str, str]) -> Enqueued:
    """Numbers and choices are the author's words and go into the line as they are; a text that was typed is quoted on
    the host, which knows how the game reads a line."""
    action = _action(macro)
    text = one_line(rules.filled(macro.text, values), action.text)
    free = {param["name"] for param in macro.params if param["kind"] == "text"}
    typed = {name: value for name, value in values.items() if name in free}
    fixed = {name: value for name, value in values.items() if name not in free}
    carried = (
        wire.Announce(text=text)
        if action.name == "announce"
        else wire.ConsoleCommand(command=one_line(rules.filled(macro.text, fixed), action.text), values=typed)
    )
    return await enqueue(
        tx,
        type=action.job_type,
        server_id=server.id,
        host_id=server.host_id,
        params=carried,
        source="macro",
        macro_id=macro.id,
    )
