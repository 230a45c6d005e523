"""What is said of a server that cannot do what was asked."""

import pytest

from bot.errors import Unsupported
from bot.services.servers import must_be_able
from tests.bot.ui.samples import server


@pytest.mark.parametrize(
    ("capabilities", "remedy"),
    [
        (["start", "bans", "bans_memory"], "It supports: start, bans."),
        (["start", "@everyone"], "It supports: start, @\u200beveryone."),
        (["bans_memory"], "It supports: nothing yet: its host has not reported the game."),
    ],
)
def test_what_it_can_do_is_named(capabilities: list[str], remedy: str) -> None:
    with pytest.raises(Unsupported) as refused:
        must_be_able(server("EU1", capabilities=capabilities), "say")
    assert refused.value.remedy == remedy
