"""Uploads of bots that died while they read the file."""

from collections.abc import Mapping
from typing import Final

from bot import clock
from bot.domain.actors import system
from bot.services.artifacts import DEADLINE
from db.engine import Database
from db.queries import audit_write, mods

_REASON: Final = "the bot was ended while the file was read"
_DUTY: Final = "mods.sweep"


class ModSweep:
    """Tidies up behind `/mod upload`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def abandoned(self) -> Mapping[str, int]:
        """Rejects the uploads that began longer ago than any upload may take. Their interactions have no entry in the
        audit log, because the bot ended before; so they get theirs here."""
        async with self._db.uow(system(_DUTY)) as tx:
            gone = await mods.abandoned(tx.session, before=clock.now() - DEADLINE * 2, reason=_REASON, now=clock.now())
            rows = [
                audit_write.row_of(
                    system(_DUTY, one.org_id),
                    "mod.upload.abandoned",
                    "failed",
                    resource=("mod_artifact", one.id),
                    details={"name": one.name},
                    error=_REASON,
                )
                for one in gone
            ]
            if rows:
                await audit_write.write_many(tx.session, rows)
        return {"rejected": len(gone)}
