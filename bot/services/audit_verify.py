"""Whether the audit log of an org is what was sealed: everything is read and hashed once more."""

import re
import time
from typing import Final
from uuid import UUID

from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid
from bot.services.audit_walk import Verified, Walk
from bot.services.servers import must_see
from db.engine import Database

SECONDS: Final = 600.0
"""How long a check may take; Discord takes its answer for 15 minutes."""
PAGE: Final = 1_000
"""Rows that are read and hashed at a time; meanwhile nothing else runs in this process."""
_POSTED: Final = re.compile(r"[0-9]{1,7}|[0-9a-f]{8,64}")


class AuditVerify:
    """`/audit verify`."""

    def __init__(self, db: Database, *, seconds: float = SECONDS, page: int = PAGE) -> None:
        self._db = db
        self._seconds, self._page = seconds, page
        self._under_way: set[UUID] = set()

    async def verify(self, actor: Actor, posted: str = "") -> Verified:
        """Checks every seal of the org. `posted`: the number or the hash of one that somebody has seen.

        Raises:
            NotPermitted, Invalid, Conflict: a check of this org is under way.
        """
        posted = posted.strip().strip("`").lower()
        if posted and not _POSTED.fullmatch(posted):
            raise Invalid("That is no seal.", "Give the number of a seal, or its hash as it was posted.")
        if actor.org in self._under_way:
            raise Conflict("The audit log is being checked already.", "Wait for that answer, then ask again.")
        self._under_way.add(actor.org)
        try:
            async with self._db.read() as session:
                await must_see(session, actor, "audit.view", None)
            return await Walk(self._db, actor.org, posted, self._page, time.monotonic() + self._seconds).run()
        finally:
            self._under_way.remove(actor.org)
