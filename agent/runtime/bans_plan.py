"""What a game has to be told so that it keeps out whom people want kept out. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from agent import wire
from games.bans import BanList, Known, is_permanent, is_same
from games.catalog import GameTemplate

Outcome = Literal["applied", "refused", "unsupported", "waiting"]
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
"""From here the agent itself talks to the game."""


@dataclass(frozen=True)
class Plan:
    """What one item needs. With `outcome` it is decided already, and nothing is sent."""

    item: wire.BanItem
    banned: bool
    """What is wanted now: a ban whose time is over is none."""
    by: tuple[Known, ...] = ()
    """The identities that the list has to show, or not to show, afterwards."""
    send: tuple[Known, ...] = ()
    """Those of them that it does not show so yet."""
    spared: tuple[Known, ...] = ()
    """The host's own addresses: banned they would cut it off from its game."""
    outcome: Outcome | None = None
    detail: str = ""


def plans(
    items: Sequence[wire.BanItem], template: GameTemplate, listed: BanList, own: Collection[str], now: datetime
) -> list[Plan]:
    """One for each item, in their order. `own`: addresses of this host as the game sees it."""
    held = {one for item in items if _wants_ban(item, now) for one in usable(item, template)}
    return [_plan(item, template, listed, own, now, held) for item in items]


def usable(item: wire.BanItem, template: GameTemplate) -> tuple[Known, ...]:
    """The identities that the game bans by, in the order of its preference: the durable ones, if there are any."""
    found: list[Known] = []
    durable = set[str]()
    for kind in template.identity.ban_by:
        described = template.identity.kinds[kind]
        values = (described.canonical(one.value) for one in item.identities if one.kind == kind)
        found.extend((kind, value) for value in dict.fromkeys(values) if value is not None)
        durable |= {kind} if described.durable else set[str]()
    lasting = tuple(one for one in found if one[0] in durable)
    return lasting if lasting and item.want == "banned" else tuple(found)


def _wants_ban(item: wire.BanItem, now: datetime) -> bool:
    return item.want == "banned" and (item.until is None or item.until > now)


def _plan(
    item: wire.BanItem,
    template: GameTemplate,
    listed: BanList,
    own: Collection[str],
    now: datetime,
    held: Collection[Known],
) -> Plan:
    by = usable(item, template)
    if not by:
        return Plan(item, item.want == "banned", outcome="unsupported", detail=_unsupported(item, template))
    if not _wants_ban(item, now):
        lifted = tuple(one for one in by if one not in held)
        return Plan(item, False, lifted, tuple(one for one in lifted if listed.of(one)))
    spared = tuple(one for one in by if one[0] == "ip" and one[1] in own)
    by = tuple(one for one in by if one not in spared)
    return Plan(item, True, by, tuple(one for one in by if not _stands(one, item, template, listed, now)), spared)


def _stands(one: Known, item: wire.BanItem, template: GameTemplate, listed: BanList, now: datetime) -> bool:
    """Does the game have the very ban that it would be told to make?"""
    row, duration = listed.of(one), template.actions["ban"].duration
    return row is not None and (duration is None or is_same(duration, row, item.until, now))


def _unsupported(item: wire.BanItem, template: GameTemplate) -> str:
    kinds = " or ".join(template.identity.ban_by)
    known = ", ".join(sorted({one.kind for one in item.identities}))
    return f"{template.name} bans by {kinds}; known of this player is only {known}."


# ------------------------------------------------------------------------------------------------------------ receipts


def receipt(
    plan: Plan, template: GameTemplate, after: BanList, words: str, now: datetime, *, tried: bool
) -> wire.BanReceipt:
    """What became of it, by the game's own list. `words`: why the game refused, if it did."""
    outcome, detail = _judge(plan, template, after, words, now, tried=tried)
    item = plan.item
    return wire.BanReceipt(entry_id=item.entry_id, revision=item.revision, outcome=outcome, detail=detail[:300])


def _judge(
    plan: Plan, template: GameTemplate, after: BanList, words: str, now: datetime, *, tried: bool
) -> tuple[Outcome, str]:
    if plan.outcome is not None:
        return plan.outcome, plan.detail
    wrong = _wrong(plan, after)
    if wrong is None:
        if plan.spared:
            return "refused", f"{plan.spared[0][1]} is this host's own address: banned, it could not reach the game."
        return "applied", _remark(plan, template, now)
    if not tried:
        return "waiting", "This job did not get to it; the next one does."
    return ("refused", words or wrong) if after.complete else ("waiting", "The game's list of bans could not be read.")


def _wrong(plan: Plan, after: BanList) -> str | None:
    """What the list shows that should not be so; None: all is well."""
    for one in plan.by:
        row = after.of(one)
        if plan.banned and row is None:
            return "The game's list of bans does not show it."
        if plan.banned and row is not None and not row.covers(plan.item.until):
            return "The game's list of bans shows an earlier end."
        if not plan.banned and (row is not None or not after.complete):
            return "The game's list of bans still shows it."
    return None


def _remark(plan: Plan, template: GameTemplate, now: datetime) -> str:
    duration, until = template.actions["ban"].duration, plan.item.until
    if plan.item.want == "banned" and not plan.banned:
        return "Its time is over."
    if plan.banned and until is not None and (duration is None or is_permanent(duration, until, now)):
        return "The game has no ban of this length: there it has no end until it is lifted."
    return ""
