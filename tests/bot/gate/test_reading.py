"""What of an interaction's options the audit log keeps."""

from typing import Any

import pytest

from bot.gate.reading import redacted


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        ("url", "https://example.org/mods/a.zip", "https://example.org/mods/a.zip"),
        ("url", "https://example.org/a.zip?X-Signature=secret&b=1", "https://example.org/a.zip…"),
        ("url", "https://example.org/a.zip#secret\nmore", "https://example.org/a.zip…"),
        ("url", "https://marla:secret@example.org/a.zip", "https://…@example.org/a.zip"),
        ("reason", "why? see https://example.org/?v=1", "why? see https://example.org/?v=1"),
        ("api_key", "secret", "…"),
        ("reason", "x" * 3000, "x" * 512),
        ("count", 3, 3),
    ],
)
def test_an_option_is_kept_without_what_lets_somebody_in(option: str, value: Any, kept: Any) -> None:
    assert redacted({option: value, "left_out": None}) == {option: kept}
