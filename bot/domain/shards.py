"""Which Discord shards a process should have: decided by each for itself, from the leases that all of them see."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """What a process does next about its shards."""

    free: tuple[int, ...]
    """Shards that nobody has, in the order in which it tries to take them."""
    most: int
    """How many of them it takes."""
    leave: tuple[int, ...]
    """Those of its own that it gives up, for others to take."""


def share(me: str, others: Collection[str], holders: Sequence[str | None]) -> Share:
    """The share of `me` among all who may connect. `holders`: who has each shard; None: nobody.

    Everybody's share is the same, or one more; that one goes to who has the most already, so that nothing moves
    without need. Where two look at different moments they may disagree for a round, and agree in the next: what is
    taken is decided by the lease, and what is given up never falls below the smallest share."""
    counts = Counter(holder for holder in holders if holder is not None)
    everyone = sorted({*others, me}, key=lambda one: (-counts[one], one))
    rank = everyone.index(me)
    least, more = divmod(len(holders), len(everyone))
    target = least + (rank < more)
    mine = [shard for shard, holder in enumerate(holders) if holder == me]
    free = [shard for shard, holder in enumerate(holders) if holder is None]
    start = rank * len(free) // len(everyone)  # so that several do not all begin with the same one
    return Share((*free[start:], *free[:start]), max(0, target - len(mine)), tuple(mine[target:]))
