"""The steps on a job's card: what was done, what was left out, and what was taken back."""

from typing import Any

import pytest

from bot.errors import NotFound
from bot.ui import job_output
from bot.ui.jobs import progress_card
from db.queries.cards import JobCard
from tests.bot.ui import samples
from tests.bot.ui.limits import parts_of, text_of


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


def _labels(job: JobCard, **given: Any) -> list[str]:
    return [part["label"] for part in parts_of(progress_card(job, **given)) if part["type"] == 2]


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        ({"output": samples.OUTPUT}, True),
        ({"output": "x" * 1501}, True),
        ({"output": "x" * 1500}, False),
        ({"output": "\x1b" * 1501 + "x"}, False),
        ({"output": None}, False),
        ({"output": samples.OUTPUT, "status": "running"}, False),
        ({"output": samples.OUTPUT, "type": "SERVER_START"}, False),
        ({"type": "MOD_INSTALL", "result": samples.installed("x" * 40, "installed")}, True),
        ({"type": "MOD_INSTALL", "result": {"state": "installed", "verified": ["one line"]}}, False),
        ({"type": "MOD_INSTALL", "result": {"state": "conflict", "conflicts": ["one", "file"]}}, False),
        ({"type": "MOD_INSTALL", "result": None}, False),
    ],
)
def test_what_a_card_cuts_off_is_there_as_a_file(changed: dict[str, Any], more: bool) -> None:
    job = samples.job("EU #1", **{"type": "CONSOLE_COMMAND", "status": "failed", **changed})
    assert ("Whole output" in _labels(job)) is more
    assert "Whole output" not in _labels(job, public=True), "what the game said may name addresses"
    assert "Whole output" not in _labels(job, may={"jobs.view", "jobs.cancel", "servers.view"}.__contains__)


def test_the_file_has_all_of_it() -> None:
    shown, file = job_output.file_card(samples.job("EU #1", type="CONSOLE_COMMAND"))
    assert file.filename == "J-340.txt" and file.fp.read().decode() == samples.OUTPUT
    assert "attachment://J-340.txt" in str(shown.to_components())
    deployed = samples.job("EU #1", type="MOD_INSTALL", result=samples.installed("a/b.xml", "rolled_back"))
    lines = job_output.file_card(deployed)[1].fp.read().decode().splitlines()
    assert len([line for line in lines if line.startswith("- a/b.xml")]) == 50 and lines[-20:] == ["a/b.xml" * 5] * 20
    half = samples.job("EU #1", type="CONSOLE_COMMAND", output="half of a pair: \ud83d")
    assert job_output.file_card(half)[1].fp.read() == b"half of a pair: ?"


@pytest.mark.parametrize("changed", [{"output": None}, {"output": " \n"}, {"type": "MOD_INSTALL", "result": None}])
def test_a_job_without_output_has_no_file(changed: dict[str, Any]) -> None:
    with pytest.raises(NotFound, match="J-340 has no output"):
        job_output.file_card(samples.job("EU #1", **{"type": "CONSOLE_COMMAND", **changed}))
