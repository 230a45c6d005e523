"""C1 and C2: a question with an effect, a button that counts once, for two minutes, for the one who asked."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from db.engine import Database
from db.queries import confirmations
from db.uow import Tx

AGAIN = "Give the command again."


@dataclass(frozen=True)
class Done:
    """What a confirmed action did: a sentence, and where its progress can be followed."""

    title: str
    text: str = ""


@dataclass(frozen=True)
class Choice:
    """Another way to confirm a question: its button, and what differs from the payload then."""

    key: str
    label: str
    changes: dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question that was written down: what will happen, and the token of its button."""

    token: UUID
    title: str
    effect: tuple[str, ...]
    verb: str
    typed: str = ""
    """C2: what has to be typed."""
    choices: tuple[Choice, ...] = ()
    choices_first: bool = False
    """They are what is proposed."""


Perform = Callable[[Tx, dict[str, Any]], Awaitable[Done]]


async def ask(
    tx: Tx,
    action: str,
    payload: dict[str, Any],
    *,
    title: str,
    effect: list[str],
    verb: str,
    typed: str = "",
    choices: Sequence[Choice] = (),
    choices_first: bool = False,
) -> Question:
    """Writes the question down, in the transaction that checked that the actor may ask it."""
    if tx.actor.user_id is None:
        raise Invalid("Only a person can confirm this.")
    stored = {**payload, "typed": typed} if typed else payload
    if choices:
        stored = {**stored, "choices": {choice.key: choice.changes for choice in choices}}
    token = await confirmations.ask(
        tx.session, org_id=tx.actor.org, user_id=tx.actor.user_id, action=action, payload=stored, now=clock.now()
    )
    return Question(token, title, tuple(effect), verb, typed, tuple(choices), choices_first)


class Confirmations:
    """Carries confirmed actions out: the button is consumed in the transaction of its effect."""

    def __init__(self, db: Database, performers: Mapping[str, Perform]) -> None:
        self._db = db
        self._performers = performers

    async def press(self, actor: Actor, token: UUID, typed: str | None = None, *, choice: str = "") -> Done:
        """Does what was asked, or the `choice` of it. A second press, whichever, is shown the first result.

        Raises:
            NotFound, Conflict, Invalid: no such question, somebody else's, too late, or the wrong name was typed.
        """
        async with self._db.uow(actor) as tx:
            question = await self._own(tx, token)
            wanted = str(question.payload.get("typed", ""))
            if wanted and not question.consumed and (typed or "").strip().lower() != wanted.lower():
                raise Invalid(
                    f"That is not the name. Nothing was done; it is {safe(wanted)}.", "Press the button again."
                )
            taken = await confirmations.consume(tx.session, actor.org, question.user_id, token)
            if taken is None:
                return await self._late(tx, token)
            action, payload = taken
            if choice:
                payload = {**payload, **_chosen(payload, choice)}
            done = await self._performers[action](tx, payload)
            await confirmations.remember_result(tx.session, actor.org, token, json.dumps([done.title, done.text]))
            return done

    async def _own(self, tx: Tx, token: UUID) -> confirmations.Question:
        if tx.actor.user_id is None:
            raise Invalid("Only a person can confirm this.")
        question = await confirmations.state(tx.session, tx.actor.org, token)
        if question is None:
            raise NotFound("There is nothing to confirm here any more.", AGAIN)
        if question.user_id != tx.actor.user_id:
            raise Conflict("This question was put to somebody else.", AGAIN)
        return question

    async def _late(self, tx: Tx, token: UUID) -> Done:
        # read again: the transaction that consumed it may have committed only now
        question = await confirmations.state(tx.session, tx.actor.org, token)
        result = question.payload.get("result") if question else None
        if result:
            # who waited for the other press has locked the question, which counts as a write
            tx.audit("confirmation.again", resource=("confirmation", token))
            return Done(*result)
        raise Conflict("The two minutes for this are over; nothing was done.", AGAIN)

    async def dismiss(self, actor: Actor, token: UUID) -> Done | None:
        """Takes the question back. None: nothing was done; otherwise it was pressed before, with this result.

        Raises:
            NotFound, Conflict, Invalid: no such question, somebody else's, or too late.
        """
        async with self._db.uow(actor) as tx:
            question = await self._own(tx, token)
            if await confirmations.consume(tx.session, actor.org, question.user_id, token) is None:
                return await self._late(tx, token)
            tx.audit("confirmation.dismiss", resource=("confirmation", token))
            return None

    async def expected(self, actor: Actor, token: UUID) -> str:
        """What has to be typed for a C2 question."""
        async with self._db.read() as session:
            question = await confirmations.state(session, actor.org, token)
        if question is None or question.consumed or question.expired or question.user_id != actor.user_id:
            raise Conflict("There is nothing to confirm here any more.", AGAIN)
        return str(question.payload.get("typed", ""))


def _chosen(payload: dict[str, Any], choice: str) -> dict[str, Any]:
    """What differs with a choice.

    Raises:
        Invalid: the question does not offer it.
    """
    try:
        return payload["choices"][choice]
    except KeyError as error:
        raise Invalid("This question has no such choice. Nothing was done.", AGAIN) from error
