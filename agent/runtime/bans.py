"""Bringing a game's own list of bans to what people want, one item at a time, and reading there that it is so.

Doing it twice changes nothing: what the list shows already is not sent again, and nothing is remembered in between.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from agent import wire
from agent.errors import TaskFailed
from agent.runtime.bans_plan import LOOPBACK, Plan, plans, receipt
from agent.runtime.instance import Instance
from agent.runtime.starting import TELL_EVERY, Report
from agent.wire import Step
from games.bans import BanList, Known, amount, stored
from games.catalog import GameTemplate
from games.consoles import Answer, Console, PlayerRow
from games.lines import cleaned

READS: Final = 3
"""Attempts at a whole list: another line of the game can fall into it."""
ANSWER_WAIT: Final = 10.0
KEPT_BACK: Final = 30.0
"""Seconds of the job's time, or a quarter of it, that are left for reading what was done."""
TEXT_MAX: Final = 200
NAME_MAX: Final = 128


async def sync(
    server: Instance, items: Sequence[wire.BanItem], report: Report, seconds: float
) -> list[wire.BanReceipt]:
    """A receipt for each item, within `seconds`. What is not up, or not answering, is waited for: no failure."""
    template = server.template()
    if template.bans is None:
        return _all(items, "unsupported", f"{template.name} has no bans that this host could set.")
    end = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            await server.banning.acquire()
    except TimeoutError:
        return _all(items, "waiting", "Another job is still at the game's list of bans.")
    try:
        return await _in_turn(server, template, items, report, end - time.monotonic())
    finally:
        server.banning.release()


async def _in_turn(
    server: Instance, template: GameTemplate, items: Sequence[wire.BanItem], report: Report, seconds: float
) -> list[wire.BanReceipt]:
    if not server.process.alive or not server.memory.facts.ready:
        return _all(items, "waiting", f"`{server.spec.slug}` is not up.")
    await report(Step.APPLYING, "")
    try:
        console = server.console()
    except TaskFailed as gone:  # it ended a moment ago
        return _all(items, "waiting", str(gone))
    return await _Sync(console, template, items, report, seconds).receipts()


def _all(items: Sequence[wire.BanItem], outcome: str, detail: str) -> list[wire.BanReceipt]:
    return [
        wire.BanReceipt.model_validate(
            {"entry_id": item.entry_id, "revision": item.revision, "outcome": outcome, "detail": detail}
        )
        for item in items
    ]


class _Silent(Exception):
    """The console does not answer any more, or the time is over; what was sent last may have been done."""


