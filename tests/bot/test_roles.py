"""What a process may be for."""

import pytest

from bot.errors import Invalid
from bot.roles import roles_of


@pytest.mark.parametrize(
    ("text", "roles"),
    [("bot", {"bot"}), ("bot,http,workers", {"bot", "http", "workers"}), (" http,http ,workers,", {"http", "workers"})],
)
def test_any_of_them(text: str, roles: set[str]) -> None:
    assert roles_of(text) == roles


@pytest.mark.parametrize("text", ["web", "bot,web", "Bot", "", " , "])
def test_what_is_none_is_said_in_three_lines(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        roles_of(text)
    said = f"{refused.value.what}\n{refused.value.remedy}".splitlines()
    assert len(said) == 3 and all(role in said[1] for role in ("bot", "http", "workers"))
