"""Who is struck when: decided by the seed alone, so that a run can be had again."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.faults.chaos.processes import Victim

Kind = Literal["kill", "stop", "stop and kill"]

PAUSES: Final = (3.0, 12.0)
"""Seconds between the end of one stroke and the next, the same process's start included."""
PAUSES_OF_REPLICAS: Final = (4.0, 14.0)
"""They take longer to start, and only one that stands by can show how soon it leads."""
_DOWN: Final = (0.1, 2.0)
_STOPPED: Final = (0.3, 7.0)


@dataclass(frozen=True)
class Stroke:
    """One thing that happens to one process."""

    after: float
    kind: Kind
    seconds: float
    """How long it stays dead or stopped."""


@dataclass
class Fate:
    """What happens to one process."""

    victim: Victim
    strokes: list[Stroke]


@dataclass
class Struck:
    """What has been done, for the report."""

    counts: Counter[str] = field(default_factory=Counter[str])
    lines: list[str] = field(default_factory=list[str])

    def note(self, victim: Victim, kind: str, seconds: float) -> None:
        self.counts[kind] += 1
        self.lines.append(f"{time.time():.3f} {victim.name}: {kind}, for {seconds:.1f} s")


def fate(
    victim: Victim, seed: str, seconds: float, *, pauses: tuple[float, float] = PAUSES, long_stop: float = 0.0
) -> Fate:
    """The strokes of a run for one process. `long_stop`: one of them is a stop of so many seconds."""
    chance = random.Random(f"{seed}:{victim.name}")
    strokes: list[Stroke] = []
    left = seconds
    while left > 0:
        after = chance.uniform(*pauses)
        kind: Kind = chance.choices(("kill", "stop", "stop and kill"), (5, 4, 1))[0]
        lasts = chance.uniform(*(_DOWN if kind == "kill" else _STOPPED))
        strokes.append(Stroke(after, kind, lasts))
        left -= after + lasts
    if long_stop:
        strokes[len(strokes) // 4] = Stroke(chance.uniform(*pauses), "stop", long_stop)
    return Fate(victim, strokes)


async def strike(fates: Sequence[Fate], seconds: float, struck: Struck) -> None:
    """Until the time is over. Every process runs afterwards."""
    until = time.monotonic() + seconds
    await asyncio.gather(*(_strike(one, until, struck) for one in fates))


async def _strike(one: Fate, until: float, struck: Struck) -> None:
    for stroke in one.strokes:
        if time.monotonic() + stroke.after >= until:
            break
        await asyncio.sleep(stroke.after)
        await _stroke(one.victim, stroke, until, struck)
    await asyncio.sleep(until - time.monotonic())


async def _stroke(victim: Victim, stroke: Stroke, until: float, struck: Struck) -> None:
    assert not victim.gone, f"{victim.name} has ended by itself"
    lasts = min(stroke.seconds, until - time.monotonic())
    struck.note(victim, stroke.kind, lasts)
    if stroke.kind == "kill":
        await victim.kill()
    else:
        victim.freeze()
    await asyncio.sleep(lasts)
    if stroke.kind == "stop":
        victim.thaw()
        return
    if stroke.kind == "stop and kill":
        await victim.kill()
    await victim.spawn()
