"""The steps on a job's card: what was done, what was left out, and what was taken back."""

from typing import Any

import pytest

from bot.ui.jobs import progress_card
from tests.bot.ui import samples
from tests.bot.ui.limits import text_of


@pytest.mark.parametrize(
    ("changed", "steps"),
    [
        ({"status": "running", "phase": "swapping"}, "✓ Download   ✓ Unpack   ▸ **Swap**   ○ Stop"),
        ({"status": "running", "phase": "rolling_back"}, "✓ Ready   ✗ **Verify**   ▸ **Roll back**"),
        ({"status": "failed", "phase": "unpacking"}, "✓ Download   ✗ **Unpack**   ○ Swap"),
        (
            {"status": "success", "result": {"state": "installed", "restarted": False}},
            "✓ Download   ✓ Unpack   ✓ Swap   ✓ Verify",
        ),
        (
            {"status": "failed", "phase": "verifying", "result": {"state": "rolled_back", "restarted": True}},
            "✓ Stop   ✓ Start   ✓ Ready   ✗ **Verify**   ✓ Roll back",
        ),
        (
            {"status": "failed", "phase": "rolling_back", "result": {"state": "rolled_back", "restarted": False}},
            "✓ Download   ✓ Unpack   ✓ Swap   ✗ **Verify**   ✓ Roll back",
        ),
    ],
)
def test_a_deployment_tells_what_became_of_it(changed: dict[str, Any], steps: str) -> None:
    assert steps in text_of(progress_card(samples.job("EU #1", **{"type": "MOD_INSTALL", "result": None, **changed})))
