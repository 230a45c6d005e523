"""What people and hosts can reach names permissions that exist, matches the protocol, and is documented."""

import typing
from pathlib import PurePath

import pytest

from agent import wire
from agent.config import AgentConfig
from bot.client import EXTENSIONS
from bot.config import Settings
from bot.domain.jobs import JOBS, JobType
from bot.domain.permissions import PERMISSIONS, PRESETS
from tests.sources import ROOT, sources
from tests.surface import Command, Tree, commands_of, guarded, loaded, spec_of


@pytest.fixture
async def tree() -> Tree:
    return await loaded()


def test_every_cog_is_loaded() -> None:
    """One that is not loaded is neither refused nor registered: its commands are just missing."""
    cogs = {PurePath(source.path).stem for source in sources("cogs") if "async def setup(" in source.text}
    assert cogs == {name.removeprefix("cogs.") for name in EXTENSIONS}


async def test_gates_name_permissions_that_exist(tree: Tree) -> None:
    assert {name: what for name, what in guarded(tree).items() if name and name not in PERMISSIONS} == {}


def test_presets_and_jobs_name_permissions_that_exist() -> None:
    assert len(PERMISSIONS) == 65
    assert [preset.name for preset in PRESETS if not preset.permissions <= PERMISSIONS.keys()] == []
    assert [job for job, spec in JOBS.items() if spec.permission not in PERMISSIONS] == []


def test_job_types_match_the_protocol() -> None:
    """A type that one side lacks would be queued and never understood."""
    union = typing.get_args(wire.JobParams)[0]
    params = {model.model_fields["type"].default for model in typing.get_args(union)}
    assert params == set(JobType) == set(JOBS) == set(wire.PHASES)


def _row(command: Command) -> str:
    """A command's row in the documentation, up to the words."""
    shown = [
        f"`{option.name}{'*' * option.required}{'~' * option.autocomplete}`"
        for option in getattr(command, "parameters", ())
    ]
    spec = spec_of(command)
    return " | ".join((f"`/{command.qualified_name}`", " ".join(shown), f"`{spec.permission}`" * bool(spec.permission)))


async def test_commands_are_documented_as_they_are(tree: Tree) -> None:
    """Name, options and permission of every command, and no other command."""
    page = (ROOT / "docs" / "commands.md").read_text()
    rows = {
        " | ".join(cell.strip() for cell in row.split("|")[1:4]) for row in page.splitlines() if row.startswith("| `/")
    }
    wanted = {_row(command) for command in commands_of(tree)}
    assert (sorted(wanted - rows), sorted(rows - wanted)) == ([], []), "missing rows, then wrong ones"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("operate.md", [f"GAMEKEEPER_{name.upper()}" for name in Settings.model_fields]),
        ("agent.md", list(AgentConfig.model_fields)),
    ],
)
def test_every_setting_is_documented(page: str, names: list[str]) -> None:
    text = (ROOT / "docs" / page).read_text()
    assert [name for name in names if f"`{name}`" not in text] == []
