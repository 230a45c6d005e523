"""ZIP files as an enemy makes them: headers that say what nobody should believe."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

Entry = tuple[str, bytes]


def packed(files: Mapping[str, str | bytes] | Sequence[Entry], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file as everybody makes it; a name may come twice in a sequence."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return target.getvalue()


def special(name: str, mode: int, content: bytes = b"/etc/passwd") -> bytes:
    """An archive with an entry of some Unix file type."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return target.getvalue()


def link(name: str = "Demo/link") -> bytes:
    """An archive with a symbolic link."""
    return special(name, stat.S_IFLNK | 0o777)


def renamed(content: bytes, old: str, new: str) -> bytes:
    """The name of an entry changed in all headers, to what `zipfile` would not write. Both are of the same length."""
    assert len(old.encode()) == len(new.encode("latin-1"))
    return content.replace(old.encode(), new.encode("latin-1"))


def lying(content: bytes, size: int) -> bytes:
    """The first entry of the directory says that it is `size` bytes long."""
    at = content.index(b"PK\x01\x02")
    return content[: at + 24] + struct.pack("<L", size) + content[at + 28 :]


def overlapping(copies: int) -> bytes:
    """A directory whose entries are all the same bytes of the file: a small file with a huge content."""
    whole = packed({"a.txt": bytes(100_000)})
    start = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    entry = whole[start:end]
    entries = b"".join(entry.replace(b"a.txt", f"{n:05d}".encode()) for n in range(copies))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(entries), start, 0)
    return whole[:start] + entries + tail


def counted(content: bytes, entries: int) -> bytes:
    """The end of the archive says that it has so many entries."""
    at = content.rindex(b"PK\x05\x06")
    return content[: at + 8] + struct.pack("<2H", entries, entries) + content[at + 12 :]


def written(directory: Path, content: bytes, name: str = "mod.zip") -> Path:
    path = directory / name
    path.write_bytes(content)
    return path
