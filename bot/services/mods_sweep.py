"""Uploads of bots that died while they read the file."""

from collections.abc import Mapping

from bot import clock
from bot.services.artifacts import DEADLINE
from db.engine import Database
from db.queries import mods


class ModSweep:
    """Tidies up behind `/mod upload`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def abandoned(self) -> Mapping[str, int]:
        """Rejects the uploads that began longer ago than any upload may take."""
        async with self._db.statement() as session:
            gone = await mods.abandoned(
                session,
                before=clock.now() - DEADLINE * 2,
                reason="the bot was ended while the file was read",
                now=clock.now(),
            )
        return {"rejected": gone}
