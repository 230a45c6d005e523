"""Says outbox rows in Discord: row -> data -> card -> channel message. Tells what may pass from what will not."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import aiohttp
import discord

from bot import clock
from bot.errors import Unavailable
from bot.services import Services
from bot.services.outbox import Delayed, Delivery, OutboxRow, Refused, Sent, Skipped
from bot.ui import audit, bans_public, holds, notices
from bot.ui.batches import batch_card
from bot.ui.cards import VOLATILE
from bot.ui.incidents import incident_card
from bot.ui.jobs import progress_card
from bot.ui.maintenance import window_card
from bot.ui.panels import board_card
from bot.ui.power import plan_card

log = logging.getLogger(__name__)

SEARCHED_MESSAGES: Final = 50
"""How far back a message is looked for whose sender died while it was under way."""
RENDERING: Final = 2
"""Messages read from the database at a time: agents and people who wait for an answer share the connections."""
SEND_WITHIN: Final = 30.0
"""Seconds. discord.py sleeps as long as Discord asks it to; the row can do that in the outbox, where others see it."""
_MARK_BITS: Final = 0x7FFFFFFF

Renderer = Callable[[OutboxRow], Awaitable[discord.ui.LayoutView | None]]


def rendered_hash(view: discord.ui.LayoutView) -> bytes:
    """What decides whether a message has to be edited at all."""
    return hashlib.sha256(json.dumps(_lasting(view.to_components()), sort_keys=True).encode()).digest()


def _lasting(components: list[Any]) -> list[Any]:
    kept = [component for component in components if component.get("id") != VOLATILE]
    return [{**one, "components": _lasting(one["components"])} if "components" in one else one for one in kept]


def mark_of(row: OutboxRow) -> int:
    """The invisible id in a message's container: the same for every rendering of one message."""
    return (UUID(str(row.bot_message_id)).int if row.bot_message_id else row.id) & _MARK_BITS or 1


