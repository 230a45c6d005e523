"""Registers handlers: `@gate` for commands, `@action` for components and forms, `@suggest` for autocompletes."""

import asyncio
import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import discord
from discord import app_commands

from bot.domain.words import storable
from bot.errors import AppError, Invalid
from bot.gate.calls import Call, Reply, Show, Spec
from bot.gate.reading import as_declared

if TYPE_CHECKING:
    from bot.gate.entering import Gate

PATIENCE: Final = 2.0
"""Seconds for what cannot be deferred: opening a form, suggesting values."""

_NUMBER, _ID = 2**31, 2**63
"""Pages and numbers of jobs end below the one, ids of Discord and of rows (`Short`) below the other."""

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[..., Awaitable[Reply]]
Suggester = Callable[..., Awaitable[list[app_commands.Choice[str]]]]
#: route -> what it declares and its handler; filled when the cogs are imported.
routes: Final[dict[str, tuple[Spec, Handler]]] = {}


def gate(permission: str, show: Show = Show.PRIVATE) -> Callable[[Handler], Any]:
    """For slash commands and context menus; stands below `@app_commands.command`."""
    spec = Spec(permission, show)

    def wrap(handler: Handler) -> Any:
        parameters = list(inspect.signature(handler).parameters)
        own = 1 if parameters[0] == "self" else 0
        targets = parameters[own + 1 :]

        @functools.wraps(handler)  # discord.py reads the options from the handler through __wrapped__
        async def door(*args: Any, **options: Any) -> None:
            interaction = cast("discord.Interaction[Any]", args[own])
            command = interaction.command
            path = command.qualified_name if command else "?"
            given = {name: storable(value) if isinstance(value, str) else value for name, value in options.items()}

            def run(call: Call) -> Awaitable[Reply]:
                if not as_declared(interaction):
                    raise Invalid(
                        "This command was not given as it is offered.", "Give it again, with what is offered."
                    )
                return handler(*args[:own], call, *args[own + 1 :], **given)

            # whom or what a context menu was opened on comes without a name
            options = {**dict(zip(targets, args[own + 1 :], strict=False)), **given}
            await interaction.client.gate.enter(interaction, spec, path, options, run)

        door.__gated__ = spec  # type: ignore[attr-defined]  # the mark that `ungated` looks for
        return door

    return wrap


def action(
    route: str, permission: str, show: Show = Show.HERE, *, fields: Sequence[str] | None = None
) -> Callable[[F], F]:
    """For buttons, selects and forms: custom_id `gk:<route>:<args>`. Nothing is in memory: all survive restarts.

    `fields` names the entries of a form; one that ends with `*` stands for any number that begin with it."""

    def wrap(handler: F) -> F:
        taken = routes.get(route)
        # discord.py executes an extension's module again for every client that loads it
        if taken and taken[1].__module__ != handler.__module__:
            raise ValueError(f"the route {route} is taken by {taken[1].__module__}")
        routes[route] = Spec(permission, show, fields), _reading(handler)
        return handler

    return wrap


def _reading(handler: Handler) -> Handler:
    """The handler behind a custom_id, its arguments read as annotated: a client can send any custom_id it likes."""
    kinds = list(typing.get_type_hints(handler).values())[1:-1]

    @functools.wraps(handler)
    async def read(call: Call, *args: str) -> Reply:
        try:
            values = [kind(storable(arg)) for kind, arg in zip(kinds, args, strict=True)]
            if not all(_as_written(value, arg) for value, arg in zip(values, args, strict=True)):
                raise ValueError("a number that we do not write like that")
        except ValueError as error:
            raise _not_ours() from error
        return await handler(call, *values)

    return read


def _as_written(value: object, arg: str) -> bool:
    if not isinstance(value, int):
        return True
    return 0 <= value < (_NUMBER if type(value) is int else _ID) and str(value) == arg


def suggest(handler: Suggester) -> Any:
    """For autocompletes: never late, never an error, never more than 25; leaves no audit row."""

    @functools.wraps(handler)
    async def door(*args: Any) -> list[app_commands.Choice[str]]:
        *own, interaction, current = args
        the_gate: Gate = interaction.client.gate
        try:
            async with asyncio.timeout(PATIENCE):
                call = await the_gate.call(interaction)
                return (await handler(*own, call, storable(current)))[:25]
        except (AppError, TimeoutError):
            return []

    door.__gated__ = True  # type: ignore[attr-defined]  # the mark that `ungated` looks for
    return door


def _not_ours() -> Invalid:
    return Invalid("This button or form is not one of ours.", "Open it again with its command.")


async def forged(call: Call, *args: str) -> Reply:
    """The answer to a component or form that was not used as it is shown."""
    raise _not_ours()


async def gone(call: Call, *args: str) -> Reply:
    """The answer to a component or command that this version does not know."""
    raise Invalid("This comes from an older version of the bot.", "Open it again with its command.")


def ungated(tree: app_commands.CommandTree[Any]) -> list[str]:
    """Commands and autocompletes that would go round the gate; the bot refuses to start while there are any."""
    found: list[str] = []
    menus = (discord.AppCommandType.user, discord.AppCommandType.message)
    for command in [*tree.walk_commands(), *(menu for kind in menus for menu in tree.walk_commands(type=kind))]:
        if isinstance(command, app_commands.Group):
            continue
        if not hasattr(cast("object", command.callback), "__gated__"):
            found.append(command.qualified_name)
        # there is no public way to ask a command for its autocompletes
        parameters = cast("dict[str, Any]", getattr(command, "_params", {}))
        completers = {name: parameter.autocomplete for name, parameter in parameters.items()}
        loose = [name for name, completer in completers.items() if completer and not hasattr(completer, "__gated__")]
        found += [f"{command.qualified_name}: {name}" for name in loose]
    return found
