"""Uploaded files against the rules: what is taken, and every trick that is not."""

import hashlib
import random
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from games import zips
from games.archives import ArchiveError, Manifest, Unit, folder_name, inspect
from tests.games import evil_zips as evil
from tests.games.evil_zips import packed, written

FOLDER = Unit("folder", manifest="ModInfo.xml", manifest_format="7dtd_v2")
MAP = Unit("file", suffix=".map")
INFO = '<?xml version="1.0"?>\n<xml><Name value="Demo_Mod"/><Version value="1.0.3"/><Author value="Ann"/></xml>'


def judged(directory: Path, content: bytes, unit: Unit = FOLDER, name: str = "mod.zip") -> Manifest:
    return inspect(written(directory, content, name), unit, file_name=name)


def refusal(directory: Path, content: bytes, unit: Unit = FOLDER, name: str = "mod.zip") -> str:
    with pytest.raises(ArchiveError) as refused:
        judged(directory, content, unit, name)
    assert refused.value.remedy
    return refused.value.what


# -------------------------------------------------------------------------------------------------------------- taken


@pytest.mark.parametrize("wrapper", ["", "Demo/", "download/mods/Demo/"])
def test_a_mod_is_taken_however_deep_its_folder_lies(tmp_path: Path, wrapper: str) -> None:
    content = {f"{wrapper}ModInfo.xml": INFO, f"{wrapper}Config/items.xml": "<a/>", "__MACOSX/._x": "junk"}
    found = judged(tmp_path, packed(content))
    assert (found.name, found.version, found.author) == ("Demo_Mod", "1.0.3", "Ann")
    assert [(file.path, file.size) for file in found.files] == [("ModInfo.xml", len(INFO)), ("Config/items.xml", 4)]
    assert found.files[1].sha256 == hashlib.sha256(b"<a/>").hexdigest() and found.size == len(INFO) + 4


def test_a_map_is_taken_as_it_is_or_alone_in_an_archive(tmp_path: Path) -> None:
    plain = judged(tmp_path, b"DATA", MAP, "ctf 9.map")
    in_zip = judged(tmp_path, packed({"maps/ctf 9.MAP": b"DATA"}), MAP)
    assert (plain.name, in_zip.name) == ("ctf 9", "ctf 9")
    assert plain.files[0].sha256 == in_zip.files[0].sha256 == hashlib.sha256(b"DATA").hexdigest()


def test_a_folder_without_a_manifest_is_what_all_files_have_in_common(tmp_path: Path) -> None:
    found = judged(tmp_path, packed({"x/ai/main.nut": "1", "x/ai/lib/a.nut": "2"}), Unit("folder"))
    assert [file.path for file in found.files] == ["main.nut", "lib/a.nut"]


def test_files_are_placed_as_they_were_judged(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def place(path: str) -> BinaryIO:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        return (target / path).open("xb")

    source = written(tmp_path, packed({"Demo/ModInfo.xml": INFO, "Demo/Config/big.bin": bytes(range(256)) * 4000}))
    found = inspect(source, FOLDER, place=place)
    placed = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert {file.path: file.sha256 for file in found.files} == {
        path: hashlib.sha256(content).hexdigest() for path, content in placed.items()
    }


# ------------------------------------------------------------------------------------------------------------ refused


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("../ModInfo.xml", "leads out"),
        ("Demo/../../x.xml", "leads out"),
        ("/etc/passwd", "leads out"),
        ("C:/x.xml", "leads out"),
        ("Demo/./x.xml", "leads out"),
        ("Demo//x.xml", "leads out"),
        ("Demo/..", "leads out"),
        ("Demo/x\ny.xml", "no usable file name"),
        ("Demo/" + "x" * 256, "no usable file name"),
        ("/".join("abcdefghij" * 20) + "/" * 0 + "x" * 200, "no usable file name"),
        ("Demo/\u202etxt.exe", "no usable file name"),
    ],
)
def test_paths_that_lead_elsewhere(tmp_path: Path, path: str, why: str) -> None:
    assert why in refusal(tmp_path, packed({"Demo/ModInfo.xml": INFO, path: "x"}))


