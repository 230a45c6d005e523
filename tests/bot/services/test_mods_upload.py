"""Uploads: what is kept, what is refused, and what a crash leaves behind."""

import asyncio
import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot import clock
from bot.errors import AppError, Conflict, Invalid, NotPermitted, Unavailable
from bot.services import artifact_store
from bot.services.artifacts import Attachment, Upload, Uploaded
from bot.services.mods_sweep import ModSweep
from bot.services.setup import Setup
from db.queries import mods
from tests.bot.people import MODERATORS
from tests.bot.services.mirror import says, serving
from tests.bot.services.workshop import Workshop, attached, mod
from tests.bot.world import World
from tests.games.evil_zips import link, packed

MAP = b"DATA" * 50
SHA = hashlib.sha256(MAP).hexdigest()


@pytest.fixture
async def shop(world: World, tmp_path: Path) -> Workshop:
    return Workshop(world, tmp_path / "artifacts")


async def test_a_file_is_kept_once_under_its_content(shop: Workshop) -> None:
    done = await shop.upload(MAP, "dm9.map", version="1.0")
    assert (done.artifact.name, done.artifact.version, done.artifact.game) == ("dm9", "1.0", "teeworlds")
    assert (done.artifact.sha256, done.artifact.size_bytes, done.artifact.files, done.again) == (SHA, 200, 1, False)
    assert shop.files() == [f"{SHA[:2]}/{SHA}"] and shop.store.path(SHA).read_bytes() == MAP
    other = await shop.upload(MAP, "dm9.map", version="1.1")
    assert other.artifact.id != done.artifact.id and shop.files() == [f"{SHA[:2]}/{SHA}"]


async def test_a_mod_that_says_what_it_is_needs_nothing_else(shop: Workshop) -> None:
    done = await shop.upload(mod("2.1"), "whatever.zip")
    assert (done.artifact.name, done.artifact.version, done.artifact.game) == ("Demo", "2.1", "7dtd")
    manifest = await shop.world.value("select manifest from mod_artifacts")
    assert [file["path"] for file in manifest["files"]] == ["ModInfo.xml", "Config/items.xml"]


async def test_the_same_version_again_is_there_already(shop: Workshop) -> None:
    first = await shop.upload(MAP, "dm9.map", version="1.0")
    again = await shop.upload(MAP, "renamed.map", name="dm9", version="1.0", sha256=SHA.upper())
    assert again.again and again.artifact == first.artifact
    assert await shop.artifact_rows() == [("dm9", "1.0", "ready")]


async def test_a_version_never_changes(shop: Workshop) -> None:
    await shop.upload(MAP, "dm9.map", version="1.0")
    with pytest.raises(Conflict, match="with another content"):
        await shop.upload(MAP + b"!", "dm9.map", version="1.0")
    with pytest.raises(Conflict, match="is called dm9 here"):
        await shop.upload(MAP, "DM9.map", version="2.0")
    with pytest.raises(Conflict, match="There is a mod dm9 of Teeworlds"):
        await shop.upload(mod("3.0", "dm9"))
    assert [row[2] for row in await shop.artifact_rows()] == ["ready", "rejected", "rejected", "rejected"]
    await shop.upload(MAP + b"!", "dm9.map", version="1.1")


async def test_the_same_file_by_ten_people_at_once(shop: Workshop) -> None:
    ended = await asyncio.gather(*(shop.upload(MAP, "dm9.map", version="1.0") for _ in range(10)))
    assert sorted(done.again for done in ended) == [False] + [True] * 9
    assert await shop.artifact_rows() == [("dm9", "1.0", "ready")] and len(shop.files()) == 1


async def test_two_spellings_of_one_name_at_once(shop: Workshop) -> None:
    async with shop.world.db.uow(await shop.owner()) as tx:
        await mods.lock_name(tx.session, shop.world.org_id, "DEMO")
        upload = asyncio.create_task(shop.upload(mod("1.0", "Demo")))
        assert await asyncio.wait([upload], timeout=0.5) == (set(), {upload}), "it waits for the other spelling"
    await upload


async def test_two_files_for_one_version_at_once(shop: Workshop) -> None:
    tries = (shop.upload(MAP + bytes([n]), "dm9.map", version="1.0") for n in range(6))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Uploaded) for one in ended) == 1
    assert [type(one) for one in ended if isinstance(one, Exception)] == [Conflict] * 5


