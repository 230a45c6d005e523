"""Conventions as checks. Each has its escape beside it: a table entry with the reason, or a comment in the code.

What a linter knows already is left to it: prints (T20), naive times (DTZ), imports (import-linter), annotations.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.client import Client
from bot.domain.permissions import PERMISSIONS
from bot.gate import Show, Spec, ungated
from tests.sources import PACKAGES, ROOT, Source, files, sources, texts
from tests.surface import (
    Tree,
    chapters,
    commands_of,
    contradictions,
    guarded,
    loaded,
    loose,
    required,
    unguarded,
)

LINES = 400
LONG: dict[str, str] = {}
"""path -> why it may be longer."""

VAGUE = {"common", "core", "helper", "helpers", "misc", "util", "utils"}

ADDRESSES = re.compile(
    r"/ho[m]e/[a-z]|/Us[e]rs/[a-z]|/ro[o]t/[a-z.]|/w[o]rk/|--(?:extra-)?index-[u]rl|[/]simple/|pyth[o]nhosted"
)
ADDRESSED = {
    "LICENSE": "not ours to change",
    "tests/db/embedded/test_places.py": "asks where a made-up user's data would go",
}
"""path -> why it may name a place on somebody's machine, or a package index."""

REASON = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore)(?P<codes>[\[:][\w\s,\[\]-]*?)?(?P<rest>\s{2,}.*|\s[#-].*)?$"
)

CLOCKS = {
    "bot/clock.py": "the one place that asks",
    "bot/demo": "the playground ties the simulated clock to the real one; its game server imports nothing of ours",
}


def none(found: Iterable[str], advice: str) -> None:
    """Fails with one line per finding."""
    listed = sorted(found)
    if listed:
        pytest.fail(f"{advice}\n  " + "\n  ".join(listed), pytrace=False)


def calls(source: Source) -> Iterator[tuple[ast.Call, str, str]]:
    """Every call with its last name and what stands before it: `session.commit()` -> `commit`, `session`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr, ast.unparse(node.func.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id, ""


def test_names_say_what_is_inside() -> None:
    parts = {(name, part.removesuffix(".py")) for name in files() for part in name.split("/") if name.endswith(".py")}
    none({name for name, part in parts if part in VAGUE}, "Name the file after what is in it:")


def test_files_are_small() -> None:
    long = {source.path for source in sources() if len(source.lines) >= LINES}
    none(long - LONG.keys(), f"Split what has {LINES} lines or more, or give the reason in LONG:")
    none(LONG.keys() - long, "Not long any more, so strike it from LONG:")


def test_nothing_names_a_machine_or_a_package_index() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if name not in ADDRESSED
        for number, line in enumerate(text.splitlines(), 1)
        if ADDRESSES.search(line)
    ]
    none(found, "Paths of one machine and index addresses stay out of the repository:")


def _explained(source: Source, handler: ast.ExceptHandler) -> bool:
    around = source.lines[handler.lineno - 2 : handler.lineno + 1]
    return any("#" in line for line in around) or any(isinstance(node, ast.Raise) for node in handler.body)


def test_broad_excepts_give_their_reason() -> None:
    broad = ("Exception", "BaseException")
    found = [
        source.at(node)
        for source in sources(*PACKAGES, "benchmarks")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in broad)
        and not _explained(source, node)
    ]
    none(found, "A broad except needs a comment that says why; it belongs at the top of a loop that logs and goes on:")


def test_ignores_give_their_reason() -> None:
    found = [
        f"{source.path}:{number}"
        for source in sources()
        for number, line in enumerate(source.lines, 1)
        if (match := REASON.search(line)) and not (match["codes"] and match["rest"])
    ]
    none(found, "An ignore names its rule and gives a reason on the same line:")


def test_only_the_unit_of_work_commits() -> None:
    found = [
        source.at(call)
        for source in sources("agent", "bot", "cogs", "db", "games")
        for call, name, _ in calls(source)
        if name == "commit" and source.path != "db/uow.py"
    ]
    none(found, "One use case, one transaction: nothing inside commits (db/uow.py does):")


def test_business_time_comes_from_the_clock() -> None:
    asks = {("now", "datetime"), ("utcnow", "datetime"), ("today", "datetime"), ("today", "date"), ("time", "time")}
    found = [
        source.at(call)
        for source in sources("bot", "cogs", "db")
        for call, name, owner in calls(source)
        if (name, owner.rpartition(".")[2]) in asks and not source.within(*CLOCKS)
    ]
    none(found, "Take business time from bot.clock; tests and the playground move it:")


def test_environment_is_read_in_one_place() -> None:
    places = ("bot/config.py", "bot/__main__.py", "bot/demo", "db/embedded")  # the last two make one for their children
    found = [
        f"{source.path}:{number}"
        for source in sources("bot", "cogs", "db")
        for number, line in enumerate(source.lines, 1)
        if re.search(r"os\.(environ|getenv)", line) and not source.within(*places)
    ]
    none(found, "Settings are read by bot.config and passed down:")


def test_every_migration_goes_back() -> None:
    def body(source: Source, name: str) -> list[ast.stmt]:
        found = [node for node in source.tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        return [node for function in found for node in function.body if not isinstance(node, ast.Pass)]

    versions = [
        source
        for source in sources("migrations")
        if source.within("migrations/versions") and "def upgrade" in source.text
    ]
    assert versions
    none((source.path for source in versions if not body(source, "downgrade")), "Write the downgrade:")


def _statements(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Each `text(…)` with what its SQL begins with."""
    for call, name, _ in calls(source):
        if name == "text" and call.args:
            yield call, _beginning(call.args[0])


def _beginning(sql: ast.expr) -> str:
    """The first words of a string that is put together, with an x for each part of it that is made elsewhere."""
    if isinstance(sql, ast.BinOp):
        return _beginning(sql.left)
    parts = sql.values if isinstance(sql, ast.JoinedStr) else [sql]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)


def test_every_statement_is_named() -> None:
    """A slow statement is logged and counted by name."""
    name = re.compile(r"/\* ([a-z_]+\.[a-z_.]+) \*/")
    asking = [source for source in sources("db") if not source.within("db/models", "db/base.py")]  # those declare
    written = [(source, call, name.match(sql)) for source in asking for call, sql in _statements(source)]
    built = [
        source.at(node)
        for source in sources("db")
        if source.within("db/queries")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.stmt)
        and not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.With | ast.AsyncWith | ast.If
        )
        and re.search(r"\b(select|insert|update|delete)\(", code := ast.unparse(node))
        and "execution_options(name=" not in code
    ]
    none([source.at(call) for source, call, match in written if not match], "Begin the SQL with /* noun.verb */:")
    none(built, "Give the statement .execution_options(name=…):")
    names = Counter(match[1] for source, _, match in written if match and source.within("db/queries"))
    none((name for name, times in names.items() if times > 1), "Two statements share a name:")