@pytest.mark.parametrize("trick", ["Demo\\..\\x.xml", "Demo/\0..x.xml"])
def test_names_that_zipfile_would_not_write(tmp_path: Path, trick: str) -> None:
    good = packed({"Demo/ModInfo.xml": INFO, "Demo/12345.xml"[: len(trick)].ljust(len(trick), "z"): "x"})
    name = "Demo/12345.xml"[: len(trick)].ljust(len(trick), "z")
    assert refusal(tmp_path, evil.renamed(good, name, trick))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_special_files(tmp_path: Path, kind: int) -> None:
    assert "in the archive is" in refusal(tmp_path, evil.special("Demo/x", kind | 0o777))


@pytest.mark.parametrize(
    "names", [("Demo/a", "Demo/a"), ("Demo/a", "demo/A"), ("Demo/ß", "Demo/SS"), ("Demo", "Demo/a")]
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_the_same_somewhere(tmp_path: Path, names: tuple[str, str]) -> None:
    assert "twice" in refusal(tmp_path, packed([(name, b"x") for name in names]))


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = packed({"Demo/ModInfo.xml": INFO, "Demo/zeros": bytes(30_000_000)})
    assert "200 times" in refusal(tmp_path, zeros)
    assert "overlap" in refusal(tmp_path, evil.overlapping(500))
    assert "not as long" in refusal(tmp_path, evil.lying(packed({"a": b"x" * 5000}), 9000), Unit("folder"))
    assert "damaged" in refusal(tmp_path, evil.lying(packed({"a": b"x" * 5000}), 10), Unit("folder"))
    monkeypatch.setattr(zips, "UNPACKED_MAX", 1000)
    assert "unpacks to more" in refusal(tmp_path, packed({"Demo/ModInfo.xml": INFO, "Demo/a": b"x" * 2000}))


def test_too_many_and_too_few_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is empty" in refusal(tmp_path, packed({}))
    assert "more than 10,000" in refusal(tmp_path, evil.counted(packed({"a": "x"}), 10_001))
    many = packed({f"Demo/{n}": b"" for n in range(10_001)}, zipfile.ZIP_STORED)
    assert "more than 10,000" in refusal(tmp_path, many)
    assert "more than 10,000" in refusal(tmp_path, evil.counted(many, 10)), "what the end says is not believed"
    names = packed({f"Demo/{'x' * 200}/{'y' * 200}{n}": b"" for n in range(9_900)}, zipfile.ZIP_STORED)
    assert "list of what is in the archive" in refusal(tmp_path, names)
    monkeypatch.setattr(zips, "PACKED_MAX", 100)
    assert "larger than" in refusal(tmp_path, packed({"Demo/ModInfo.xml": INFO}))


def test_unusual_ways_to_pack(tmp_path: Path) -> None:
    assert "unusual method" in refusal(tmp_path, packed({"a": "x"}, zipfile.ZIP_LZMA))
    encrypted = bytearray(packed({"a": "x"}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(tmp_path, bytes(encrypted))
    assert "no ZIP file" in refusal(tmp_path, b"GIF89a" * 100)
    assert "no ZIP file" in refusal(tmp_path, b"")
    assert "damaged" in refusal(tmp_path, packed({"Demo/ModInfo.xml": INFO})[5:])


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"Demo/readme.txt": "x"}, "no `ModInfo.xml`"),
        ({"Demo/modinfo.xml": INFO}, "spelled so"),
        ({"A/ModInfo.xml": INFO, "B/ModInfo.xml": INFO}, "2 mods in the archive: `A`, `B`"),
        ({"ModInfo.xml": INFO, "inner/ModInfo.xml": INFO}, "2 mods"),
        ({"Demo/ModInfo.xml": INFO, "readme.txt": "x"}, "`readme.txt` lies outside"),
        ({"Demo/ModInfo.xml": "<xml><ModInfo><Name value='x'/></ModInfo></xml>"}, "version 1"),
        ({"Demo/ModInfo.xml": "<xml><Name value='x y'/><Version value='1'/></xml>"}, "needs a `Name`"),
        ({"Demo/ModInfo.xml": "<xml><Name value='x'/></xml>"}, "needs a `Version`"),
        ({"Demo/ModInfo.xml": "<xml><Name"}, "not valid XML"),
        ({"Demo/ModInfo.xml": ""}, "not valid XML"),
        ({"Demo/ModInfo.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><xml><Name value='&a;'/></xml>"}, "document type"),
        ({"Demo/ModInfo.xml": "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><xml/>"}, "document type"),
        ({"Demo/ModInfo.xml": INFO + " " * 70_000}, "larger than 64 KiB"),
        ({"Demo/ModInfo.xml": '<?xml version="1.0" encoding="utf-7"?><xml/>'}, "ModInfo.xml"),
    ],
)
def test_what_is_no_mod(tmp_path: Path, files: dict[str, str], why: str) -> None:
    assert why in refusal(tmp_path, packed(files))


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (b"DATA", "dm9.zip", "no `.map` file"),
        (b"", "dm9.map", "empty"),
        (packed({"dm9.map": b""}), "dm9.zip", "empty"),
        (packed({"a.map": b"x", "b.map": b"x"}), "maps.zip", "one `.map` file"),
        (packed({"a.map": b"x", "readme.txt": b"x"}), "maps.zip", "one `.map` file"),
        (packed({"__MACOSX/a": b"x"}), "maps.zip", "no file"),
    ],
)
def test_what_is_no_map(tmp_path: Path, content: bytes, name: str, why: str) -> None:
    assert why in refusal(tmp_path, content, MAP, name)


