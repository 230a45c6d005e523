"""The one door: every command, button, select, modal and autocomplete enters here.

A handler never sees the Interaction. It gets a `Call` and gives back a `Reply`, so it can neither answer, nor defer, nor
skip its permission and its audit row.
"""

import asyncio
import functools
import inspect
import logging
import re
import time
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeVar, cast

import discord
from discord import app_commands

from bot.domain.actors import Actor, Caller, Invocation
from bot.errors import AlreadyHandled, AppError, Invalid, NotPermitted, Unavailable
from bot.logs import correlation
from bot.services import Services
from bot.ui import texts
from bot.ui.cards import failure
from bot.ui.ids import ROUTE

log = logging.getLogger(__name__)

ACKNOWLEDGE_AFTER: Final = 1.0
"""Seconds that work may take before it is deferred; Discord gives up after 3."""
PATIENCE: Final = 2.0
"""Seconds for what cannot be deferred: opening a form, suggesting values."""
_SECRET: Final = re.compile("token|password|secret|key", re.IGNORECASE)

Outcome = Literal["success", "denied", "failed"]
F = TypeVar("F", bound=Callable[..., Any])


class Show(Enum):
    """Who sees the answer, and how it arrives."""

    PRIVATE = "only the caller"
    CHANNEL = "everyone in the channel"
    HERE = "on the message that carries the component"
    FORM = "a modal, the one answer that cannot be deferred"


@dataclass(frozen=True)
class Spec:
    """What a handler declares. An empty permission means that everybody may."""

    permission: str
    show: Show


@dataclass(frozen=True)
class Call:
    """What a handler gets instead of an Interaction: who asks, what was entered, and the services."""

    actor: Actor
    services: Services
    values: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Entries of a form by custom_id, or `values` of a select."""

    def value(self, name: str = "values") -> str:
        """The single entry of a form's field or a select."""
        return next(iter(self.values.get(name, [])), "")


@dataclass
class Reply:
    """The answer: a card, or a form that is opened."""

    card: discord.ui.LayoutView | None = None
    form: discord.ui.Modal | None = None
    files: list[discord.File] = field(default_factory=list[discord.File])


class Gated(Protocol):
    """A Discord client that has a gate."""

    gate: "Gate"


Handler = Callable[..., Awaitable[Reply]]
Suggester = Callable[..., Awaitable[list[app_commands.Choice[str]]]]
#: route -> what it declares and its handler; filled when the cogs are imported.
routes: Final[dict[str, tuple[Spec, Handler]]] = {}


def gate(permission: str, show: Show = Show.PRIVATE) -> Callable[[Handler], Any]:
    """For slash commands and context menus; stands below `@app_commands.command`."""
    spec = Spec(permission, show)

    def wrap(handler: Handler) -> Any:
        own = 1 if next(iter(inspect.signature(handler).parameters)) == "self" else 0

        @functools.wraps(handler)  # discord.py reads the options from the handler through __wrapped__
        async def door(*args: Any, **options: Any) -> None:
            interaction = cast("discord.Interaction[Any]", args[own])
            command = interaction.command
            path = command.qualified_name if command else "?"
            await interaction.client.gate.enter(
                interaction, spec, path, options, lambda call: handler(*args[:own], call, *args[own + 1 :], **options)
            )

        door.__gated__ = spec  # type: ignore[attr-defined]  # the mark that `ungated` looks for
        return door

    return wrap


def action(route: str, permission: str, show: Show = Show.HERE) -> Callable[[F], F]:
    """For buttons, selects and forms: custom_id `gk:<route>:<args>`. Nothing is kept in memory, so all survive a restart."""

    def wrap(handler: F) -> F:
        taken = routes.get(route)
        # discord.py executes an extension's module again for every client that loads it
        if taken and taken[1].__module__ != handler.__module__:
            raise ValueError(f"the route {route} is taken by {taken[1].__module__}")
        routes[route] = Spec(permission, show), _reading(handler)
        return handler

    return wrap


def _reading(handler: Handler) -> Handler:
    """The handler behind a custom_id, its arguments read as annotated: a client can send any custom_id it likes."""
    kinds = list(typing.get_type_hints(handler).values())[1:-1]

    @functools.wraps(handler)
    async def read(call: Call, *args: str) -> Reply:
        try:
            values = [kind(arg) for kind, arg in zip(kinds, args, strict=True)]
        except ValueError as error:
            raise Invalid("This button or form is not one of ours.", "Open it again with its command.") from error
        return await handler(call, *values)

    return read


def suggest(handler: Suggester) -> Any:
    """For autocompletes: never late, never an error, never more than 25; leaves no audit row."""

    @functools.wraps(handler)
    async def door(*args: Any) -> list[app_commands.Choice[str]]:
        *own, interaction, current = args
        the_gate: Gate = interaction.client.gate
        try:
            async with asyncio.timeout(PATIENCE):
                call = await the_gate.call(interaction)
                return (await handler(*own, call, current))[:25]
        except (AppError, TimeoutError):
            return []

    door.__gated__ = True  # type: ignore[attr-defined]  # the mark that `ungated` looks for
    return door


