"""What `gamekeeper doctor` says of several processes, and of what all of them need."""

from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.config import Settings
from bot.doctor import Finding, examine
from bot.services.leases import Leases
from db.engine import Database
from tests.bot.world import World

_MOD = text(
    """insert into mod_artifacts (org_id, name, version, source, status, file_ref, sha256, size_bytes)
       values (:org, 'Loot', '1', 'url', 'ready', :ref, sha256('x'), 1)"""
)


async def said(url: str, place: Path, **settings: Any) -> dict[str, Finding]:
    """The findings by the words before their colon; of a process all of its words."""
    given = Settings(database_url=url, data_dir=place, bind="127.0.0.1:0", **settings)
    return {one.what.split(":")[0]: one for one in await examine(given, url)}


async def test_the_processes_that_run(db: Database, database_url: str, tmp_path: Path) -> None:
    found = await said(database_url, tmp_path)
    assert found["uploaded mods"].ok and not any(name.startswith("process") for name in found)
    for name, roles in {"one": ("bot",), "two": ("http", "bot")}.items():
        leases = Leases(db, name)
        for role in roles:
            await leases.take(f"role:{role}:{name}")
    found = await said(database_url, tmp_path)
    assert found["process one"].what == "process one: bot" and found["process two"].what == "process two: bot, http"
    lacking = found["processes"]
    assert (lacking.ok, lacking.remedy) == (False, "Start one: gamekeeper run --roles workers")
    assert "GAMEKEEPER_PUBLIC_URL" in found["public address of each"].remedy


async def test_a_directory_of_mods_that_is_not_the_common_one(db: Database, database_url: str, tmp_path: Path) -> None:
    world = await World(db).found()
    ref = "ab" * 32
    async with db.statement() as session:
        await session.execute(_MOD, {"org": world.org_id, "ref": ref})
    lacking = (await said(database_url, tmp_path))["uploaded mods"]
    assert not lacking.ok and "1 of 1" in lacking.what and "GAMEKEEPER_ARTIFACT_DIR" in lacking.remedy
    common = tmp_path / "common"
    (common / "ab").mkdir(parents=True)
    (common / "ab" / ref).write_bytes(b"")
    assert (await said(database_url, tmp_path, artifact_dir=common))["uploaded mods"].ok
