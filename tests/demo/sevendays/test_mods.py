"""Which mods are loaded, and what the log and `version` say of it."""

from collections.abc import Callable

import pytest

from tests.demo.sevendays.running import Running

V2 = '<xml><Name value="{}"/><DisplayName value="x"/><Version value="1.0.3"/></xml>'
FOLDERS = {
    "Good": V2.format("Good_Mod-1"),
    "Again": V2.format("Good_Mod-1"),
    "Legacy": f"<xml><ModInfo>{V2.format('Legacy')[5:-6]}</ModInfo></xml>",
    "Nameless": "<xml><Version value='1'/></xml>",
    "Spaces": V2.format("Not Allowed"),
    "Broken": "<xml>",
    "Empty": None,
}


@pytest.fixture
def server(made: Callable[..., Running]) -> Running:
    server = made()
    for name, manifest in FOLDERS.items():
        folder = server.directory / "Mods" / name
        folder.mkdir(parents=True)
        if manifest is not None:
            (folder / "ModInfo.xml").write_text(manifest, "utf-8")
    beside = server.directory / "UserData/Mods/Other"
    beside.mkdir(parents=True)
    (beside / "ModInfo.xml").write_text(V2.format("Other"), "utf-8-sig")
    return server.start()


async def test_each_folder_is_judged(server: Running) -> None:
    mods = [message for message in server.messages() if "[MODS]" in message and "Trying" not in message]
    own, other = server.directory / "Mods", server.directory / "UserData/Mods"
    assert mods[0] == f"INF [MODS] Start loading from: '{own}'"
    assert mods[-3:] == [
        f"INF [MODS] Start loading from: '{other}'",
        "INF [MODS]     Loaded Mod: Other (1.0.3)",
        "INF [MODS] Loading done",
    ]
    for wanted in (
        "INF [MODS]     Loaded Mod: TFP_Harmony (1.1.0.4)",
        "INF [MODS]     Loaded Mod: Good_Mod-1 (1.0.3)",
        "WRN [MODS]     Mod with same name (Good_Mod-1) already loaded, ignoring",
        "ERR [MODS]     Legacy/ModInfo.xml in legacy format. V2 required to load mod",
        "ERR [MODS]     Could not parse Legacy/ModInfo.xml, ignoring",
        "ERR [MODS]     Could not parse Nameless/ModInfo.xml, ignoring",
        "ERR [MODS]     Could not parse Spaces/ModInfo.xml, ignoring",
        "ERR [MODS]     Could not parse Broken/ModInfo.xml, ignoring",
        "WRN [MODS]     Folder Empty does not contain a ModInfo.xml, ignoring",
    ):
        assert wanted in mods
    console = await server.console()
    assert (await console.ask("version"))[1:] == [
        "Mod TFP_Harmony: 1.1.0.4",
        "Mod Good_Mod-1: 1.0.3",
        "Mod Other: 1.0.3",
    ]
