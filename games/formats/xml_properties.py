"""`<property name="…" value="…"/>`, as in the serverconfig.xml of 7 Days to Die."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from games.lines import one_line

_EMPTY: Final = '<?xml version="1.0"?>\n<ServerSettings>\n</ServerSettings>\n'
_PIECE: Final = re.compile(r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<property\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.DOTALL)
_ATTRIBUTE: Final = re.compile(r"""(?P<before>\s)(?P<name>name|value)(?P<equals>\s*=\s*)(?P<text>"[^"]*"|'[^']*')""")
_ROOT_END: Final = re.compile(r"</[A-Za-z_][\w.-]*\s*>(?=(?:\s|<!--.*?-->)*\Z)", re.DOTALL)
_BOM: Final = "\ufeff"


def write(old: str, settings: Mapping[str, str]) -> str:
    """Change the values in place and add what is missing; comments, order and other properties stay."""
    for name, value in settings.items():
        if not one_line(name + value):
            raise ValueError(f"`{name}` contains a line break or another control character.")
    text = old if old.strip(_BOM + " \t\r\n") else _EMPTY
    missing = dict(settings)
    present = read(text)

    def change(piece: re.Match[str]) -> str:
        name = _attributes(piece[0]).get("name", "")
        if piece[0].startswith("<!") or name not in settings:
            return piece[0]
        missing.pop(name, None)
        return _with_value(piece[0], settings[name])

    text = _added(_PIECE.sub(change, text), missing)
    if read(text) != {**present, **settings} or any(settings.get(n, v) != v for n, v in _properties(text)):
        raise ValueError("The file has properties in a form that cannot be changed safely.")
    return text


def read(text: str) -> dict[str, str]:
    """The properties of a file, the last of each. ValueError when it is not such a file."""
    return dict(_properties(text))


def _properties(text: str) -> list[tuple[str, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("The file declares XML entities, which a configuration does not need.")
    try:
        root = ElementTree.fromstring(text.removeprefix(_BOM).encode(errors="surrogateescape"))  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise ValueError(f"The file is not valid XML: {error}") from error
    return [(p.get("name", ""), p.get("value", "")) for p in root.iter("property")]


def _attributes(tag: str) -> dict[str, str]:
    return {found["name"]: found["text"][1:-1] for found in _ATTRIBUTE.finditer(tag)}


def _quoted(value: str) -> str:
    return '"' + escape(value, {'"': "&quot;"}) + '"'


def _with_value(tag: str, value: str) -> str:
    def change(found: re.Match[str]) -> str:
        if found["name"] != "value":
            return found[0]
        return f"{found['before']}value{found['equals']}{_quoted(value)}"

    if "value" in _attributes(tag):
        return _ATTRIBUTE.sub(change, tag)
    return tag[: len("<property")] + f" value={_quoted(value)}" + tag[len("<property") :]


def _added(text: str, missing: Mapping[str, str]) -> str:
    if not missing:
        return text
    end = _ROOT_END.search(text)
    if end is None:
        raise ValueError("The file has no closing tag to add properties before.")
    newline = "\r\n" if "\r\n" in text else "\n"
    return text[: end.start()] + "".join(_lines(missing, newline)) + text[end.start() :]


def _lines(settings: Mapping[str, str], newline: str) -> Iterator[str]:
    for name, value in settings.items():
        yield f"\t<property name={_quoted(name)} value={_quoted(value)} />{newline}"
