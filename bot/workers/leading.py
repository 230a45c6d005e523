"""Keeps what this process has, and takes duties that nobody has: several times a second, with one statement.

While the database does not answer nobody can take anything, so everybody keeps what they have and asks again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from bot import clock
from bot.errors import AppError
from bot.services import leases as times
from bot.services.leases import Leases, held_by

if TYPE_CHECKING:
    from db.queries.operations import Lease

log = logging.getLogger(__name__)

SHARD: Final = "shard:"
ROLE: Final = "role:"
_GIVEN_BACK_WITHIN: Final = 2.0
"""Seconds. A process that ends does not wait for a database that is away."""
_SILENCE: Final = 4
"""Looks without an answer after which nobody can have renewed anything."""
_PATIENCE: Final = 2
"""Looks for which what lapsed in a silence is left to its holder, before anybody takes it."""


class Leading:
    """The leases of one process: its duties, one row for each of its roles, and whatever else `Leases` was given."""

    def __init__(self, leases: Leases, duties: Collection[str], roles: Collection[str]) -> None:
        self.leases = leases
        self._duties = tuple(duties)
        self._roles = tuple(f"{ROLE}{role}:{leases.holder}" for role in roles)
        self._away: set[str] = set()
        self.seen: Sequence[Lease] = ()
        """All leases, as the last look showed them."""
        self.may_take = True
        """Not just after the database was silent: what has lapsed then is its holder's for another moment."""
        self._looked = asyncio.Event()
        self._answered = self._patient_until = -math.inf
        self._stopping = asyncio.Event()
        self._looks: asyncio.Task[None] | None = None

    def leads(self, duty: str) -> bool:
        """Whether this process has a duty now."""
        return self.leases.leads(duty)

    @property
    def is_current(self) -> bool:
        """Whether the database has answered lately."""
        return time.monotonic() - self._answered < times.SECONDS

    def members(self, role: str) -> set[str]:
        """The processes that have a role, this one included where it has it."""
        return set(held_by(self.seen, f"{ROLE}{role}:").values())

    def connected(self) -> int:
        """How many processes are connected to Discord; this one counts, as it may be in a moment."""
        return len({*held_by(self.seen, SHARD).values(), self.leases.holder})

    async def step_aside(self, role: str) -> None:
        """Leaves what this role has to others, until `return_to`: this process cannot do it now."""
        row = f"{ROLE}{role}:{self.leases.holder}"
        self._away.add(row)
        await self.give_back([row])

    def return_to(self, role: str) -> None:
        self._away.discard(f"{ROLE}{role}:{self.leases.holder}")

    async def next_look(self) -> None:
        """Returns after the next look that was answered, and at a stop."""
        await clock.idle(self._looked.wait(), "nothing to lead")

    async def begin(self) -> None:
        """Begins to look. When this returns, what nobody had is this process's."""
        with contextlib.suppress(AppError):  # `run` asks again
            await self.leases.forget()
        await self._round()
        self._looks = asyncio.create_task(self._run(), name="leases")

    async def step_down(self) -> None:
        """Gives every duty back, and takes none any more."""
        duties, self._duties = self._duties, ()
        await self.give_back(duties)

    async def end(self) -> None:
        """Looks no more, and gives everything back."""
        self._stopping.set()
        if self._looks:
            await asyncio.wait({self._looks}, timeout=_GIVEN_BACK_WITHIN)
            self._looks.cancel()
            await asyncio.gather(self._looks, return_exceptions=True)
        await self.give_back(list(self.leases.held))

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(times.EVERY):
                    await clock.idle(self._stopping.wait(), "keeping leases")
            except TimeoutError:
                await self._round()

    async def give_back(self, duties: Collection[str]) -> None:
        """Lets others have what is held; where the database does not answer at once, it lapses."""
        with contextlib.suppress(AppError, TimeoutError):
            async with asyncio.timeout(_GIVEN_BACK_WITHIN):
                await self.leases.release(*duties)

    async def _round(self) -> None:
        try:
            self.seen = await self.leases.renew()
            self.may_take = self._is_steady(time.monotonic())
            if self.may_take:
                await self._take()
            self._tell()
        except AppError as error:
            log.warning("leases not renewed: %s", error)
        except Exception:  # the top of the loop that everything single depends on
            log.exception("leases not renewed")

    def _is_steady(self, now: float) -> bool:
        """Whether the database answers for long enough that a lapsed lease is one that nobody keeps."""
        if now - self._answered > times.EVERY * _SILENCE and self.leases.held:
            self._patient_until = now + times.EVERY * _PATIENCE
        self._answered = now
        return now >= self._patient_until

    async def _take(self) -> None:
        live = {lease.duty for lease in self.seen if lease.is_live}
        for duty in (*self._roles, *self._duties):
            if duty not in {*self._roles, *self._duties}:
                continue  # it steps down while this looks
            if duty not in live | self._away and await self.leases.take(duty) is not None and duty in self._duties:
                log.info("leads %s", duty)

    def _tell(self) -> None:
        self._looked.set()
        self._looked = asyncio.Event()