@pytest.mark.parametrize(
    ("upload", "why"),
    [
        (Upload(), "Give a `file`"),
        (Upload(file=attached(MAP), url="https://example.org/x"), "Give a `file`"),
        (Upload(url="https://example.org/x.map"), "needs the `sha256`"),
        (Upload(url="http://example.org/x.map", sha256=SHA), "Only https"),
        (Upload(url="https://127.0.0.1/x.map", sha256=SHA), "private network"),
        (Upload(file=attached(MAP, "x.map", size=2**28 + 1), version="1"), "larger than 256 MiB"),
        (Upload(file=attached(MAP, "x.map"), sha256="12"), "64 hexadecimal"),
        (Upload(file=attached(MAP, "x.map"), sha256="0" * 64, version="1"), "sha256 is another one"),
        (Upload(file=attached(MAP, "x.map"), version="1 0"), "A version has"),
        (Upload(file=attached(MAP, "x.map")), "does not say its version"),
        (Upload(file=attached(MAP, "x.map"), version="1", game="chess"), "Mods of chess are not supported"),
        (Upload(file=attached(MAP, "x.map"), version="1", game="7dtd"), "no ZIP file"),
        (Upload(file=attached(MAP, "x.txt"), version="1"), "mod of no game here"),
        (Upload(file=attached(b"", "x.map"), version="1"), "empty"),
        (Upload(file=attached(MAP, "карта.map"), version="1"), "no Latin letters"),
        (Upload(file=attached(mod("1.0")), version="1.1"), "its version is 1.0"),
        (Upload(file=attached(mod("1.0")), name="Other"), "its name is Demo"),
        (Upload(file=attached(packed({"../x.map": MAP}), "x.zip"), version="1"), "leads out of its folder"),
        (Upload(file=attached(packed({"x.map": bytes(30_000_000)}), "x.zip"), version="1"), "200 times"),
        (Upload(file=attached(link("x.map"), "x.zip"), version="1"), "a symbolic link"),
    ],
)
async def test_what_is_not_taken(shop: Workshop, upload: Upload, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        await shop.artifacts.upload(await shop.owner(), upload)
    assert why in refused.value.what and refused.value.remedy
    assert shop.files() == []
    assert {row[2] for row in await shop.artifact_rows()} <= {"rejected"}


async def test_a_file_from_an_address(world: World, tmp_path: Path) -> None:
    """What it is called is the last part of the address; what may be secret in the address is not kept."""
    async with serving(tmp_path) as mirror:
        shop = Workshop(world, tmp_path / "artifacts", mirror.downloads())
        mirror.answers = {"/maps/dm9.map": says(MAP), "/other.map": says(MAP + b"!")}
        url = mirror.url("maps/dm9.map?signature=secret")
        done = await shop.artifacts.upload(await shop.owner(), Upload(url=url, sha256=SHA, version="1.0"))
        assert (done.artifact.name, done.artifact.sha256) == ("dm9", SHA)
        other = Upload(url=mirror.url("other.map"), sha256=SHA, version="1.1")
        with pytest.raises(Invalid, match="sha256 is another one"):
            await shop.artifacts.upload(await shop.owner(), other)
        rows = await world.rows("select source, source_url, status from mod_artifacts order by created_at")
        assert rows == [
            ("url", mirror.url("maps/dm9.map"), "ready"),
            ("url", mirror.url("other.map"), "rejected"),
        ]
        assert shop.files() == [f"{SHA[:2]}/{SHA}"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/maps/My%20Map.map?X-Signature=a/b.map#top", "My Map.map"),
        ("https://example.org/dm9.map#top", "dm9.map"),
        ("https://example.org/a%2F..%2F%00dm9.map", "dm9.map"),
        ("https://example.org", ""),
    ],
)
def test_the_name_of_a_file_from_an_address(url: str, name: str) -> None:
    assert Upload(url=url).file_name == name


async def test_who_may_upload(shop: Workshop) -> None:
    """`workshop.manage`, and `files.upload` for an attachment."""
    await Setup(shop.world.db).bind(await shop.owner(), "moderator", [MODERATORS])
    with pytest.raises(NotPermitted, match=r"workshop\.manage"):
        await shop.upload(MAP, "dm9.map", version="1", by=await shop.people.actor("mia", MODERATORS))
    await shop.world.rows(
        """insert into role_permissions (role_id, permission_id)
           select r.id, p.id from roles r, permissions p
            where r.org_id = :org and r.name = 'moderator' and p.name = 'workshop.manage'""",
        org=shop.world.org_id,
    )
    with pytest.raises(NotPermitted, match=r"files\.upload"):
        await shop.upload(MAP, "dm9.map", version="1", by=await shop.people.actor("mia", MODERATORS))
    assert await shop.artifact_rows() == []


