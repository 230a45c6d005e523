"""A mod is uploaded and deployed; one that does not work is taken back by itself."""

import io
import zipfile
from pathlib import Path
from typing import Final

from bot.demo import reading
from bot.demo.host import Game
from bot.demo.people import shown
from bot.demo.story import Story

MAPS: Final = Path("/usr/share/games/teeworlds/data/maps")
_INFO: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<xml><Name value="BiggerBackpack"/>'
    '<DisplayName value="Bigger Backpack"/><Version value="{}"/><Author value="Riverside"/></xml>\n'
)


def backpack(version: str, *files: tuple[str, bytes]) -> bytes:
    """A mod folder for 7 Days to Die, as somebody would zip it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BiggerBackpack/ModInfo.xml", _INFO.format(version))
        archive.writestr("BiggerBackpack/Config/items.xml", "<configs/>")
        for name, content in files:
            archive.writestr(f"BiggerBackpack/{name}", content)
    return target.getvalue()


async def uploaded(story: Story) -> None:
    """Two versions of a mod, to be deployed by whoever likes: one works, one does not."""
    with story.tell.step("Two versions of a mod are there"):
        await _upload(story, "backpack.zip", backpack("1.0"))
        await _upload(story, "backpack-2.zip", backpack("2.0", ("Backpack.dll", b"this is no assembly")))


async def folder(story: Story, game: Game) -> None:
    """A mod of 7 Days to Die: loaded after a restart, as the game itself says; a broken version of it goes again."""
    with story.tell.step("A mod is uploaded and deployed; the game says that it has loaded it"):
        await _upload(story, "backpack.zip", backpack("1.0"))
        await _deployed(story, game, "BiggerBackpack", "1.0")
        await story.logged(game, "Loaded Mod: BiggerBackpack (1.0)")
    with story.tell.step("A broken version rolls back by itself"):
        await _upload(story, "backpack-2.zip", backpack("2.0", ("Backpack.dll", b"this is no assembly")))
        told = await _deployed(story, game, "BiggerBackpack", "2.0", ends="failed")
        assert "Failed loading DLL" in told, f"the game's reason is missing in {told!r}"
        await story.logged(game, "Loaded Mod: BiggerBackpack (1.0)")
        await _history(story, game, "**BiggerBackpack** 1.0 · **active**", "**BiggerBackpack** 2.0 · failed")


async def arena(story: Story, game: Game) -> None:
    """A map of Teeworlds: changed while people play; a broken one is refused by the game, which plays on."""
    with story.tell.step("A map is deployed to a running Teeworlds server"):
        await _upload(story, "riverside.map", (MAPS / "ctf1.map").read_bytes(), version="1.0")
        await _deployed(story, game, "riverside", "1.0")
        await story.logged(game, "maps/riverside.map crc is")
    with story.tell.step("A broken map is refused by the game, and the old one stays"):
        await _upload(story, "riverside.map", b"DATA" + bytes(range(256)), version="2.0")
        await _deployed(story, game, "riverside", "2.0", ends="failed")
        await story.logged(game, "failed to load map")
        await _history(story, game, "**riverside** 1.0 · **active**", "**riverside** 2.0 · failed")


async def _upload(story: Story, name: str, content: bytes, **options: str) -> None:
    given = "".join(f" {option}:{value}" for option, value in options.items())
    story.tell.says(story.owner, f"/mod upload file:{name}{given}")
    text = reading.text(shown(await story.owner.types("mod upload", file=(name, content), **options)))
    story.tell.shows(text, private=True)
    assert "is ready" in text, f"the upload was refused: {text!r}"


async def _deployed(story: Story, game: Game, mod: str, version: str, ends: str = "done") -> str:
    server = await story.owner.picks("mod deploy", "server", game.name)
    asked = await story.run(story.owner, "mod deploy", server=server, mod=mod, version=version)
    return await story.follow(await story.press(story.owner, asked, "Deploy"), game, seconds=60, ends=ends)


async def _history(story: Story, game: Game, *lines: str) -> None:
    server = await story.owner.picks("mod history", "server", game.name)
    text = reading.text(shown(await story.run(story.owner, "mod history", server=server)))
    for line in lines:
        assert line in text, f"{line!r} is missing in {text!r}"
