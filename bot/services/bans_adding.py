"""`/ban add`: the preview, and the one transaction that opens a case or changes the one that there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from bot import clock
from bot.domain import ban_terms, bans
from bot.domain.actors import Actor
from bot.domain.ban_ids import decisive, usable
from bot.domain.ban_terms import Term
from bot.domain.bans import Change, Standing, Wish
from bot.domain.words import count
from bot.errors import Conflict, Invalid
from bot.services import bans_ending, outbox
from bot.services import bans_words as words
from bot.services.bans_people import Somebody, somebody
from bot.services.bans_scope import Scope, must_reach, scope
from bot.services.bans_sharing import Sharing, sharing
from bot.services.bans_syncing import edit_notices, start
from bot.services.bans_words import Target
from bot.services.confirmations import Done, Question, ask
from bot.services.servers import VIEW, names
from db.engine import Database
from db.queries import ban_entries, bans_write, config
from db.queries import bans as cases
from db.queries.ban_entries import Place
from db.queries.bans import PastCase
from db.queries.bans_write import Active
from db.uow import Tx


@dataclass(frozen=True)
class Preview:
    """What `/ban add` would do, with the question that stands below it."""

    question: Question
    number: int
    who: Somebody
    past: tuple[PastCase, ...]
    reason: str
    kick_text: str
    until: datetime | None
    zone: str
    targets: tuple[Target, ...]
    denied: tuple[str, ...]
    note: str
    sharing: Sharing | None = None
    existing: Active | None = None
    change: Change | None = None


@dataclass(frozen=True)
class _Asked:
    """A ban as it was asked for, checked and with everything looked up."""

    who: Somebody
    scope: Scope
    reason: str
    until: datetime | None
    existing: Active | None
    at: datetime
    ended: dict[UUID, list[UUID]]
    """Cases whose time was over, only nobody had come by to end them; with the servers that have to forget them."""


class BanAdding:
    """Bans people. One case a person: banning somebody again changes their case."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(
        self, actor: Actor, player: str, reason: str, *, duration: str = "", server: str = "", note: str = ""
    ) -> Preview:
        """Writes the question down that `/ban add` puts, and what its preview shows."""
        text, remark = words.one_line(reason, "The reason", bans.REASON_MAX), words.note(note)
        async with self._db.uow(actor) as tx:
            where = await scope(tx, "bans.create", server)
            zone = await config.zone(tx.session, actor.org)
            term = words.term(duration, zone)
            who = await somebody(tx.session, actor.org, player, where.ban_by, actor.scope(VIEW))
            asked = await self._asked(tx, who, where, text, term, expected=None)
            number = asked.existing.number if asked.existing else await bans_write.next_number(tx.session, actor.org)
            targets = _targets(asked, await self._concerned(tx, asked))
            question = await ask(
                tx,
                "ban.add",
                _payload(asked, term, remark),
                title=f"Change ban B-{number}?" if asked.existing else "Ban this player?",
                effect=[],
                verb=_verb(asked, targets),
            )
            case = asked.existing.number if asked.existing else None
            tx.audit("ban.add.ask", resource=("player", who.player_id), reason=text, case=case)
            past = await cases.past(tx.session, actor.org, who.sure_player, who.identities)
            existing = asked.existing.id if asked.existing else None
            shared = await sharing(tx.session, actor.org, who, existing)
        denied = tuple(names(actor, where.denied))
        return _preview(asked, question, number, targets, past, shared, denied=denied, zone=zone, note=remark)

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does what `ask` asked; everything is checked again, it may have changed meanwhile."""
        where = await scope(tx, "bans.create", payload["server"])
        identities = frozenset((kind, value) for kind, value in payload["identities"])
        player = UUID(payload["player"]) if payload["player"] else None
        who = Somebody(player, payload["name"], (), identities)
        term = ban_terms.restored(payload["term"])
        asked = await self._asked(tx, who, where, payload["reason"], term, expected=payload["case"] or 0)
        if asked.existing:
            return await self._changed(tx, asked, asked.existing, payload["note"])
        return await self._opened(tx, asked, payload["note"])

    async def _asked(
        self, tx: Tx, who: Somebody, where: Scope, reason: str, term: Term, *, expected: int | None
    ) -> _Asked:
        """`expected`: the case that the preview was about, 0 for a new one; None: there was no preview yet."""
        now = clock.now()
        if bans.ends(term.until(now), now):
            raise Invalid("That end is over meanwhile; nothing was done.", "Give the command again with a later one.")
        if expected is not None:
            await bans_write.take_turn(tx.session, tx.actor.org, who.sure_player, who.identities)
        found: list[Active] = []
        ended: dict[UUID, list[UUID]] = {}
        for case in await bans_write.active(tx.session, tx.actor.org, who.sure_player, who.identities):
            if not bans.ends(case.expires_at, now):
                found.append(case)
            elif expected is not None:
                ended[case.id] = await bans_ending.close(tx, case.id, "expired", details={})
        if len(found) > 1:
            numbers = " and ".join(f"B-{case.number}" for case in found)
            raise Conflict(f"These ids are in two cases: {numbers}.", "Lift one of them first with `/ban lift`.")
        existing = found[0] if found else None
        if expected is not None and (existing.number if existing else 0) != expected:
            raise words.overtaken(existing, expected)
        if existing:
            await must_reach(tx, "bans.create", frozenset(existing.servers), everywhere=existing.everywhere)
        asked = _Asked(who, where, reason, term.until(now), existing, now, ended)
        if not any(target.kinds for target in _targets(asked, where.places)):
            raise words.nowhere(where)
        if existing and _change(asked) is None:
            raise Conflict(f"B-{existing.number} says this already; nothing was changed.", words.AGAIN)
        return asked

    async def _concerned(self, tx: Tx, asked: _Asked) -> Sequence[Place]:
        """The servers that have to hear of it: those asked for, and those that have the case already."""
        if asked.existing is None:
            return asked.scope.places
        wanted = {place.id for place in asked.scope.places} | set(asked.existing.servers)
        return [place for place in await ban_entries.places(tx.session, tx.actor.org) if place.id in wanted]

    async def _opened(self, tx: Tx, asked: _Asked, note: str) -> Done:
        org_id, now, who = tx.actor.org, asked.at, asked.who
        values = {"player": who.player_id, "name": who.name, "reason": asked.reason, "until": asked.until}
        everywhere = asked.scope.everywhere
        ban_id, number = await bans_write.open_case(
            tx.session, {**values, "org": org_id, "everywhere": everywhere, "now": now, "by": tx.actor.user_id}
        )
        await self._identify(tx, ban_id, who.identities)
        targets = _targets(asked, asked.scope.places)
        await self._wish(tx, ban_id, targets)
        details = {**words.told(asked.reason, asked.until), "servers": [target.place.name for target in targets]}
        await self._tell(tx, ban_id, "created", details, note)
        await self._start(tx, asked, targets)
        await edit_notices(tx, asked.ended)
        channel = await self._post(tx, ban_id)
        tx.audit("ban.add", resource=("ban", ban_id), number=number, reason=asked.reason, until=words.iso(asked.until))
        return Done(f"B-{number}: {words.named(who.name)} is banned", words.where(number, targets, channel))

    async def _changed(self, tx: Tx, asked: _Asked, case: Active, note: str) -> Done:
        change = _change(asked)
        if change is None:
            raise AssertionError(f"B-{case.number}: checked above")
        await bans_write.change(
            tx.session,
            tx.actor.org,
            case.id,
            reason=change.reason,
            until=change.until,
            everywhere=change.everywhere,
        )
        await self._identify(tx, case.id, change.new_identities)
        targets = _targets(asked, await self._concerned(tx, asked))
        await self._wish(tx, case.id, targets)
        added = [target.place.name for target in targets if target.place.id in change.new_servers]
        details = {
            **words.told(change.reason, change.until),
            "was": words.told(case.reason, case.expires_at),
            **({"servers": added} if added else {}),
        }
        await self._tell(tx, case.id, "edited", details, note)
        await self._start(tx, asked, targets)
        await edit_notices(tx, [case.id, *asked.ended])
        tx.audit("ban.edit", resource=("ban", case.id), number=case.number, **details)
        return Done(f"B-{case.number} was changed", words.where(case.number, targets, None))

    async def _identify(self, tx: Tx, ban_id: UUID, identities: frozenset[tuple[str, str]]) -> None:
        """Puts the identities to the case. The index decides between two who ban the same person at once."""
        missed = identities - await bans_write.identify(tx.session, tx.actor.org, ban_id, identities)
        if missed:
            others = await bans_write.active(tx.session, tx.actor.org, None, missed)
            raise words.overtaken(next((case for case in others if case.id != ban_id), None), 0)

    async def _wish(self, tx: Tx, ban_id: UUID, targets: Sequence[Target]) -> None:
        rows = [(ban_id, target.place.id, "pending" if target.kinds else "unsupported") for target in targets]
        await ban_entries.wish(tx.session, tx.actor.org, rows, clock.now())

    async def _start(self, tx: Tx, asked: _Asked, targets: Sequence[Target]) -> None:
        await start(tx, {*(target.place.id for target in targets), *chain(*asked.ended.values())})

    async def _tell(self, tx: Tx, ban_id: UUID, kind: str, details: dict[str, Any], note: str) -> None:
        by, now = tx.actor.user_id, clock.now()
        await bans_write.tell(tx.session, tx.actor.org, ban_id, kind, details, by=by, now=now)
        if note:
            await bans_write.tell(tx.session, tx.actor.org, ban_id, "note", {"text": note}, by=by, now=now)

    async def _post(self, tx: Tx, ban_id: UUID) -> int | None:
        """The notice, in the channel for bans; None: there is none to post in."""
        channel = await outbox.channel_for(tx, tx.actor, "bans")
        if channel:
            await outbox.post_tracked(tx, "ban_notice", ban_id, channel, "ban.created")
        return channel


def _payload(asked: _Asked, term: Term, note: str) -> dict[str, Any]:
    """What the button has to know when it is pressed."""
    scope, who = asked.scope, asked.who
    return {
        "player": str(who.player_id) if who.player_id else None,
        "name": who.name,
        "identities": sorted(who.identities),
        "reason": asked.reason,
        "term": term.stored(),
        "server": str(scope.named) if scope.named else "",
        "note": note,
        "case": asked.existing.number if asked.existing else None,
    }


def _preview(
    asked: _Asked,
    question: Question,
    number: int,
    targets: tuple[Target, ...],
    past: Sequence[PastCase],
    shared: Sharing | None,
    *,
    denied: tuple[str, ...],
    zone: str,
    note: str,
) -> Preview:
    change = _change(asked)
    return Preview(
        question=question,
        number=number,
        who=asked.who,
        past=tuple(past),
        reason=asked.reason,
        kick_text=bans.kick_text(number, asked.reason),
        until=change.until if change else asked.until,
        zone=zone,
        targets=targets,
        denied=denied,
        note=note,
        sharing=shared,
        existing=asked.existing,
        change=change,
    )


def _change(asked: _Asked) -> Change | None:
    case = asked.existing
    if case is None:
        return None
    standing = Standing(
        case.number,
        case.reason,
        case.expires_at,
        frozenset(case.servers),
        case.everywhere,
        frozenset((kind, value) for kind, value in case.identities),
    )
    servers = frozenset(place.id for place in asked.scope.places)
    wish = Wish(asked.reason, asked.until, servers, asked.scope.everywhere, asked.who.identities)
    return bans.change(standing, wish)


def _targets(asked: _Asked, places: Sequence[Place]) -> tuple[Target, ...]:
    known = {kind for kind, _ in asked.who.identities}
    known |= {kind for kind, _ in asked.existing.identities} if asked.existing else set()
    return tuple(Target(place, tuple(decisive(usable(known, place.ban_by, place.capabilities)))) for place in places)


def _verb(asked: _Asked, targets: Sequence[Target]) -> str:
    where = f"on {count(sum(bool(target.kinds) for target in targets), 'server')}"
    return f"Change the ban {where}" if asked.existing else f"Ban {where}"