def caller(interaction: discord.Interaction[Any]) -> Caller:
    """What an interaction says about its sender."""
    user, guild = interaction.user, interaction.guild
    member = user if isinstance(user, discord.Member) else None
    owner = guild.owner_id if guild else None
    return Caller(
        user_id=user.id,
        username=user.name,
        display_name=user.display_name,
        guild_id=interaction.guild_id,
        guild_name=(guild.name if guild else None) or "",
        guild_owner_id=owner,
        channel_id=interaction.channel_id,
        role_ids=frozenset(role.id for role in member.roles) if member else frozenset(),
        administrator=interaction.guild_id is not None and (interaction.permissions.administrator or owner == user.id),
    )


def redacted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the audit log may keep them: no secrets, no endless texts, ids instead of objects."""
    kept: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        plain = str(getattr(value, "id", value)) if not isinstance(value, bool | int | float | list) else value
        kept[name] = "…" if _SECRET.search(name) else plain[:512] if isinstance(plain, str) else plain
    return kept


def entered(components: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The entries of a submitted form by custom_id, whatever their nesting."""
    found: dict[str, list[str]] = {}
    for component in components:
        nested = [*component.get("components", ()), *([component["component"]] if "component" in component else ())]
        found |= entered(nested)
        if "custom_id" in component:
            found[component["custom_id"]] = component.get("values") or [component.get("value") or ""]
    return found


async def gone(call: Call, *args: str) -> Reply:
    """The answer to a component or command that this version does not know."""
    raise Invalid("This comes from an older version of the bot.", "Open it again with its command.")


class Gate:
    """Acknowledges in time, resolves the actor, checks, runs, audits, answers; in this order, for everything."""

    def __init__(self, services: Services, *, deadline: float = ACKNOWLEDGE_AFTER) -> None:
        self.services = services
        self.deadline = deadline
        self._at_work: set[asyncio.Task[Any]] = set()
        self._draining = False

    async def call(self, interaction: discord.Interaction[Any]) -> Call:
        """A call without invocation, for autocompletes."""
        return Call(await self.services.identity.actor(caller(interaction), None), self.services)

    async def dispatch(self, interaction: discord.Interaction[Any]) -> None:
        """Takes components and submitted forms; commands come through the tree."""
        kind = discord.InteractionType
        if interaction.type not in (kind.component, kind.modal_submit):
            return
        data = cast("dict[str, Any]", interaction.data)
        match = ROUTE.fullmatch(data["custom_id"])
        route = match["route"] if match else "?"
        spec, handler = routes.get(route, (Spec("", Show.PRIVATE), gone))
        args = match["args"].split(":") if match and match["args"] else []
        values = entered(data["components"]) if "components" in data else {"values": data.get("values", [])}
        options = {"args": args, **{name: " ".join(entry) for name, entry in values.items() if entry}}
        await self.enter(interaction, spec, route, options, lambda call: handler(call, *args), values)

    async def enter(
        self,
        interaction: discord.Interaction[Any],
        spec: Spec,
        path: str,
        options: Mapping[str, Any],
        run: Callable[[Call], Awaitable[Reply]],
        values: Mapping[str, list[str]] | None = None,
    ) -> None:
        """Runs one interaction from its arrival to its answer."""
        invocation = Invocation(interaction.id, path, redacted(options), started=time.monotonic())
        correlation.set(invocation.reference)
        work = _Work(self, caller(interaction), invocation, spec, run, values or {})
        task = asyncio.create_task(work.run(), name=f"gate:{path}")
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        try:
            await self._wait(interaction, spec, task)
            reply, error, outcome = await self._outcome(task, invocation)
            await self._record(work.actor, invocation, outcome, error)
        except AlreadyHandled:
            return  # another delivery of this interaction has committed: that one answers
        if error is not None:
            reply = Reply(failure(error.what, error.remedy, invocation.reference))
        await self._answer(interaction, spec, reply, outcome, invocation)

    async def _wait(self, interaction: discord.Interaction[Any], spec: Spec, task: "asyncio.Task[Reply]") -> None:
        patience = PATIENCE if spec.show is Show.FORM else self.deadline
        # asyncio.wait, never wait_for: the work goes on, and is not cancelled, when the deadline passes
        if patience:
            await asyncio.wait({task}, timeout=patience)
        if task.done():
            return
        if spec.show is Show.FORM:
            task.cancel()
            return
        try:
            await interaction.response.defer(ephemeral=spec.show is Show.PRIVATE, thinking=spec.show is not Show.HERE)
        except discord.HTTPException as error:  # 10062 too late; 40060 another delivery was faster
            log.warning("could not defer %s: %s", task.get_name(), error)

    async def _outcome(
        self, task: "asyncio.Task[Reply]", invocation: Invocation
    ) -> tuple[Reply, AppError | None, Outcome]:
        try:
            return await task, None, "success"
        except AlreadyHandled:
            raise
        except AppError as error:
            return Reply(), error, error.outcome
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            return Reply(), Unavailable("This took too long and was not done.", "Try again."), "failed"
        except Exception:
            log.exception("bug in %s", invocation.command)
            return Reply(), AppError(texts.BUG, texts.BUG_REMEDY), "failed"

    async def _record(
        self, actor: Actor | None, invocation: Invocation, outcome: Outcome, error: AppError | None
    ) -> None:
        if actor is None or invocation.recorded:
            return
        try:
            await self.services.identity.record(actor, invocation.command, outcome, error.what if error else None)
        except AppError as away:
            log.error("no audit row for %s (%s): %s", invocation.command, outcome, away)

    async def _answer(
        self, interaction: discord.Interaction[Any], spec: Spec, reply: Reply, outcome: Outcome, invocation: Invocation
    ) -> None:
        try:
            await _send(interaction, spec, reply, refusal=outcome != "success")
        except discord.HTTPException as error:
            log.warning("no answer to %s: %s", invocation.command, error)
            if error.status == 400:
                done = texts.DONE_NOT_SHOWN if outcome == "success" else texts.NOT_SHOWN
                await _send(interaction, spec, Reply(failure(done, "", invocation.reference)), refusal=True)

    async def drain(self, seconds: float) -> None:
        """Lets what is under way come to its end; what comes in meanwhile is told to try again."""
        self._draining = True
        if self._at_work:
            await asyncio.wait(set(self._at_work), timeout=seconds)

    @property
    def draining(self) -> bool:
        return self._draining


