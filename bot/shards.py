"""Connecting to Discord under leases: a shard is connected only by the process that holds its lease."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from typing import Final

import aiohttp
import discord

from bot.client import Client
from bot.domain.shards import Share, share
from bot.errors import AppError, Invalid
from bot.services.leases import held_by
from bot.workers.leading import SHARD, Leading

log = logging.getLogger(__name__)

CLOSE_WITHIN: Final = 5.0
LONGEST_PAUSE: Final = 30.0
"""Seconds before a connection that has failed again and again is tried once more. Discord counts the attempts."""
_MAY_PASS: Final = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError, AppError)
"""Why a connection to Discord may fail although all is well with us."""


def duty(shard: int) -> str:
    return f"{SHARD}{shard}"


class Shards:
    """Has its share of the shards, connects them, and lets go at once of what another process has.

    A process that gets none is a standby. While the database does not answer, whatever is connected stays connected:
    nobody else can have taken it.
    """

    def __init__(self, leading: Leading, count: int, token: str, make_client: Callable[[], Client]) -> None:
        self._leading, self._leases = leading, leading.leases
        self._count = count
        self._token = token
        self._make_client = make_client
        self._stopping = asyncio.Event()
        self._client: Client | None = None
        self._connection: asyncio.Task[None] | None = None
        self._connected: set[int] = set()
        self._failures = 0
        self._handing_over = False

    async def run(self) -> None:
        """Connects and reconnects until `stop()`.

        Raises:
            Invalid: Discord refuses the token.
        """
        try:
            while not self._stopping.is_set():
                await self._settle()
                await self._look()
        finally:
            await self._close()

    def stop(self) -> None:
        self._stopping.set()

    async def hand_over(self) -> None:
        """Lets other processes have the shards at once, where there are any. What is under way here goes on: answers
        and messages need no gateway."""
        if self._leading.members("bot") - {self._leases.holder}:
            self._handing_over = True
            await self._leading.step_aside("bot")
            self._connected -= (shards := set(self._connected))
            await self._disconnected(shards)
            await self._leading.give_back([*map(duty, self._mine())])

    async def _look(self) -> None:
        """Returns when the leases were looked at, when the connection has ended, and at a stop."""
        waits = [asyncio.ensure_future(self._leading.next_look()), asyncio.ensure_future(self._stopping.wait())]
        await asyncio.wait({*waits, *([self._connection] if self._connection else [])}, return_when="FIRST_COMPLETED")
        for wait in waits:
            wait.cancel()

    async def _settle(self) -> None:
        """One step towards having this process's share, and its connection."""
        if self._connection and self._connection.done():
            await self._failed(self._connection)
        elif not self._handing_over:
            await self._balance(self._mine(), self._share())

    async def _balance(self, mine: set[int], plan: Share) -> None:
        if leave := set(plan.leave) & mine:
            await self._give_up(leave)
        taken = await self._take(plan)
        await self._disconnect((self._connected | self._strays()) - self._mine())
        wanted = self._mine()
        # the others of its share may be given up in a moment, and connecting again would cut off what is connected
        if wanted - self._connected and (not taken or len(taken) == plan.most):
            await self._connect(wanted)

    def _mine(self) -> set[int]:
        return {shard for shard in range(self._count) if duty(shard) in self._leases.held}

    def _share(self) -> Share:
        holders = held_by(self._leading.seen, SHARD)
        mine = {str(shard): self._leases.holder for shard in self._mine()}
        held = [(holders | mine).get(str(shard)) for shard in range(self._count)]
        return share(self._leases.holder, self._leading.members("bot"), held)

    async def _take(self, plan: Share) -> set[int]:
        taken: set[int] = set()
        try:
            for shard in plan.free if self._leading.may_take else ():
                if len(taken) < plan.most and await self._leases.take(duty(shard)) is not None:
                    taken.add(shard)
        except AppError as error:
            log.warning("no shard leases: %s", error)
        return taken

    async def _give_up(self, shards: Collection[int]) -> None:
        """Lets others have some: disconnected before anybody else can connect them."""
        log.info("leaves shards %s to others", sorted(shards))
        await self._disconnect(shards)
        await self._leading.give_back([*map(duty, shards)])

    # ------------------------------------------------------------------------------------------------ the connection

    async def _connect(self, shards: Collection[int]) -> None:
        """Connects all of them anew; see decision 0006."""
        await self._close()
        client = self._client = self._make_client()
        client.shard_ids, client.shard_count = sorted(shards), self._count
        self._connected = set(shards)
        # logging in may take longer than a lease: Discord allows few registrations of commands
        self._connection = asyncio.create_task(client.start(self._token), name="discord gateway")

    def _strays(self) -> set[int]:
        """Connected although they were not to be: one was just about to reconnect when it was given up."""
        shards = self._client.shards.items() if self._client else ()
        return {shard for shard, info in shards if shard not in self._connected and not info.is_closed()}

    async def _disconnect(self, shards: Collection[int]) -> None:
        self._connected -= set(shards)
        if not self._connected:
            await self._close()
        else:
            await self._disconnected(shards)

    async def _disconnected(self, shards: Collection[int]) -> None:
        known = [one for shard in shards if self._client and (one := self._client.get_shard(shard))]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await asyncio.gather(*(one.disconnect() for one in known))

    async def _close(self) -> None:
        client, connection = self._client, self._connection
        self._client = self._connection = None
        self._connected = set()
        if client is None or connection is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                await client.close()
        connection.cancel()
        await asyncio.gather(connection, return_exceptions=True)

    async def _failed(self, connection: asyncio.Task[None]) -> None:
        """Lets others try for a while: perhaps only this machine has no way to Discord."""
        error = None if connection.cancelled() else connection.exception()
        self._failures = 0 if self._client and self._client.is_ready() else self._failures + 1
        await self._close()
        if isinstance(error, discord.LoginFailure):
            raise Invalid("Discord refuses GAMEKEEPER_DISCORD_TOKEN.", "Copy it again from the developer portal.")
        if error is not None and not isinstance(error, _MAY_PASS):
            raise error
        log.error("the connection to Discord ended: %s", error or type(error).__name__)
        await self._leading.give_back([*map(duty, self._mine())])
        await self._leading.step_aside("bot")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(LONGEST_PAUSE, 2.0**self._failures)):
                await self._stopping.wait()
        self._leading.return_to("bot")
