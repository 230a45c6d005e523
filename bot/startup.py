"""Before a process starts: brings the schema to this version and writes the rows that the code takes for granted."""

import hashlib
from pathlib import Path
from typing import Final

import db
import games
from bot import domain
from bot.domain.actors import system
from bot.errors import Conflict
from bot.services.retention import Retention
from bot.services.state import State
from db import migrate
from db.engine import Database
from db.seed import seed

_STATE: Final = "seed"


async def prepare(database_url: str, *, may_migrate: bool) -> None:
    """Migrates and seeds where it is needed.

    Raises:
        Conflict: the schema is older, and the operator has not said that it may be migrated.
    """
    behind = await migrate.is_behind(database_url)
    if behind:
        if not may_migrate:
            raise Conflict(
                "The database is not at the version of this program.",
                "Run `gamekeeper migrate`, or start with --migrate.",
            )
        await migrate.upgrade(database_url)
    if behind or not await _is_seeded(database_url):
        await write_seed(database_url)


async def write_seed(database_url: str) -> None:
    """Permissions, game types and the partitions of the next days. Harmless when repeated."""
    from games.catalog import load_catalog  # with all models of the templates: most starts do without

    templates = {template.id: (template.name, template.capabilities) for template in load_catalog().values()}
    database = Database(database_url, role="workers", pool_size=1, max_overflow=0)
    try:
        async with database.uow(system("seed")) as tx:
            await seed(tx.session, templates)
        await State(database).set(_STATE, _fingerprint())
    finally:
        await database.close()


async def _is_seeded(database_url: str) -> bool:
    """Has this release written its rows? The partitions, which depend on the day, are made here as well."""
    database = Database(database_url, role="workers", pool_size=1, max_overflow=0)
    try:
        await Retention(database).partitions()
        return await State(database).get(_STATE) == _fingerprint()
    finally:
        await database.close()


def _fingerprint() -> str:
    """Of all that the seed may be made from. Reading the templates takes several times as long."""
    digest = hashlib.sha256()
    for package in (domain, db, games):
        for path in sorted(Path(next(iter(package.__path__))).rglob("*")):
            if path.suffix in (".py", ".yaml"):
                digest.update(path.read_bytes())
    return digest.hexdigest()
