"""serveradmin.xml: what is read, when it is read again, and what the server makes of it."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.demo.sevendays.running import Running

EOS = "0002" + "c" * 28
STEAM = "76561198000000003"
NEW = f"""\ufeff<?xml version="1.0"?>
<!-- gone after the next change -->
<adminTools>
  <users><user platform="Steam" userid="{STEAM}" name="A &amp; B" permission_level="0"/>
    <group steamID="103582791434672565" name="club" permission_level_default="1000" permission_level_mod="0"/></users>
  <whitelist/>
  <blacklist>
    <blacklisted platform="EOS" userid="{EOS}" name="Eve" unbandate="2126-09-13 21:10:38" reason="&quot;bad&quot;"/>
    <blacklisted platform="EOS" userid="{EOS[:-1]}d" name="Old" unbandate="2020-01-01 00:00:00" reason="over"/>
    <blacklisted platform="EOS" userid="{EOS[:-1]}e" name="Odd" unbandate="soon" reason="never read"/>
  </blacklist>
  <commands><permission cmd="dm" permission_level="0"/></commands>
  <apitokens><token name="map" secret="x" permission_level="0"/></apitokens>
  <custom><thing/></custom>
</adminTools>
"""
OLD = f"""<adminTools>
  <admins><admin steamID="{STEAM}" permission_level="1"/></admins>
  <permissions><permission cmd="dm" permission_level="0"/></permissions>
  <blacklist><blacklisted steamID="{STEAM}" unbandate="2126-09-13 21:10:38" reason="r"/></blacklist>
</adminTools>
"""


def _file(server: Running) -> Path:
    path = server.directory / "UserData/Saves/serveradmin.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _attributes(server: Running, path: str) -> list[dict[str, str]]:
    data = _file(server).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf<?xml")
    return [item.attrib for item in ElementTree.fromstring(data).iterfind(path)]


async def test_a_file_is_read_at_the_start_and_rewritten_by_a_change(made: Callable[..., Running]) -> None:
    server = made()
    _file(server).write_text(NEW, "utf-8")
    server.start()
    console = await server.console()
    assert (await console.ask("ban list"))[2:] == [
        f'  2126-09-13 21:10:38 - EOS_{EOS} (Eve) - "bad"',
        f"  2020-01-01 00:00:00 - EOS_{EOS[:-1]}d (Old) - over",
    ]
    await server.logged(f"WRN Ignoring blacklist entry with invalid unbandate 'soon' of EOS_{EOS[:-1]}e")
    assert _file(server).read_text("utf-8") == NEW
    assert isinstance(server.control.join("old", eos=f"{EOS[:-1]}d"), int)
    await console.ask(f"whitelist add EOS_{EOS} New")
    assert _attributes(server, "users/user") == [
        {"platform": "Steam", "userid": STEAM, "name": "A & B", "permission_level": "0"}
    ]
    assert [group["name"] for group in _attributes(server, "users/group")] == ["club"]
    assert _attributes(server, "whitelist/user") == [{"platform": "EOS", "userid": EOS, "name": "New"}]
    bans = _attributes(server, "blacklist/blacklisted")
    assert [(ban["userid"], ban["unbandate"], ban["reason"]) for ban in bans] == [(EOS, "2126-09-13 21:10:38", '"bad"')]
    assert [item["cmd"] for item in _attributes(server, "commands/permission")] == ["dm"]
    assert [item["name"] for item in _attributes(server, "apitokens/token")] == ["map"]
    text = _file(server).read_text("utf-8")
    assert "custom" not in text
    assert "<!--" not in text


async def test_files_from_before_a20_are_understood(made: Callable[..., Running]) -> None:
    server = made()
    _file(server).write_text(OLD, "utf-8")
    server.start()
    console = await server.console()
    assert (await console.ask("ban list"))[2:] == [f"  2126-09-13 21:10:38 - Steam_{STEAM} (-unknown-) - r"]
    assert (await console.ask("admin list"))[2:] == [f"      1: Steam_{STEAM} (-offline-, stored name: )"]


async def test_a_change_from_outside_is_read_and_one_of_its_own_is_not(made: Callable[..., Running]) -> None:
    server = made().start()
    console = await server.console()
    await console.ask(f"ban add EOS_{EOS} 1 day")
    own = "".join(server.messages())
    path = _file(server)
    path.write_text(path.read_text("utf-8").replace(EOS, EOS.replace("c", "f")), "utf-8")
    await server.logged("INF Reloading serveradmin.xml")
    assert "Reloading" not in own
    assert EOS.replace("c", "f") in (await console.ask("ban list"))[2]


@pytest.mark.parametrize("text", ["<adminTools>", "", "\x00"])
async def test_a_broken_file_changes_nothing(made: Callable[..., Running], text: str) -> None:
    server = made().start()
    console = await server.console()
    await console.ask(f"ban add EOS_{EOS} 1 day")
    _file(server).write_text(text, "utf-8")
    await server.logged("ERR Failed loading serveradmin.xml")
    assert len(await console.ask("ban list")) == 3