class Messenger:
    """Sends rows through a discord.py client."""

    def __init__(self, client: discord.Client, services: Services) -> None:
        self.client = client
        self._services = services
        self._rendering = asyncio.Semaphore(RENDERING)
        self._renderers: dict[str, Renderer] = {
            "ban_notice": self._ban,
            "batch": self._batch,
            "incident": self._incident,
            "job": self._job,
            "maintenance": self._maintenance,
            "panel": self._panel,
            "plan": self._plan,
            "server": self._server,
        }

    @property
    def ready(self) -> bool:
        """Whether this process is connected to Discord; a standby is not."""
        return self.client.user is not None and not self.client.is_closed()

    async def deliver(self, row: OutboxRow) -> Delivery:
        """Sends or edits one message. Never raises for what Discord or the network does."""
        try:
            async with asyncio.timeout(SEND_WITHIN):
                return await self._deliver(row)
        except discord.HTTPException as error:
            return refusal(error, edit=row.op != "post")
        except Unavailable as error:
            return Delayed(5.0, error.what)
        except (TimeoutError, OSError, aiohttp.ClientError, discord.DiscordException) as error:
            if isinstance(error, TimeoutError):
                self._forget_limits()
            return Delayed(5.0, f"{type(error).__name__}: {error}", unsure=True)
        except RuntimeError as error:
            if self.ready:
                raise
            return Delayed(1.0, f"the connection to Discord was closed meanwhile: {error}", unsure=True)

    def _forget_limits(self) -> None:
        """A request that is broken off while discord.py notes its end is counted for ever, and lets nothing of its kind
        pass any more. There is no public way to say that it is over; Discord's next answer brings the limits anew."""
        buckets: Any = getattr(self.client.http, "_buckets", None)
        if buckets:
            buckets.clear()

    async def _deliver(self, row: OutboxRow) -> Delivery:
        if row.op == "delete" and row.message_id:
            await self.client.get_partial_messageable(row.channel_id).get_partial_message(row.message_id).delete()
            return Sent(None, b"")
        async with self._rendering:
            view = await self._render(row)
        if view is None:
            return Skipped()
        view.stop()
        digest = rendered_hash(view)
        channel = self.client.get_partial_messageable(row.channel_id)
        if row.op == "edit" and row.message_id:
            if digest == row.rendered_hash:
                return Skipped(digest)
            await channel.get_partial_message(row.message_id).edit(view=view, allowed_mentions=_NOBODY)
            return Sent(None, digest)
        if row.again and (known := await self._find(channel, mark_of(row))):
            await channel.get_partial_message(known).edit(view=view, allowed_mentions=_NOBODY)
            return Sent(known, digest)
        message = await channel.send(view=view, nonce=str(row.id), allowed_mentions=_NOBODY)
        return Sent(message.id, digest)

    async def _render(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        if row.kind in self._renderers:
            return await self._renderers[row.kind](row)
        if row.event_type == "audit.entry":
            entries = await self._services.audit.live(row.org_id, row.payload["ids"])
            return audit.live_card(entries, mark_of(row)) if entries else None
        return notices.render(row.event_type, row.payload, mark_of(row))

    async def _job(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        job = await self._services.cards.job(row.org_id, job_id=row.subject_id)
        if job is None:
            return None
        return progress_card(
            job, mark_of(row), public=not await self._services.cards.is_ops(row.org_id, row.channel_id)
        )

    async def _incident(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        incident = await self._services.incidents.card(row.org_id, row.subject_id or "")
        return None if incident is None else incident_card(incident, mark_of(row))

    async def _ban(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        case = await self._services.bans.notice(row.org_id, row.subject_id or "")
        return None if case is None else bans_public.notice_card(case, mark_of(row))

    async def _batch(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        batch = await self._services.batches.message(row.org_id, row.subject_id or "")
        return None if batch is None else batch_card(batch, mark_of(row))

    async def _panel(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        board = await self._services.panels.board(row.org_id, row.subject_id or "all")
        return board_card(board, clock.now(), mark_of(row))

    async def _maintenance(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        window = await self._services.maintenance.card(row.org_id, row.subject_id or "")
        return None if window is None else window_card(window, clock.now(), mark_of(row))

    async def _server(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        match row.event_type:
            case "server.held":
                return holds.held_card(row.payload, mark_of(row))
            case "server.released":
                return holds.released_card(row.payload, mark_of(row))
            case _:
                return None

    async def _plan(self, row: OutboxRow) -> discord.ui.LayoutView | None:
        plan = await self._services.power.plan(row.org_id, row.subject_id or "")
        return None if plan is None else plan_card(plan, mark_of(row))

    async def _find(self, channel: discord.PartialMessageable, mark: int) -> int | None:
        me = self.client.user
        try:
            async for message in channel.history(limit=SEARCHED_MESSAGES):
                marks = {getattr(part, "id", None) for part in message.components}
                if me and message.author.id == me.id and mark in marks:
                    return message.id
        except discord.Forbidden:  # it may post there and not read: rather said twice than never
            log.warning("the history of channel %d may not be read", channel.id)
        return None


_NOBODY: Final = discord.AllowedMentions.none()


def refusal(error: discord.HTTPException, *, edit: bool) -> Delivery:
    """What a refusal of Discord means for the row and for its target."""
    reason = f"Discord said {error.status}: {error.text or error.code}"[:200]
    if error.status == 429 or error.status >= 500:
        return Delayed(_retry_after(error), reason, unsure=error.status >= 500)
    if error.code == 30046:  # too many edits of a message older than an hour
        return Delayed(60.0, reason)
    if error.status == 404 and edit and error.code == 10008:
        return Refused(reason, permanent=True, target="message")  # somebody deleted it; few are posted again
    if error.status in (403, 404):
        return Refused(reason, permanent=True, target="channel")
    return Refused(reason, permanent=error.status == 400)


def _retry_after(error: discord.HTTPException) -> float:
    header: Any = error.response.headers.get("Retry-After")
    try:
        return min(max(float(header), 1.0), 600.0)
    except (TypeError, ValueError):
        return 5.0
