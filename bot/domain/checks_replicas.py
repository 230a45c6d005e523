"""Judges the processes that share the work: who they are, what each does, and what nobody does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.domain.checks import Finding, Topic, broken, fine
from bot.domain.words import joined, safe

SHOWN: Final = 6
"""Processes that are named; of more there is a number."""


@dataclass(frozen=True)
class ReplicaFact:
    """A process, by its leases."""

    name: str
    roles: Sequence[str]
    shards: Sequence[int]
    """Of Discord, that it connects."""
    leads: Sequence[str]
    """Duties that are its own at present."""
    silent_sec: float
    """Since it renewed its leases."""


def replicas(found: Sequence[ReplicaFact], roles: Sequence[str], duties: Sequence[str]) -> Iterator[Finding]:
    """`roles` and `duties`: all that there are."""
    for role in roles:
        if found and not any(role in one.roles for one in found):
            yield broken(
                Topic.PROCESSES, f"No process has the role `{role}`.", f"Start `gamekeeper run --roles {role}`."
            )
    for one in found[:SHOWN]:
        yield fine(Topic.PROCESSES, f"`{safe(one.name, 60)}` {_does(one, duties)}")
    if len(found) > SHOWN:
        yield fine(Topic.PROCESSES, f"{len(found) - SHOWN} more")


def _does(one: ReplicaFact, duties: Sequence[str]) -> str:
    parts = [joined(one.roles)]
    if one.shards:
        parts.append(
            f"{'shard' if len(one.shards) == 1 else 'shards'} {joined([str(shard) for shard in one.shards], 60)}"
        )
    if one.leads:
        parts.append("leads everything" if set(one.leads) >= set(duties) else f"leads {joined(one.leads)}")
    return f"{'; '.join(parts)} ({one.silent_sec:.1f} s ago)"