def test_nothing_in_cogs_or_ui_touches_the_interaction() -> None:
    """What it could answer by itself would go round the gate."""
    shown = [source for source in sources("cogs", "bot") if source.within("cogs", "bot/ui")]
    handlers = [
        f"{source.at(node)}: {node.name}"
        for source in shown
        for owner in ast.walk(source.tree)
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name in ("callback", "on_submit", "interaction_check")
    ]
    none(handlers, "Register it with @action in a cog instead:")
    interactions = [
        source.at(node)
        for source in shown
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Name) and node.id == "Interaction")
        or (isinstance(node, ast.Attribute) and node.attr == "Interaction")
    ]
    none(interactions, "Handlers take a Call and give a Reply:")


def test_packages_are_installed_whole() -> None:
    """A folder without __init__.py is left out of the wheel, and found only when somebody installs it."""
    folders = {source.path.rpartition("/")[0] for source in sources(*PACKAGES)}
    missing = {folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()}
    none(missing - {"migrations/versions"}, "Add an __init__.py:")


def test_data_files_are_installed() -> None:
    """Only what package-data names gets into the wheel; a checkout would not notice."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = [f"{package}/{pattern}" for package, globs in settings.items() for pattern in globs]
    data = [name for name in files() if name.startswith(tuple(f"{package}/" for package in PACKAGES))]
    installed = {str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)}
    none({name for name in data if not name.endswith(".py")} - installed, "Name it in package-data of pyproject.toml:")


def test_parameters_of_tests_are_the_same_everywhere() -> None:
    """Each of several processes collects the tests for itself and has to come to the same names."""
    made = {"uuid1", "uuid4", "random", "randint", "now", "time"}  # time(6, 30) is written down
    found = [
        source.at(decorator)
        for source in sources("tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for decorator in node.decorator_list
        if "parametrize(" in ast.unparse(decorator)
        for part in ast.walk(decorator)
        if isinstance(part, ast.Call) and (name := ast.unparse(part.func).rpartition(".")[2]) in made
        if name != "time" or not part.args
    ]
    none(found, "Write the value down, or make it inside the test:")


# ------------------------------------------------------------------------------------------- what people can reach


@pytest.fixture
async def tree() -> Tree:
    return await loaded()


async def test_every_command_menu_and_autocomplete_has_the_gate(tree: Tree) -> None:
    assert any(commands_of(tree))
    none(ungated(tree), "Put @gate below the command, @suggest above its autocomplete:")


async def test_what_lacks_the_gate_is_found(tree: Tree) -> None:
    """So the check that the bot refuses to start with sees what it has to see."""

    async def answers(interaction: discord.Interaction) -> None:
        """By itself."""

    async def suggests(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return []

    async def menu(interaction: discord.Interaction, member: discord.Member) -> None:
        """By itself, too."""

    tree.add_command(app_commands.Command(name="loose", description="Not gated", callback=answers))
    tree.add_command(app_commands.ContextMenu(name="Loose", callback=menu))
    listed = next(command for command in commands_of(tree) if command.qualified_name == "job show")
    cast("app_commands.Command[Any, ..., Any]", listed).autocomplete("job")(suggests)
    assert sorted(ungated(tree)) == ["Loose", "job show: job", "loose"]


async def test_every_component_and_form_has_the_gate(tree: Tree) -> None:
    shown = [source for source in sources("bot", "cogs") if not source.within("bot/client.py")]
    none(loose(shown), "Give it the custom_id of a route of @action:")


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ui.Button(label='x')", "Button without custom_id(route)"),
        ("ui.Modal(title='x', custom_id='gk:mine')", "Modal without custom_id(route)"),
        ("discord.ui.RoleSelect[ui.View](placeholder='x')", "RoleSelect without custom_id(route)"),
        ("ui.Select(custom_id=custom_id('nobody.knows'))", "no @action('nobody.knows')"),
        ("Button('x', 'nobody.knows')", "no @action('nobody.knows')"),
        ("modal('x', 'nobody.knows', ())", "no @action('nobody.knows')"),
        ("listing('x', [], empty='', route='nobody.knows')", "no @action('nobody.knows')"),
        ("client.add_view(view)", "client.add_view"),
        ("@commands.Cog.listener()\nasync def on_interaction(): ...", "commands.Cog.listener"),
        ("@ui.button()\nasync def pressed(): ...", "ui.button"),
    ],
)
def test_a_loose_component_is_found(written: str, why: str) -> None:
    assert {found.partition(": ")[2] for found in loose([Source("cogs/new.py", written)])} == {why}


WAITING = {
    "api.keys.create": "apikey create",
    "api.keys.delete": "apikey revoke",
    "api.keys.view": "apikey list",
    "backups.restore": "backup restore",
    "deployments.view": "deploys",
    "files.delete": "mod delete",
    "files.edit": "mod config edit",
    "files.view": "mod config show",
    "integrations.manage": "integration github add",
    "monitoring.metrics": "graph",
    "players.admin": "whitelist add",
    "servers.wipe": "server wipe",
    "templates.manage": "template import",
    "templates.view": "template show",
}
"""permission -> the command that it will guard, which is not part of this release."""


async def test_every_permission_guards_something(tree: Tree) -> None:
    doing = guarded(tree)
    none(unguarded(doing) - WAITING.keys(), "Nothing that somebody can type needs these permissions:")
    none(WAITING.keys() - unguarded(doing), "These guard something by now, so strike them from WAITING:")
    there = {command.qualified_name for command in commands_of(tree)}
    none(set(WAITING.values()) & there, "These commands are there by now, so strike them from WAITING:")


async def test_a_permission_that_guards_nothing_is_found(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PERMISSIONS, "cakes.bake", "Bake cakes")
    assert "cakes.bake" in unguarded(guarded(tree))
    for proof in ("tx.require('cakes.bake')", "require(tx, 'cakes.bake' if sweet else 'bread.bake')"):
        service = Source("bot/services/cakes.py", f"async def bake(tx):\n    await {proof}")
        assert required([service]) == [("cakes.bake", "bot/services/cakes.py:2")]


async def test_what_discord_shows_agrees_with_the_tier(tree: Tree) -> None:
    none(contradictions(tree, chapters()), "Mend @app_commands.default_permissions, or move it in docs/commands.md:")


@pytest.mark.parametrize(
    ("permission", "chapter", "shown_to", "why"),
    [
        ("servers.view", "Moderators", {}, "shown to everybody, but of Moderators: moderate_members"),
        ("settings.edit", "Administrators", {}, "shown to everybody, but of Administrators: manage_guild"),
        ("jobs.view", "Moderators", {"manage_guild": True}, "shown to manage_guild, but of Moderators"),
        ("jobs.view", "Moderators", {"moderate_members": True, "kick_members": True}, "kick_members and"),
        ("settings.edit", "Everyone", {}, "everybody sees it, and players have no settings.edit"),
        ("settings.edit", "Moderators", {"moderate_members": True}, "none of it is for anybody below an administrator"),
        ("jobs.view", "Administrators", {"manage_guild": True}, "it is hidden"),
        ("servers.view", "Nowhere", {}, "of Nowhere"),
    ],
)
async def test_a_contradicting_default_is_found(
    permission: str, chapter: str, shown_to: dict[str, bool], why: str
) -> None:
    async def cakes(interaction: discord.Interaction) -> None:
        """Declares a permission, like a gated one."""

    cast("Any", cakes).__gated__ = Spec(permission, Show.PRIVATE)
    command = app_commands.Command[Any, ..., Any](name="cakes", description="x", callback=cast("Any", cakes))
    command.default_permissions = discord.Permissions(**shown_to) if shown_to else None
    tree = Client(cast("Any", None)).tree
    tree.add_command(command)
    (found,) = contradictions(tree, {"cakes": chapter})
    assert why in found
