"""`/ban lift`: the question, and the end of a case."""

from typing import Any

from bot.domain import bans as rules
from bot.domain.actors import Actor
from bot.domain.words import count, joined, safe
from bot.errors import Conflict
from bot.services.bans import no_such_case, number_of
from bot.services.bans_ending import end
from bot.services.bans_scope import must_reach
from bot.services.bans_words import one_line
from bot.services.confirmations import Done, Question, ask
from db.engine import Database
from db.queries import ban_addresses, ban_entries, bans, bans_write
from db.queries.bans_write import Locked
from db.uow import Tx


class BanLifting:
    """Ends cases before their time."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def ask(self, actor: Actor, ref: str, reason: str) -> Question:
        """Writes the question down that `/ban lift` puts."""
        number, words = number_of(ref), one_line(reason, "The reason", rules.REASON_MAX)
        async with self._db.uow(actor) as tx:
            case = await self._checked(tx, number)
            receipts = await bans.receipts(tx.session, actor.org, case.id)
            told = [safe(one.server_name) for one in receipts if one.applied_state or one.sync_status == "syncing"]
            tx.audit("ban.lift.ask", resource=("ban", case.id), number=number, reason=words)
            return await ask(
                tx,
                "ban.lift",
                {"number": number, "reason": words},
                title=f"Lift B-{number}?",
                effect=[
                    f"**{safe(case.name) or 'A player who was never seen'}** may play again"
                    + (f" on {joined(told)}." if told else "; no server was told of the ban yet."),
                    *await _kept_out(tx, case),
                    f"Was banned for: {safe(case.reason, 200)}",
                    f"Lifted because: {safe(words, 200)}",
                    "The history of the case stays. `/ban add` bans them again.",
                ],
                verb=f"Lift B-{number}",
            )

    async def confirmed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Does what `ask` asked. What is still being applied is taken back as soon as that is done."""
        case = await self._checked(tx, payload["number"])
        servers = await end(tx, case.id, "revoked", reason=payload["reason"], details={"reason": payload["reason"]})
        tx.audit("ban.lift", resource=("ban", case.id), number=case.number, reason=payload["reason"])
        words = [
            f"{count(len(servers), 'server')} will let them in again." if servers else "No server had it.",
            *await _kept_out(tx, case),
        ]
        return Done(f"B-{case.number} is lifted", "\n".join([*words, f"`B-{case.number}` · `/ban show`"]))

    async def _checked(self, tx: Tx, number: int) -> Locked:
        case = await bans_write.lock(tx.session, tx.actor.org, number=number)
        if case is None:
            await tx.require("bans.revoke")
            raise no_such_case(number)
        entries = await ban_entries.of_case(tx.session, tx.actor.org, case.id)
        servers = frozenset(entry.server_id for entry in entries)
        await must_reach(tx, "bans.revoke", servers, everywhere=case.everywhere)
        if case.status != "active":
            words = "was lifted" if case.status == "revoked" else "has ended by itself"
            raise Conflict(f"B-{number} is over: it {words} already.", "`/ban show` has its history.")
        return case


async def _kept_out(tx: Tx, case: Locked) -> list[str]:
    """Whose ban goes on with the same address."""
    others = await ban_addresses.with_the_same(tx.session, tx.actor.org, case.id)
    if not others:
        return []
    numbers = joined([f"`B-{one.number}`" for one in others], 200)
    return [f"Their address is banned in {numbers}, too: where a game bans by address, it stays."]
