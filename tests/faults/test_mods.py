"""kill -9 of bot and agent between the steps of an upload and of a deployment: never half a mod, never one twice."""

from pathlib import Path

import pytest

from tests.faults.locks import locked, stands_still
from tests.faults.town import Town
from tests.games.evil_zips import packed
from tests.wire.interactions import Interaction
from tests.wire.trouble import posts_to
from tests.wire.waiting import eventually

INFO = '<xml><Name value="Demo"/><Version value="{}"/></xml>'


def mod(version: str) -> tuple[str, bytes]:
    return f"demo-{version}.zip", packed({"Demo/ModInfo.xml": INFO.format(version), "Demo/Config/a.xml": "<configs/>"})


async def upload(town: Town, version: str) -> Interaction:
    return await town.discord.attach(town.owner, town.ops, "mod upload", mod(version))


async def deploy(town: Town, version: str) -> Interaction:
    """Uploads and asks; what is returned is the press of the button."""
    assert f"Demo {version} is ready" in (await (await upload(town, version)).answer()).text
    asked = await (await town.command("mod deploy", server=town.server, mod="Demo", version=version)).answer()
    return await town.discord.press(town.owner, asked, "Deploy on")


async def deployments(town: Town) -> list[tuple[str, str]]:
    """(version, status), oldest first."""
    rows = await town.rows(
        """select a.version, d.status from mod_deployments d join mod_artifacts a on a.id = d.artifact_id
            order by d.created_at"""
    )
    return [(version, status) for version, status in rows]


def loaded(town: Town, version: str) -> int:
    """How often the game itself said that it loaded this version."""
    return town.game.log().count(f"Loaded Mod: Demo ({version})")


def lies(town: Town) -> str:
    """The version in the game's directory, nothing besides it and no trace of another one."""
    folders = {folder.name: folder for folder in (town.game.directory / "Mods").iterdir()}
    assert folders.keys() == {"0_TFP_Harmony", "Demo"}, "the game brings the other one"
    return (folders["Demo"] / "ModInfo.xml").read_text().split('Version value="')[1].split('"')[0]


async def test_of_the_bot_while_it_reads_the_file(town: Town) -> None:
    """Nothing of it counts, and the same version can be uploaded at once."""
    hold = town.discord.trouble.hold(r"GET /attachments/\d+")
    await upload(town, "1.0")
    await hold.until_arrived()
    assert await town.rows("select status from mod_artifacts") == [("uploading",)]
    await town.bot.kill()
    hold.lose()
    await town.bot.start()
    assert "Demo 1.0 is ready" in (await (await upload(town, "1.0")).answer()).text
    rows = await town.rows("select status from mod_artifacts order by created_at")
    assert rows == [("uploading",), ("ready",)]
    assert len(_kept(town)) == 1
    assert await town.rows("select count(*) from audit_logs where action = 'mod.upload'") == [(1,)]


async def test_of_the_bot_between_the_file_and_its_row(town: Town) -> None:
    """The file lies there under its name and nothing names it; the same upload again finds it."""
    hold = town.discord.trouble.hold(r"GET /attachments/\d+")
    await upload(town, "1.0")
    await hold.until_arrived()
    async with locked(town, "mod_artifacts"):
        hold.release()
        await stands_still(town, "mods.ready")
        assert len(_kept(town)) == 1
        await town.bot.kill()
    await town.bot.start()
    assert "Demo 1.0 is ready" in (await (await upload(town, "1.0")).answer()).text
    assert len(_kept(town)) == 1 and not list((town.place / "artifacts/incoming").iterdir())
    rows = await town.rows("select status from mod_artifacts order by created_at")
    assert rows == [("uploading",), ("ready",)]


def _kept(town: Town) -> list[Path]:
    """The files that count."""
    places = (town.place / "artifacts").iterdir()
    return [file for place in places if len(place.name) == 2 for file in place.iterdir()]


async def test_of_the_bot_after_the_wish_was_written_down(town: Town) -> None:
    await (await upload(town, "1.0")).answer()
    post = town.discord.trouble.hold(posts_to(town.ops.id))
    asked = await (await town.command("mod deploy", server=town.server, mod="Demo")).answer()
    number = await town.number(await town.discord.press(town.owner, asked, "Deploy on"))
    await post.until_arrived()
    await town.bot.kill()
    post.lose()
    await town.bot.start()
    await town.a_minute_passes()
    await town.end_of(number, "done")
    assert await deployments(town) == [("1.0", "active")]
    assert (loaded(town, "1.0"), lies(town)) == (1, "1.0")
    await town.whole()


async def test_of_the_bot_while_the_game_starts(town: Town) -> None:
    """The result waits on the host's disk until there is a bot again."""
    town.game.slow(1.5)
    number = await town.number(await deploy(town, "1.0"))
    await town.reaches(number, "waiting_ready")
    await town.bot.kill()
    await town.host.until(lambda: bool(town.host.spooled(".result")))
    await town.bot.start()
    await town.a_minute_passes()
    await town.end_of(number, "done")
    assert await deployments(town) == [("1.0", "active")] and loaded(town, "1.0") == 1
    await town.whole()


@pytest.mark.parametrize("step", ["stopping", "waiting_ready"])
async def test_of_the_agent_between_the_swap_and_the_proof(town: Town, step: str) -> None:
    """It takes back what it cannot prove and begins again: the end is as it would have been without."""
    await town.succeeds(await deploy(town, "1.0"))
    if step == "stopping":
        town.game.stops_slowly(2.0)
        await town.succeeds(await town.restart())
    else:
        town.game.slow(2.0)
    number = await town.number(await deploy(town, "1.1"))
    await town.reaches(number, step)
    await town.host.kill()
    town.game.slow(0.2)
    await town.host.start()
    await town.end_of(number, "done")
    assert await deployments(town) == [("1.0", "superseded"), ("1.1", "active")]
    assert lies(town) == "1.1"
    newest = town.game.log().rpartition("Loaded Mod: Demo (")[2]
    assert newest.startswith("1.1)"), "the game that runs has it"
    assert await _inventory(town, "1.1")
    await town.whole()


async def _inventory(town: Town, version: str) -> bool:
    """Waits until the host has said that the server has this version, and that it is ours."""

    async def look() -> bool:
        rows = await town.rows(
            """select m.version, a.version from server_mods m left join mod_artifacts a on a.id = m.artifact_id
                where m.folder = 'Demo'"""
        )
        return rows == [(version, version)]

    return await eventually(look, 20.0, lambda: f"a list of mods with Demo {version}")
