"""Looking for words in the logs of games."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# A part of a word counts too: people look for pieces of names and ids. It reads the org's lines since then, newest first.
_SEARCH = text("""/* logs.search */
    select l.id, l.ts, l.level, l.message from logs l
     where l.org_id = :org and l.server_instance_id = :server and l.ts >= :since and (l.ts, l.id) < (:before, :before_id)
       and l.message ilike '%' || :words || '%'
     order by l.ts desc, l.id desc limit :limit""")


@dataclass(frozen=True)
class FoundLine:
    """A line of a game's log."""

    id: int
    ts: datetime
    level: str
    message: str


async def search(
    session: AsyncSession,
    org_id: UUID,
    server_id: UUID,
    words: str,
    *,
    since: datetime,
    before: tuple[datetime, int],
    limit: int,
) -> list[FoundLine]:
    """Lines with these words, whatever their case, newest first; ask for one more than you show. `before`: the time and
    id of the last line that was shown."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {"org": org_id, "server": server_id, "words": like, "since": since, "limit": limit}
    return every(FoundLine, await session.execute(_SEARCH, {**values, "before": before[0], "before_id": before[1]}))