async def test_every_upload_leaves_one_audit_row(shop: Workshop) -> None:
    await shop.upload(MAP, "dm9.map", version="1.0")
    await shop.upload(MAP, "dm9.map", version="1.0")
    rows = await shop.world.rows("select action, details ->> 'again' from audit_logs where action like 'mod.%'")
    assert rows == [("mod.upload", "false"), ("mod.upload", "true")]


async def test_another_guild_keeps_its_own(shop: Workshop, tmp_path: Path) -> None:
    await shop.upload(MAP, "dm9.map", version="1.0")
    elsewhere = Workshop(shop.world, tmp_path / "artifacts")
    stranger = await elsewhere.people.actor("eve", administrator=True, guild_id=2002, guild_name="Other")
    done = await elsewhere.upload(MAP + b"!", "DM9.map", version="1.0", by=stranger)
    assert not done.again and done.artifact.name == "DM9"
    assert [one.name for one in await elsewhere.mods.suggest_mods(stranger, "")] == ["DM9"]


async def test_a_bot_that_died_in_an_upload_is_in_nobodys_way(shop: Workshop) -> None:
    """Its row stays `uploading`; the same version can be uploaded at once, and the row is rejected later."""
    stalled = asyncio.Event()

    async def read() -> bytes:
        await stalled.wait()
        return MAP

    dying = asyncio.create_task(
        shop.artifacts.upload(await shop.owner(), Upload(Attachment("dm9.map", 4, read), version="1.0"))
    )
    while not await shop.artifact_rows():
        await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert [row[2] for row in await shop.artifact_rows()] == ["uploading"]
    await shop.upload(MAP, "dm9.map", version="1.0")
    assert await ModSweep(shop.world.db).abandoned() == {"rejected": 0}, "it could still be under way"
    await shop.world.rows("update mod_artifacts set created_at = now() - interval '1 hour' where status = 'uploading'")
    assert await ModSweep(shop.world.db).abandoned() == {"rejected": 1}
    found = await shop.world.rows(
        "select actor_type, outcome, error from audit_logs where action = 'mod.upload.abandoned'"
    )
    assert found == [("system", "failed", "the bot was ended while the file was read")]
    rows = await shop.world.rows("select status, reject_reason from mod_artifacts order by created_at")
    assert rows == [("rejected", "the bot was ended while the file was read"), ("ready", None)]


async def test_files_of_dead_processes_are_swept_when_the_next_one_comes(shop: Workshop) -> None:
    incoming = shop.place / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "old").write_bytes(b"half")
    (incoming / "new").write_bytes(b"half")
    long_ago = (clock.now() - timedelta(hours=2)).timestamp()
    os.utime(incoming / "old", (long_ago, long_ago))
    await shop.upload(MAP, "dm9.map", version="1.0")
    assert shop.files() == [f"{SHA[:2]}/{SHA}", "incoming/new"]


async def test_files_that_nothing_names_are_removed_after_a_day(shop: Workshop) -> None:
    """Two guilds keep one file; it goes with the second of them."""
    await shop.upload(MAP, "dm9.map", version="1.0")
    stranger = await shop.people.actor("eve", administrator=True, guild_id=2002, guild_name="Other")
    await shop.upload(MAP, "dm9.map", version="1.0", by=stranger)
    await shop.upload(mod())
    long_ago = (clock.now() - timedelta(hours=25)).timestamp()
    os.utime(shop.store.path(SHA), (long_ago, long_ago))
    await shop.world.rows("delete from mod_artifacts where org_id = :org", org=shop.world.org_id)
    assert await shop.artifacts.tidy() == {"removed": 0}
    await shop.world.rows("delete from mod_artifacts")
    assert await shop.artifacts.tidy() == {"removed": 1}
    assert len(shop.files()) == 1 and SHA not in shop.files()[0], "the other one may be just being written down"


async def test_a_file_that_grows_beyond_the_limit(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact_store, "PACKED_MAX", 100)
    with pytest.raises(Invalid, match="larger than"):
        await shop.upload(MAP, "dm9.map", version="1.0")
    assert shop.files() == []


async def test_a_storage_that_cannot_be_written(shop: Workshop) -> None:
    shop.place.write_bytes(b"a file where the directory should be")
    with pytest.raises(Unavailable, match="cannot be stored"):
        await shop.upload(MAP, "dm9.map", version="1.0")
    assert [row[2] for row in await shop.artifact_rows()] == ["rejected"]


async def test_discord_that_does_not_hand_the_file_out(shop: Workshop) -> None:
    async def read() -> bytes:
        raise Unavailable("Discord does not hand the file out.")

    with pytest.raises(AppError, match="hand the file out"):
        await shop.artifacts.upload(await shop.owner(), Upload(Attachment("dm9.map", 4, read), version="1.0"))
    assert shop.files() == []