# ---------------------------------------------------------------------------------------------------- whatever comes


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_refused_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed anywhere: a sentence or a manifest, never another error, never a path that leads out."""
    content = bytearray(packed({"Demo/ModInfo.xml": INFO, "Demo/Config/a.xml": "<a/>" * 50}))
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content))) if data.draw(st.booleans()) else len(content)
    try:
        found = judged(tmp_path, bytes(content[:cut]))
    except ArchiveError:
        return
    assert all(_harmless(file.path) for file in found.files)


_TRICKS = st.sampled_from(
    ["..", ".", "", "a", "A", "b.xml", "C:", "x\\y", "\n", "é", "e\u0301", "con", "~", "ModInfo.xml"]
)


@given(paths=st.lists(st.lists(_TRICKS, min_size=1, max_size=5).map("/".join), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_path_leads_out(tmp_path: Path, paths: list[str]) -> None:
    content = packed([("m/ModInfo.xml", INFO.encode()), *((f"m/{path}", b"x") for path in paths)])
    try:
        found = judged(tmp_path, content)
    except ArchiveError:
        return
    assert all(_harmless(file.path) for file in found.files)
    folded = [zips.folded(file.path) for file in found.files]
    assert len(set(folded)) == len(folded)


def _harmless(path: str) -> bool:
    parts = path.split("/")
    return path.isprintable() and "\\" not in path and not {"", ".", ".."} & set(parts) and ":" not in path


@given(st.text(max_size=300))
def test_a_folders_name_is_plain_and_stays_as_it_is(name: str) -> None:
    try:
        plain = folder_name(name)
    except ArchiveError:
        return
    assert folder_name(plain) == plain and len(plain) <= 63
    assert plain.isascii() and plain.isprintable() and not set(plain) & set('/\\:*?"<>|$`') and plain[0] not in " .-"


def test_a_large_mod_is_judged_in_little_memory(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(3_000_000)
    found = judged(tmp_path, packed({"Demo/ModInfo.xml": INFO, "Demo/a.bin": noise}))
    assert found.files[1].size == 3_000_000


def test_names_end_no_sentence(tmp_path: Path) -> None:
    """Sentences name files between backticks."""
    said = refusal(tmp_path, packed({"Demo/ModInfo.xml": INFO, "`@everyone` \x1b[31m": "x"}))
    assert said.count("`") == 2 and said.isprintable()
