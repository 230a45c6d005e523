"""From the arrival of an interaction to its answer: in time, permitted, audited, once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import aiohttp
import discord
from discord import app_commands

from bot.domain.actors import Actor, Caller, Invocation
from bot.domain.redaction import without_secrets
from bot.domain.words import storable
from bot.errors import AlreadyHandled, AppError, Unavailable
from bot.gate.calls import Call, Reply, Show, Spec
from bot.gate.doors import PATIENCE, forged, gone, routes
from bot.gate.reading import as_shown, caller, entered, filled, picked, redacted
from bot.logs import correlation
from bot.services import Services
from bot.ui import texts
from bot.ui.cards import failure
from bot.ui.ids import LIMIT, ROUTE

log = logging.getLogger(__name__)

ACKNOWLEDGE_AFTER: Final = 1.0
"""Seconds that work may take before it is deferred; Discord gives up after 3."""

_NOT_TAKEN: Final = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError, RuntimeError)
"""Discord refuses an answer, or cannot be reached; the last: the connection was closed meanwhile."""

Outcome = Literal["success", "denied", "failed"]


class Gate:
    """Acknowledges in time, resolves the actor, checks, runs, audits, answers; in this order, for everything."""

    def __init__(self, services: Services, *, deadline: float = ACKNOWLEDGE_AFTER) -> None:
        self.services = services
        self.deadline = deadline
        self._at_work: set[asyncio.Task[Any] | None] = set()
        self._draining = False

    async def call(self, interaction: discord.Interaction[Any]) -> Call:
        """A call without invocation, for autocompletes; its values are the options that are filled in already."""
        return Call(await self.services.identity.actor(caller(interaction), None), self.services, filled(interaction))

    async def dispatch(self, interaction: discord.Interaction[Any]) -> None:
        """Takes components and submitted forms; commands come through the tree."""
        kind = discord.InteractionType
        if interaction.type not in (kind.component, kind.modal_submit):
            return
        data = cast("dict[str, Any]", interaction.data)
        match = ROUTE.fullmatch(data["custom_id"]) if len(data["custom_id"]) <= LIMIT else None
        route = match["route"] if match else "?"
        spec, handler = routes.get(route, (Spec("", Show.PRIVATE), gone))
        if handler is not gone and not as_shown(interaction, spec.fields):
            handler = forged
        args = match["args"].split(":") if match and match["args"] else []
        values = entered(data["components"]) if "components" in data else {"values": picked(data)}
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
        invocation = Invocation(
            interaction.id,
            path,
            redacted(options),
            started=time.monotonic(),
            file_limit=interaction.filesize_limit,
        )
        correlation.set(invocation.reference)
        work = _Work(self, caller(interaction), invocation, spec, run, values or {})
        with self._under_way():
            task = asyncio.create_task(work.run(), name=f"gate:{path}")
            try:
                await self._wait(interaction, spec, task)
                reply, error, outcome = await self._outcome(task, invocation)
            except AlreadyHandled:
                return  # another delivery of this interaction has committed: that one answers
            try:
                await self._record(work.actor, invocation, outcome, error)
            except AlreadyHandled:
                if not isinstance(error, Unavailable):
                    return
                error = Unavailable(texts.DONE_UNSEEN, texts.DONE_UNSEEN_REMEDY)  # the answer to our commit was lost
            if error is not None:
                reply = Reply(failure(error.what, error.remedy, invocation.reference))
            await self._answer(interaction, spec, reply, outcome, invocation)

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        """What a drain waits for: an interaction until it is answered."""
        task = asyncio.current_task()
        self._at_work.add(task)
        try:
            yield
        finally:
            self._at_work.discard(task)

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
        except _NOT_TAKEN as error:  # 10062 too late; 40060 another delivery was faster
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
        except Exception:  # a bug: the person gets its reference, the log the rest
            log.exception("bug in %s", invocation.command)
            return Reply(), AppError(texts.BUG, texts.BUG_REMEDY), "failed"

    async def _record(
        self, actor: Actor | None, invocation: Invocation, outcome: Outcome, error: AppError | None
    ) -> None:
        if actor is None or invocation.recorded:
            return
        try:
            action = invocation.command.replace(" ", ".")
            await self.services.identity.record(actor, action, outcome, error.what if error else None)
        except AppError as away:
            log.error("no audit row for %s (%s): %s", invocation.command, outcome, away)

    async def _answer(
        self, interaction: discord.Interaction[Any], spec: Spec, reply: Reply, outcome: Outcome, invocation: Invocation
    ) -> None:
        try:
            await _send(interaction, spec, reply, refusal=outcome != "success")
        except _NOT_TAKEN as error:
            log.warning("no answer to %s: %s", invocation.command, error)
            if isinstance(error, discord.HTTPException) and error.status == 400:
                done = texts.DONE_NOT_SHOWN if outcome == "success" else texts.NOT_SHOWN
                await _send(interaction, spec, Reply(failure(done, "", invocation.reference)), refusal=True)

    async def drain(self, seconds: float) -> None:
        """Lets what is under way come to its end; what comes in meanwhile is told to try again."""
        self._draining = True
        if at_work := {task for task in self._at_work if task}:
            await asyncio.wait(at_work, timeout=seconds)

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
        too_late = self.gate.draining  # at the arrival: what is under way by then is brought to its end
        # before any refusal, because without it there is no row
        self.actor = actor = await self.gate.services.identity.actor(self.caller, self.invocation)
        if too_late:
            raise Unavailable("The bot is restarting.", "Try again in a few seconds.")
        # in a direct message there is no org to have a permission in, and it says so
        if self.spec.permission and actor.org and not actor.may(self.spec.permission):
            raise await self.gate.services.identity.refusal(actor, self.spec.permission)
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
        name = without_secrets(storable(str((interaction.data or {}).get("name", "?"))))
        await interaction.client.gate.enter(interaction, Spec("", Show.PRIVATE), name, {}, gone)