class _Sync:
    """One pass over the items."""

    def __init__(
        self, console: Console, template: GameTemplate, items: Sequence[wire.BanItem], report: Report, seconds: float
    ) -> None:
        self._console, self._template, self._items, self._report = console, template, items, report
        self._end = time.monotonic() + seconds
        self._send_until = self._end - min(KEPT_BACK, seconds / 4)
        self._told = time.monotonic()
        self._before = BanList()
        self._wanted: frozenset[Known] = frozenset()
        self._refused: dict[UUID, str] = {}
        """The game's words, by item."""

    async def receipts(self) -> list[wire.BanReceipt]:
        """Read, send what is missing, read again."""
        self._before = await self._list()
        if not self._before.complete:
            return _all(self._items, "waiting", "The game's list of bans could not be read.")
        decided = plans(self._items, self._template, self._before, self._own_addresses(), _now())
        self._wanted = frozenset(one for plan in decided if plan.banned for one in plan.by)
        tried = await self._send_all(decided)
        await self._report(Step.VERIFYING, "")
        after = await self._list() if any(plan.send for plan in decided) else self._before
        await self._drop(decided, after)
        return [
            receipt(plan, self._template, after, self._refused.get(entry, ""), _now(), tried=entry in tried)
            for plan in decided
            for entry in (plan.item.entry_id,)
        ]

    def _own_addresses(self) -> frozenset[str]:
        if "own_address" not in self._template.identity.protect:
            return frozenset()
        address = self._console.own_address
        return LOOPBACK if address is None else LOOPBACK | {address}

    async def _list(self) -> BanList:
        listed = BanList()
        for _ in range(READS):
            if listed.complete or time.monotonic() >= self._end:
                break
            listed = await self._console.bans(timeout=self._left(self._end))
        return listed

    # --------------------------------------------------------------------------------------------------- sending

    async def _send_all(self, decided: Sequence[Plan]) -> set[UUID]:
        """Those that were seen to, until the time is over or the console falls silent."""
        tried: set[UUID] = set()
        for number, plan in enumerate(decided):
            if plan.send:
                if time.monotonic() >= self._send_until:
                    break
                await self._tell(number)
                try:
                    await self._send(plan)
                except _Silent:
                    break
            tried.add(plan.item.entry_id)
        return tried

    async def _tell(self, number: int) -> None:
        """Now and then; it is also the chance to cancel, between two items."""
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            await self._report(Step.APPLYING, f"{number} of {len(self._items)}")

    async def _send(self, plan: Plan) -> None:
        if not plan.banned:
            for one in plan.send:
                await self._ask(plan, "unban", {"target": _target(one)})
            return
        if self._hides(plan):
            await self._kick(dict.fromkeys(plan.by, plan.item.reason))
        for one in plan.send:
            if not await self._ban(plan, one):
                await self._ban(plan, one)  # whoever it was put down to is disconnected now

    def _hides(self, plan: Plan) -> bool:
        """Somebody who is on is banned by the first kind of id that the game has of him. If that is none of those that
        are wanted, the ban would be put down to an id that nobody lifts; so he is not on when it is made."""
        return plan.by[0][0] != self._template.identity.ban_by[0]

    async def _ban(self, plan: Plan, one: Known) -> bool:
        """False: the game understood somebody else, which was taken back."""
        answer = await self._ask(plan, "ban", self._values(plan, one))
        under = stored(self._template.actions["ban"], self._template.identity, answer.lines)
        for other in under:
            if other not in self._wanted and self._before.of(other) is None:
                await self._ask(plan, "unban", {"target": _target(other)})
        return not under or one in under

    def _values(self, plan: Plan, one: Known) -> dict[str, str]:
        item, duration = plan.item, self._template.actions["ban"].duration
        values = {
            "target": _target(one),
            "reason": cleaned(item.reason, TEXT_MAX),
            "name": cleaned(item.name, NAME_MAX),
        }
        if duration is not None:
            said = amount(duration, item.until, _now())
            values |= {"duration": str(said.n), "unit": said.unit}
        return values

    async def _ask(self, plan: Plan, action: str, values: dict[str, str]) -> Answer:
        answer = await self._console.action(action, values, timeout=self._left(self._send_until))
        late = answer.outcome != "answered" and time.monotonic() >= self._send_until
        if late or not self._console.connected:  # it never had its turn, or nobody knows what became of it
            raise _Silent
        if answer.outcome != "answered" and action == "ban":
            self._refused[plan.item.entry_id] = answer.reason
        return answer

    def _left(self, until: float) -> float:
        return max(0.1, min(ANSWER_WAIT, until - time.monotonic()))

    # -------------------------------------------------------------------------------------------------- who is on

    async def _drop(self, decided: Sequence[Plan], after: BanList) -> None:
        """Whoever is banned and on all the same: the game's ban does not disconnect, or stood before they came."""
        drops = self._template.actions["ban"].drops_player
        whom = {
            one: plan.item.reason
            for plan in decided
            for one in plan.by
            if plan.banned and after.of(one) and not (drops and one in plan.send)
        }
        if whom:
            await self._kick(whom)

    async def _kick(self, whom: Mapping[Known, str]) -> None:
        """Everybody on the server who has one of these identities, with its reason."""
        if self._template.players is None or "kick" not in self._template.actions:
            return
        try:
            async with self._console.one_turn(timeout=self._left(self._end)):
                rows, _ = await self._console.players(timeout=self._left(self._end))
                for row in rows:
                    reasons = [why for (kind, value), why in whom.items() if row.identities.get(kind) == value]
                    if reasons:
                        await self._kick_row(row, reasons[0])
        except TimeoutError:
            return  # a busy console; the next pass looks again

    async def _kick_row(self, row: PlayerRow, reason: str) -> None:
        values = {**row.identities, "name": row.name, "reason": cleaned(reason, TEXT_MAX)}
        slot = {} if row.slot is None else {"slot": row.slot}
        await self._console.action("kick", values | slot, timeout=self._left(self._end))


def _now() -> datetime:
    return datetime.now(UTC)


def _target(one: Known) -> str:
    return f"{one[0]}:{one[1]}"
