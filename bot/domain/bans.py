"""Decisions about bans: what a second ban of somebody changes, what a receipt means, when to try again."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

Wanted = Literal["banned", "unbanned"]
SyncStatus = Literal["pending", "syncing", "synced", "failed", "unsupported"]
ReceiptOutcome = Literal["applied", "refused", "unsupported", "waiting"]

REASON_MAX: Final = 200
KICK_TEXT_MAX: Final = 200
"""What the protocol carries; games cut it further in their own ways."""
IN_MEMORY: Final = "bans_memory"
"""The capability of a game that forgets its bans when it ends: something among ourselves, people are not told."""
_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(hours=6)
_GAME_IS_DOWN: Final = timedelta(seconds=30)
_LONGEST_DOWN: Final = timedelta(minutes=10)
"""A start of the game is noticed at once; this is for one whose console is silent while it runs."""


_ADDRESSES_TO: Final = 15
"""A case with so many identities gets no more addresses; a host is told 20."""


def kick_text(number: int, reason: str) -> str:
    """What the player reads in the game. The number comes first: some games cut the end off."""
    text = f"B-{number}: {reason}"
    return text if len(text) <= KICK_TEXT_MAX else text[: KICK_TEXT_MAX - 1].rstrip() + "…"


_AFTER_SILENCE: Final = timedelta(seconds=5)
"""An agent that was restarted can say at once what became of a ban."""


def backoff(attempts: int) -> timedelta:
    """The wait after so many attempts that failed: 1 min, 2 min, 4 min … at most 6 hours."""
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(max(attempts, 1) - 1, 10))


# ---------------------------------------------------------------------------------------------------- one case a person


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a ban. `until` None: for good. `servers`: those it is about; `everywhere`: later ones
    too."""

    reason: str
    until: datetime | None
    servers: frozenset[UUID]
    everywhere: bool
    identities: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Standing:
    """A case that is active: what holds of it now."""

    number: int
    reason: str
    until: datetime | None
    servers: frozenset[UUID]
    everywhere: bool
    identities: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """What a second ban makes of a case. `new_servers` and `new_identities` come to those it has."""

    reason: str
    until: datetime | None
    everywhere: bool
    new_servers: frozenset[UUID]
    new_identities: frozenset[tuple[str, str]]


def change(case: Standing, wish: Wish) -> Change | None:
    """What banning somebody again changes: it adds servers and ids and extends, and never shortens. None: nothing."""
    until = later(case.until, wish.until)
    made = Change(
        reason=wish.reason,
        until=until,
        everywhere=case.everywhere or wish.everywhere,
        new_servers=wish.servers - case.servers,
        new_identities=_more(case, wish),
    )
    same = (made.reason, made.until, made.everywhere) == (case.reason, case.until, case.everywhere)
    return None if same and not made.new_servers and not made.new_identities else made


def _more(case: Standing, wish: Wish) -> frozenset[tuple[str, str]]:
    """Somebody who is banned again and again has another address every time: at some point they say nothing more."""
    new = wish.identities - case.identities
    full = len(case.identities) >= _ADDRESSES_TO
    return frozenset(one for one in new if one[0] != "ip" or not full)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two ends; None is never."""
    return None if one is None or other is None else max(one, other)


def ends(until: datetime | None, now: datetime) -> bool:
    """Is a ban over by itself?"""
    return until is not None and until <= now


# ------------------------------------------------------------------------------------------------------------- receipts


@dataclass(frozen=True)
class Entry:
    """What one server shall have of a case, and what is known of it."""

    id: UUID
    revision: int
    desired_state: Wanted
    sync_status: SyncStatus
    applied_state: Wanted | None
    attempts: int
    job_id: UUID | None


@dataclass(frozen=True)
class Next:
    """What an entry becomes."""

    sync_status: SyncStatus
    applied_state: Wanted | None
    attempts: int
    wait: timedelta
    error: str | None = None


def after_receipt(entry: Entry, job_id: UUID, revision: int, outcome: ReceiptOutcome, detail: str) -> Next | None:
    """What a receipt makes of its entry; None: nothing, it is about a wish of before.

    `applied` counts whichever job brought it. What went wrong counts only for the job that is at it: another one may
    have succeeded since."""
    if revision != entry.revision:
        return None
    if outcome == "applied":
        return Next("synced", entry.desired_state, 0, timedelta())
    if entry.job_id != job_id or entry.sync_status != "syncing":
        return None
    match outcome:
        case "waiting":
            attempts = entry.attempts + 1
            wait = min(_LONGEST_DOWN, _GAME_IS_DOWN * 2 ** min(attempts - 1, 10))
            return Next("pending", entry.applied_state, attempts, wait, detail or None)
        case "unsupported":
            return Next("unsupported", entry.applied_state, entry.attempts, timedelta(), detail or None)
        case "refused":
            attempts = entry.attempts + 1
            return Next("failed", entry.applied_state, attempts, backoff(attempts), detail or "no reason was given")


def after_silence(entry: Entry, job_id: UUID, reason: str) -> Next | None:
    """What an entry becomes whose job ended without a receipt for it; None: another job is at it, or none."""
    if entry.job_id != job_id or entry.sync_status != "syncing":
        return None
    attempts = entry.attempts + 1
    wait = backoff(entry.attempts) if entry.attempts else _AFTER_SILENCE
    return Next("pending", entry.applied_state, attempts, wait, reason or None)


def lifted(entry: Entry, *, sent: bool) -> Next:
    """What an entry becomes when its case is over. What no host was ever told needs no taking back."""
    if entry.sync_status == "unsupported":
        return Next("unsupported", entry.applied_state, entry.attempts, timedelta())
    if not sent and entry.applied_state is None:
        return Next("synced", "unbanned", 0, timedelta())
    return Next("pending", entry.applied_state, 0, timedelta())


Shown = Literal["applied", "waiting", "refused", "unsupported"]


def shown(desired: str, sync_status: str, applied: str | None) -> Shown:
    """How people see an entry. What was applied counts as such while it is being applied anew."""
    match sync_status:
        case "unsupported":
            return "unsupported"
        case "failed":
            return "refused"
        case _:
            return "applied" if applied == desired else "waiting"


def nothing_to_send(wanted: Wanted, applied: Wanted | None, attempts: int, *, able: bool) -> Next:
    """What an entry becomes that its server cannot be told about: `able` games have nothing to take back, because
    another case holds it all; others may be able again later, and must not keep out who was let in."""
    if able:
        return Next("synced", wanted, 0, timedelta())
    if wanted == "banned" or applied != "banned":
        return Next("unsupported", applied, attempts, timedelta())
    return Next("failed", applied, attempts + 1, backoff(attempts + 1), "its host does not know the game any more")


def to_send(
    wanted: Wanted,
    identities: Collection[tuple[str, str]],
    held_elsewhere: Collection[tuple[str, str]],
    usable_kinds: Collection[str],
) -> list[tuple[str, str]]:
    """The identities that a server is told about. It is told to unban only what no other active case holds there."""
    kept = set(identities) - (set(held_elsewhere) if wanted == "unbanned" else set())
    return sorted(identity for identity in kept if identity[0] in usable_kinds)
