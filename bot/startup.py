"""Before a process starts: brings the schema to this version and writes the rows that the code takes for granted."""

import gc
import hashlib
import threading
from importlib import import_module
from pathlib import Path
from typing import Final

import games
from bot import clock
from bot.domain.actors import system
from bot.domain.permissions import PERMISSIONS
from bot.errors import Conflict
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
    if await migrate.is_behind(database_url):
        if not may_migrate:
            raise Conflict(
                "The database is not at the version of this program.",
                "Run `gamekeeper migrate`, or start with --migrate.",
            )
        await migrate.upgrade(database_url)
        await write_seed(database_url)
    elif not await _seeded_today(database_url):
        await write_seed(database_url)


async def write_seed(database_url: str) -> None:
    """Permissions, game types and the partitions of the next days. Harmless when repeated."""
    from games.catalog import load_catalog  # templates and their models: most starts of the day do without

    templates = {template.id: (template.name, template.capabilities) for template in load_catalog().values()}
    db = Database(database_url, role="workers", pool_size=1, max_overflow=0)
    try:
        async with db.uow(system("seed")) as tx:
            await seed(tx.session, templates)
        await State(db).set(_STATE, _today())
    finally:
        await db.close()


async def _seeded_today(database_url: str) -> bool:
    db = Database(database_url, role="workers", pool_size=1, max_overflow=0)
    try:
        return await State(db).get(_STATE) == _today()
    finally:
        await db.close()


def _today() -> str:
    """What this release writes, and the day that it reckons the partitions from."""
    digest = hashlib.sha256(repr(PERMISSIONS).encode())
    for path in sorted(Path(next(iter(games.__path__))).rglob("*")):
        if path.suffix in (".py", ".yaml"):
            digest.update(path.read_bytes())
    return f"{clock.now().date()} {digest.hexdigest()[:32]}"


def import_meanwhile(module: str) -> None:
    """Imports a module while this thread waits, for a database server that comes up."""
    threading.Thread(target=import_module, args=[module], name=f"import {module}", daemon=True).start()


def postpone_garbage() -> None:
    """No garbage collection until `collect_garbage`: what a start makes is there to stay."""
    gc.disable()


def collect_garbage() -> None:
    """From now on, and without a look at what was made until now."""
    gc.freeze()
    gc.enable()
