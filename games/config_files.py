"""Configuration files of games, pure: the old text and our settings in, the new text out. What is not ours stays."""

from collections.abc import Collection, Mapping
from typing import Literal, assert_never

from games.formats import key_value, xml_properties

Format = Literal["xml-properties", "key-value"]


def write(form: Format, old: str, settings: Mapping[str, str], *, keep: Collection[str] = ()) -> str:
    """The file with these settings; `old` is empty for a new one. ValueError when it is not of this format.

    A setting in `keep` that the file has is left as it is.
    """
    if keep and old:
        there = read(form, old)
        settings = {key: value for key, value in settings.items() if not (key in keep and key in there)}
    match form:
        case "xml-properties":
            return xml_properties.write(old, settings)
        case "key-value":
            return key_value.write(old, settings)
        case _:
            assert_never(form)


def read(form: Format, text: str) -> dict[str, str]:
    """The settings that a file has, e.g. the password of a server that is taken over."""
    match form:
        case "xml-properties":
            return xml_properties.read(text)
        case "key-value":
            return key_value.read(text)
        case _:
            assert_never(form)
