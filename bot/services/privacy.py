"""What is kept about a person: handed out to them, and forgotten when they ask for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor, system
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.attachments import Attachment, written
from bot.services.audit import EVERYTHING
from bot.services.audit_export import plain as audit_row
from db.engine import Database
from db.queries import access_write, audit, audit_write, bans, privacy
from db.queries.audit import Filter
from db.queries.privacy import Footprint
from db.uow import Tx

WORDS: Final = "forget me"
"""What has to be typed."""
PATIENCE: Final = 120
"""Seconds from the question to the typed words."""
_BATCH: Final = 500
Page = Callable[[int], Awaitable[list[tuple[int, dict[str, Any]]]]]
"""Rows after an id, oldest first, each with its id."""


@dataclass(frozen=True)
class Plan:
    """What would go, and where."""

    username: str
    orgs: list[Footprint]
    asked_at: datetime


@dataclass(frozen=True)
class Forgotten:
    """What went. `left`: orgs in which only the owner of the Discord server can change rights now."""

    orgs: list[Footprint]
    left: list[str]


class Privacy:
    """`/my export` and `/my forget`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ------------------------------------------------------------------------------------------------------- handed out

    async def export(self, actor: Actor) -> Attachment:
        """Everything about the asker as JSON: of this org, or of every one where they ask in a direct message.

        Raises:
            Invalid: it is more than Discord takes.
        """
        user_id, limit = _person(actor), actor.invocation.file_limit if actor.invocation else 0
        ask = "Ask in each community by itself." if actor.org_id is None else "Ask whoever runs the bot for it."
        return await written(f"my-data-{clock.now():%Y-%m-%d}.json", self._pieces(actor, user_id), limit, ask)

    async def _pieces(self, actor: Actor, user_id: UUID) -> AsyncIterator[bytes]:
        async with self._db.read() as session:
            known = await privacy.profile(session, user_id)
        if known is None:
            raise NotFound("Nothing is kept about you.", "There is nothing to export.")
        yield _text({"exportedAt": clock.now(), "account": asdict(known)})[:-2].encode()
        for name in privacy.PARTS:
            async with self._db.read() as session:
                rows = await privacy.part(session, name, user_id, actor.org_id)
            yield f",\n{json.dumps(name)}: {_text(rows)}".encode()
        for name, page in (("sessions", self._sessions), ("bans", self._bans), ("auditEntries", self._entries)):
            yield f",\n{json.dumps(name)}: [".encode()
            async for piece in _listed(lambda after, page=page: page(actor, user_id, after)):
                yield piece
            yield b"]"
        yield b"\n}\n"

    async def _sessions(self, actor: Actor, user_id: UUID, after: int) -> list[tuple[int, dict[str, Any]]]:
        async with self._db.read() as session:
            rows = await privacy.stays(session, user_id, actor.org_id, after=after, limit=_BATCH)
        return [(row.id, asdict(row)) for row in rows]

    async def _bans(self, actor: Actor, user_id: UUID, after: int) -> list[tuple[int, dict[str, Any]]]:
        """As `/my bans` shows them: nothing that staff wrote for staff."""
        async with self._db.read() as session:
            rows = await bans.mine(session, user_id, actor.org_id, limit=_BATCH, offset=after)
        return [(number, asdict(row)) for number, row in enumerate(rows, after + 1)]

    async def _entries(self, actor: Actor, user_id: UUID, after: int) -> list[tuple[int, dict[str, Any]]]:
        async with self._db.read() as session:
            if actor.org_id is None:
                rows = await audit.own(session, user_id, after=after, limit=_BATCH)
            else:
                wanted = Filter(by=actor.discord_id)
                rows = await audit.page(session, actor.org_id, wanted, EVERYTHING, after=after, limit=_BATCH)
        return [(row.id, {**audit_row(row), **({"community": row.guild} if row.guild else {})}) for row in rows]

    # ------------------------------------------------------------------------------------------------------- forgotten

    async def plan(self, actor: Actor) -> Plan:
        """What would be forgotten, and what would stay."""
        user_id, discord_id = _person(actor), actor.discord_id or 0
        async with self._db.read() as session:
            known = await privacy.profile(session, user_id)
            orgs = await privacy.footprint(session, user_id, discord_id, clock.now())
        return Plan(known.username if known else actor.name, orgs, clock.now())

    async def forget(self, actor: Actor, asked: int, typed: str) -> Forgotten:
        """Forgets the asker in every org at once; `asked`: when they saw what goes, in seconds of the epoch. Whoever
        uses the bot again is somebody new to it.

        Raises:
            Invalid: something else was typed.
            Conflict: it was asked too long ago, or an org would be left without administrator.
        """
        if " ".join(typed.lower().split()) != WORDS:
            raise Invalid(f"That is not `{WORDS}`. Nothing was forgotten.", "Press the button again.")
        if not 0 <= clock.now().timestamp() - asked <= PATIENCE:
            raise Conflict("The two minutes for this are over; nothing was forgotten.", "Give the command again.")
        user_id, discord_id = _person(actor), actor.discord_id or 0
        async with self._db.uow(actor) as tx:
            seen = await privacy.footprint(tx.session, user_id, discord_id, clock.now())
            await privacy.lock_orgs(tx.session, [org.id for org in seen])
            if not await privacy.lock(tx.session, user_id, discord_id):
                raise NotFound("You are forgotten already.", "There is nothing left to do.")
            orgs = await privacy.footprint(tx.session, user_id, discord_id, clock.now())
            if {org.id for org in orgs} - {org.id for org in seen}:
                raise Conflict("You came to another community in this moment.", "Press the button again.")
            left = await _forgotten(tx, user_id, orgs)
            await _written_down(tx, user_id, orgs)
        return Forgotten(orgs, left)


