"""ModInfo.xml of 7 Days to Die: version 2 of its format, in which `Name` and `Version` stand below the root."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn
from xml.parsers import expat

SIZE_MAX: Final = 64 * 1024
"""Bytes."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,31}")


@dataclass(frozen=True)
class ModInfo:
    """What a mod says about itself."""

    name: str
    version: str
    author: str = ""
    website: str = ""


def read(raw: bytes) -> ModInfo:
    """ValueError with a sentence when the game would not load such a mod, or the file is not safe to read."""
    if len(raw) > SIZE_MAX:
        raise ValueError(f"ModInfo.xml is larger than {SIZE_MAX >> 10} KiB.")
    values = _values(raw)
    if "ModInfo" in values:
        raise ValueError("ModInfo.xml is in the old format (version 1), which the game no longer loads.")
    name, version = values.get("Name", ""), values.get("Version", "")
    if not _NAME.fullmatch(name):
        raise ValueError("ModInfo.xml needs a `Name` of letters, digits, `_` and `-`, at most 63.")
    if not _VERSION.fullmatch(version):
        raise ValueError("ModInfo.xml needs a `Version` such as 1.0.3.")
    return ModInfo(name, version, values.get("Author", "")[:200], values.get("Website", "")[:200])


def _values(raw: bytes) -> dict[str, str]:
    """The `value` of each element right below the root; the name of the root as well, if it is `ModInfo`."""
    found: dict[str, str] = {}
    depth = 0

    def begin(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 2 or tag == "ModInfo":
            found.setdefault(tag, " ".join(attributes.get("value", "").split()))

    def end(_tag: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise ValueError(f"ModInfo.xml is not valid XML: {error}.") from error
    except _Declared as error:
        raise ValueError("ModInfo.xml declares a document type, which it does not need.") from error
    except (LookupError, ValueError) as error:
        raise ValueError("ModInfo.xml is in an unknown encoding.") from error
    return found


class _Declared(Exception):
    """A document type, which could define entities."""


def _refuse(*_declaration: object) -> NoReturn:
    raise _Declared
