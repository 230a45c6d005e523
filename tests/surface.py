"""What people can reach, read from the loaded tree, the routes and the services, for the checks of conventions."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot.client import EXTENSIONS, Client
from bot.domain.jobs import JOBS
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.domain.settings import SETTINGS
from bot.gate import Spec, routes
from tests.sources import ROOT, Source, sources

Tree = app_commands.CommandTree[Any]
Command = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu
_KINDS: Final = (discord.AppCommandType.chat_input, discord.AppCommandType.user, discord.AppCommandType.message)


async def loaded() -> Tree:
    """The whole command tree, loaded as the bot loads it, without Discord or a database."""
    client = Client(cast("Any", None))
    for extension in EXTENSIONS:
        await client.load_extension(extension)
    return client.tree


def commands_of(tree: Tree) -> Iterator[Command]:
    """Every command that can be given, context menus included."""
    for kind in _KINDS:
        for command in tree.walk_commands(type=kind):
            if not isinstance(command, app_commands.Group):
                yield command


def spec_of(command: Command) -> Spec:
    """What a gated command declares."""
    return cast("Any", command.callback).__gated__


# -------------------------------------------------------------------------------------------------------------- gate

_COMPONENTS: Final = {"Button", "Select", "ChannelSelect", "RoleSelect", "UserSelect", "MentionableSelect", "Modal"}
_PAST_THE_GATE: Final = {"add_view", "add_dynamic_items", "DynamicItem", "listener", "wait_for"}
"""What discord.py offers to be told of an interaction by itself."""


def loose(read: Iterable[Source]) -> list[str]:
    """Components and forms that are answered by nobody, or by somebody else than the gate's routes."""
    found: list[str] = []
    for source in read:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and (why := _loose(node)):
                found.append(f"{source.at(node)}: {why}")
            elif isinstance(node, ast.Attribute) and _is_past_the_gate(node):
                found.append(f"{source.at(node)}: {ast.unparse(node)}")
    return found


def _loose(call: ast.Call) -> str:
    owner, _, name = ast.unparse(call.func).partition("[")[0].rpartition(".")
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in _COMPONENTS and owner in ("ui", "discord.ui") and "url" not in given:
        made = given.get("custom_id")
        if not (isinstance(made, ast.Call) and ast.unparse(made.func) == "custom_id"):
            return f"{name} without custom_id(route)"
    position = {"custom_id": 0, "Button": 1, "modal": 1}.get(name) if not owner else None
    named = [*(call.args[position : position + 1] if position is not None else ()), given.get("route")]
    routed = [str(value.value) for value in named if isinstance(value, ast.Constant) and value.value]
    return next((f"no @action({route!r})" for route in routed if route not in routes), "")


def _is_past_the_gate(node: ast.Attribute) -> bool:
    return node.attr in _PAST_THE_GATE or ast.unparse(node) in ("ui.button", "ui.select", "discord.ui.button")


# ------------------------------------------------------------------------------------------------------- permissions


def guarded(tree: Tree) -> dict[str, set[str]]:
    """Each permission that guards something, with what: a command, a route, a kind of job, or a place in a service."""
    found: dict[str, set[str]] = {}
    named = [(spec_of(command).permission, f"/{command.qualified_name}") for command in commands_of(tree)]
    named += [(spec.permission, f"gk:{route}") for route, (spec, _) in routes.items()]
    named += [(spec.permission, kind.value) for kind, spec in JOBS.items()]
    named += [(setting.permission, f"/config set {key}") for key, setting in SETTINGS.items()]
    named += required(sources("bot"))
    for permission, what in named:
        found.setdefault(permission, set()).add(what)
    return found


def unguarded(doing: Mapping[str, object]) -> set[str]:
    """The permissions of the catalogue that guard nothing."""
    return PERMISSIONS.keys() - doing.keys()


def required(read: Iterable[Source]) -> list[tuple[str, str]]:
    """The permissions that services prove by name, in the transaction of the change, and where."""
    calls = [
        (source, node)
        for source in read
        if source.within("bot/services")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("require", "require_on")
    ]
    named = [(source, part) for source, call in calls for given in call.args for part in ast.walk(given)]
    return [
        (str(part.value), source.at(part))
        for source, part in named
        if isinstance(part, ast.Constant) and part.value in PERMISSIONS
    ]


# ------------------------------------------------------------------------------------------------------------- tiers

_TIERS: Final[Mapping[str, discord.Permissions | None]] = {
    "Everyone": None,
    "Moderators": discord.Permissions(moderate_members=True),
    "Administrators": discord.Permissions(manage_guild=True),
}
"""Chapter of docs/commands.md -> what Discord shows its commands to, unless a guild decides otherwise."""
_BESIDES: Final = {
    "ban": discord.Permissions(ban_members=True),
    "reason": discord.Permissions(ban_members=True),
    "appeals": discord.Permissions(ban_members=True),
    "audit": discord.Permissions(view_audit_log=True),
    "integration": discord.Permissions(administrator=True),
}
"""Commands inside a chapter that Discord itself has a better name for."""
_PRESETS: Final = {preset.name: preset.permissions for preset in PRESETS}


def chapters() -> dict[str, str]:
    """The chapter of docs/commands.md in which each command stands, by its first word."""
    found: dict[str, str] = {}
    chapter = ""
    for line in (ROOT / "docs" / "commands.md").read_text().splitlines():
        if line.startswith("## "):
            chapter = line.removeprefix("## ")
        elif line.startswith("| `/"):
            found[line.removeprefix("| `/").partition("`")[0].split()[0]] = chapter
    return found


def contradictions(tree: Tree, chapters: Mapping[str, str]) -> list[str]:
    """Top-level commands that Discord shows to others than their tier says, or whose tier is not theirs."""
    found: list[str] = []
    for command in tree.get_commands():
        chapter = chapters.get(command.name, "none")
        given, wanted = command.default_permissions, _BESIDES.get(command.name, _TIERS.get(chapter))
        if chapter not in _TIERS or given != wanted:
            found.append(f"/{command.name}: shown to {_words(given)}, but of {chapter}: {_words(wanted)}")
        elif misplaced := _misplaced(chapter, needs(command)):
            found.append(f"/{command.name}: {misplaced}")
    return found


def needs(command: Command | app_commands.Group) -> frozenset[str]:
    """The permissions that the leaves of a top-level command declare."""
    leaves = command.walk_commands() if isinstance(command, app_commands.Group) else [command]
    return frozenset(spec_of(leaf).permission for leaf in leaves if not isinstance(leaf, app_commands.Group))


def _misplaced(chapter: str, needed: frozenset[str]) -> str:
    """Why a command with these permissions does not belong there. Discord hides only whole groups, so a group of
    moderators may have a leaf for administrators."""
    if chapter == "Everyone" and (beyond := needed - _PRESETS["player"] - {""}):
        return f"everybody sees it, and players have no {', '.join(sorted(beyond))}"
    if chapter == "Moderators" and not needed & _PRESETS["operator"]:
        return "moderators see it, and none of it is for anybody below an administrator"
    if chapter == "Administrators" and needed <= _PRESETS["viewer"]:
        return "it is hidden, and everybody who may see things may use all of it"
    return ""


def _words(permissions: discord.Permissions | None) -> str:
    return "everybody" if permissions is None else " and ".join(name for name, value in permissions if value)
