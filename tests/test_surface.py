"""What people and hosts can reach: all of it goes through the gate, names permissions that exist, and is documented."""

import ast
import typing
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from agent import wire
from agent.config import AgentConfig
from bot.client import EXTENSIONS, Client
from bot.config import Settings
from bot.domain.jobs import JOBS, JobType
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.gate import Spec, routes, ungated
from tests.sources import ROOT, sources

Command = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu


@pytest.fixture
async def tree() -> app_commands.CommandTree[Any]:
    """The whole command tree, loaded as the bot loads it, without Discord or a database."""
    client = Client(cast("Any", None))
    for extension in EXTENSIONS:
        await client.load_extension(extension)
    return client.tree


def _commands(tree: app_commands.CommandTree[Any]) -> Iterator[Command]:
    for command in [*tree.walk_commands(), *tree.get_commands()]:
        if not isinstance(command, app_commands.Group):
            yield command


def test_every_cog_is_loaded() -> None:
    """One that is not loaded is neither refused nor registered: its commands are just missing."""
    cogs = {PurePath(source.path).stem for source in sources("cogs") if "async def setup(" in source.text}
    assert cogs == {name.removeprefix("cogs.") for name in EXTENSIONS}


async def test_every_command_and_autocomplete_is_gated(tree: app_commands.CommandTree[Any]) -> None:
    assert any(_commands(tree))
    assert ungated(tree) == []


async def test_an_ungated_command_is_found(tree: app_commands.CommandTree[Any]) -> None:
    """The check that the bot refuses to start with sees what it has to see."""

    async def loose(interaction: discord.Interaction) -> None:
        """Answers by itself."""

    tree.add_command(app_commands.Command(name="loose", description="Not gated", callback=loose))
    assert ungated(tree) == ["loose"]


async def test_gates_name_permissions_that_exist(tree: app_commands.CommandTree[Any]) -> None:
    declared = {command.qualified_name: cast("Any", command.callback).__gated__ for command in _commands(tree)}
    declared |= {route: spec for route, (spec, _) in routes.items()}
    unknown = {
        name: spec.permission
        for name, spec in cast("dict[str, Spec]", declared).items()
        if spec.permission and spec.permission not in PERMISSIONS
    }
    assert unknown == {}


def _routes_shown() -> Iterator[tuple[str, str]]:
    """Place and route of each component that is built with a literal one."""
    for source in [source for source in sources("bot", "cogs") if source.within("bot/ui", "cogs")]:
        for call in [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]:
            name = ast.unparse(call.func).rpartition(".")[2]
            position = {"custom_id": 0, "Button": 1}.get(name)
            given = call.args[position : position + 1] if position is not None else []
            for value in [*given, *(keyword.value for keyword in call.keywords if keyword.arg == "route")]:
                if isinstance(value, ast.Constant) and value.value:
                    yield source.at(call), str(value.value)


async def test_every_button_leads_somewhere(tree: app_commands.CommandTree[Any]) -> None:
    shown = list(_routes_shown())
    assert shown
    assert [(place, route) for place, route in shown if route not in routes] == []


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
    spec = cast("Spec", cast("Any", command.callback).__gated__)
    return " | ".join((f"`/{command.qualified_name}`", " ".join(shown), f"`{spec.permission}`" * bool(spec.permission)))


async def test_commands_are_documented_as_they_are(tree: app_commands.CommandTree[Any]) -> None:
    """Name, options and permission of every command, and no other command."""
    page = (ROOT / "docs" / "commands.md").read_text()
    rows = {
        " | ".join(cell.strip() for cell in row.split("|")[1:4]) for row in page.splitlines() if row.startswith("| `/")
    }
    wanted = {_row(command) for command in _commands(tree)}
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