async def _forgotten(tx: Tx, user_id: UUID, orgs: Sequence[Footprint]) -> list[str]:
    """Names of the orgs that are left to their owner alone."""
    now = clock.now()
    ruled = [org for org in orgs if org.role and await access_write.administered(tx.session, org.id, now)]
    await privacy.forget(tx.session, user_id, tx.actor.discord_id or 0, now)
    left = [org for org in ruled if not await access_write.administered(tx.session, org.id, now)]
    needed = [org.name for org in left if not (org.owned or (org.id == tx.actor.org_id and tx.actor.break_glass))]
    if needed:
        raise Conflict(
            f"You are the last administrator of {joined([safe(name) for name in needed], 200)}; nothing was forgotten.",
            "Make somebody else one first, with `/access grant` there, or let its owner take your role away.",
        )
    return [org.name for org in left]


async def _written_down(tx: Tx, user_id: UUID, orgs: Sequence[Footprint]) -> None:
    """An entry in the log of every org, none of which says who it was."""
    here = next((org for org in orgs if org.id == tx.actor.org_id), None)
    elsewhere = [org for org in orgs if org is not here]
    tx.actor = replace(tx.actor, discord_id=None)
    tx.audit("user.forget", resource=("user", user_id), **(_facts(here) if here else {}), communities=len(orgs))
    rows = [
        audit_write.row_of(
            system("my.forget", org.id), "user.forget", "success", resource=("user", user_id), details=_facts(org)
        )
        for org in elsewhere
    ]
    if rows:
        await audit_write.write_many(tx.session, rows)
    for org in orgs:
        await tx.notify("gk_access", str(org.id))


def _facts(org: Footprint) -> dict[str, Any]:
    held = {"denials": org.denials, "serverRoles": org.server_roles}
    facts = {"exceptions": org.exceptions, "players": len(org.players), "kept": held}
    return {"role": org.role, **facts} if org.role else facts


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Invalid("Only a person can ask for this.")
    return actor.user_id


async def _listed(page: Page) -> AsyncIterator[bytes]:
    """The elements of a list, as many as one statement gives at a time."""
    after, between = 0, "\n"
    while rows := await page(after):
        yield (between + ",\n".join(_text(row, indent=None) for _, row in rows)).encode()
        after, between = rows[-1][0], ",\n"
        if len(rows) < _BATCH:
            return


def _text(value: Any, indent: int | None = 1) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
