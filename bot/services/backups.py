"""Backups of saved games as people make and see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent import wire
from bot.domain.actors import Actor
from bot.domain.jobs import JobType
from bot.domain.words import safe
from bot.services.confirmations import Done
from bot.services.jobs_enqueue import enqueue
from bot.services.servers import PAGE, Page, must_be_able, permitted, seen
from db.engine import Database
from db.queries import backups
from db.queries.backups import BackupCard
from db.queries.cards import ServerCard

CREATE: Final = "backups.create"
VIEW: Final = "backups.view"


@dataclass(frozen=True)
class Kept:
    """A page of a server's backups, and how many of them stay."""

    server: ServerCard
    keep: int
    page: Page[BackupCard]


class Backups:
    """`/backup create` and `/backup list`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(self, actor: Actor, ref: str) -> Done:
        """Lets the host save and pack what there is now."""
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, CREATE)
            must_be_able(server, "backup")
            job = await enqueue(
                tx,
                type=JobType.SAVE_BACKUP,
                server_id=server.id,
                host_id=server.host_id,
                params=wire.SaveBackup(),
                dedupe_key=f"backup:{server.id}",
            )
            tx.audit("backup.create", resource=("server", server.id), jobId=str(job.id), number=job.number)
            return Done(f"Backing up {safe(server.name)}", job.where)

    async def list(self, actor: Actor, ref: str, page: int = 0) -> Kept:
        """The newest first."""
        async with self._db.read() as session:
            server = await seen(session, actor, ref, VIEW)
            rows = await backups.cards(session, actor.org, server.id, limit=PAGE + 1, offset=page * PAGE)
            keep = await backups.keep(session, actor.org, server.id)
        return Kept(server, keep, Page(rows[:PAGE], page, len(rows) > PAGE))