@dataclass
class _Work:
    """The part that may outlast the deadline: actor, permission, handler."""

    gate: Gate
    caller: Caller
    invocation: Invocation
    spec: Spec
    handler: Callable[[Call], Awaitable[Reply]]
    values: Mapping[str, list[str]]
    actor: Actor | None = None

    async def run(self) -> Reply:
        if self.gate.draining:
            raise Unavailable("The bot is restarting.", "Try again in a few seconds.")
        self.actor = actor = await self.gate.services.identity.actor(self.caller, self.invocation)
        if self.spec.permission and not actor.may(self.spec.permission):
            roles = await self.gate.services.identity.roles_with(actor, self.spec.permission)
            raise NotPermitted(self.spec.permission, roles)
        return await self.handler(Call(actor, self.gate.services, self.values))


async def _send(interaction: discord.Interaction[Any], spec: Spec, reply: Reply, *, refusal: bool) -> None:
    shown = reply.form or reply.card
    if shown is None:
        raise AssertionError("a handler gave neither card nor form")
    shown.stop()  # discord.py then keeps no reference to it: everything is routed by custom_id
    if reply.form is not None:
        await interaction.response.send_modal(reply.form)
        return
    card = cast("discord.ui.LayoutView", reply.card)
    here = spec.show is Show.HERE
    if interaction.response.is_done():
        if here and refusal:
            await interaction.followup.send(view=card, ephemeral=True)
        else:
            await interaction.edit_original_response(view=card, attachments=reply.files)
        return
    try:
        if here and interaction.message and not refusal:
            await interaction.response.edit_message(view=card, attachments=reply.files)
        else:
            private = refusal or spec.show is not Show.CHANNEL
            await interaction.response.send_message(view=card, files=reply.files, ephemeral=private)
    except discord.HTTPException as error:
        if error.code != 40060:  # acknowledged already: by the other delivery, which then stayed silent
            raise
        await interaction.edit_original_response(view=card, attachments=reply.files)


class Tree(app_commands.CommandTree[Any]):
    """A command tree whose errors, unknown commands included, go through the gate like everything else."""

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        log.warning("command tree: %s", error)
        name = str((interaction.data or {}).get("name", "?"))
        await interaction.client.gate.enter(interaction, Spec("", Show.PRIVATE), name, {}, gone)


def ungated(tree: app_commands.CommandTree[Any]) -> list[str]:
    """Commands and autocompletes that would go round the gate; the bot refuses to start while there are any."""
    found: list[str] = []
    menus = (discord.AppCommandType.user, discord.AppCommandType.message)
    for command in [*tree.walk_commands(), *(menu for kind in menus for menu in tree.walk_commands(type=kind))]:
        if isinstance(command, app_commands.Group):
            continue
        if not hasattr(command.callback, "__gated__"):
            found.append(command.qualified_name)
        for parameter in getattr(command, "parameters", ()):
            completer = command._params[parameter.name].autocomplete  # type: ignore[union-attr]  # no public way to ask
            if completer and not hasattr(completer, "__gated__"):
                found.append(f"{command.qualified_name}: {parameter.name}")
    return found
