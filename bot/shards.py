"""Connecting to Discord under leases: a shard is connected only by the process that holds its lease."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final

import aiohttp
import discord

from bot.client import Client
from bot.errors import AppError, Invalid
from bot.services.leases import SECONDS, Leases

log = logging.getLogger(__name__)

RENEW_EVERY: Final = SECONDS / 3
TRY_EVERY: Final = SECONDS / 15
"""While the database does not answer."""
CLOSE_WITHIN: Final = 5.0
_MAY_PASS: Final = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError, AppError)
"""Why a connection to Discord may fail although all is well with us."""


def duty(shard: int) -> str:
    return f"shard:{shard}"


class Shards:
    """Takes the leases of free shards, connects them, and lets go at once of what it could not renew.

    A process that gets none is a standby: it serves HTTP and workers, and takes over when a lease lapses.
    """

    def __init__(self, leases: Leases, count: int, token: str, make_client: Callable[[], Client]) -> None:
        self._leases = leases
        self._count = count
        self._token = token
        self._make_client = make_client
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Connects and reconnects until `stop()`.

        Raises:
            Invalid: Discord refuses the token.
        """
        while not self._stopping.is_set():
            held = await self._take_free()
            if held:
                await self._connected(held)
            else:
                await self._pause()

    def stop(self) -> None:
        self._stopping.set()

    async def release(self) -> None:
        """Gives the shards back, so that a standby need not wait."""
        for held in list(self._leases.held):
            with contextlib.suppress(AppError):  # then they lapse
                await self._leases.release(held)

    async def _take_free(self) -> list[int]:
        try:
            return [shard for shard in range(self._count) if await self._leases.take(duty(shard)) is not None]
        except AppError as error:
            log.warning("no shard leases: %s", error)
            return []

    async def _connected(self, held: list[int]) -> None:
        until = time.monotonic() + SECONDS
        client = self._make_client()
        client.shard_ids, client.shard_count = held, self._count
        # logging in may take longer than a lease: Discord allows few registrations of commands
        connection = asyncio.create_task(client.start(self._token), name="discord gateway")
        keeping = asyncio.create_task(self._keep(held, until), name="shard leases")
        try:
            await asyncio.wait({connection, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            keeping.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_WITHIN):
                    await client.close()
            connection.cancel()
            await asyncio.gather(connection, keeping, return_exceptions=True)
        for task in (keeping, connection):
            if not task.cancelled() and (error := task.exception()):
                await self._failed(error)

    async def _failed(self, error: BaseException) -> None:
        if isinstance(error, discord.LoginFailure):
            raise Invalid("Discord refuses GAMEKEEPER_DISCORD_TOKEN.", "Copy it again from the developer portal.")
        if not isinstance(error, _MAY_PASS):
            raise error
        log.error("the connection to Discord ended: %s", error or type(error).__name__)
        await self._pause()

    async def _keep(self, held: list[int], until: float) -> None:
        """Renews until a lease is lost, a free shard turns up, or the process stops."""
        while True:
            await self._pause()
            if self._stopping.is_set():
                return
            renewed = await self._renewed(held, until)
            if renewed is None:
                return
            until = renewed
            if len(held) < self._count and len(await self._take_free()) > len(held):
                log.info("took over a shard: connecting again")
                return

    async def _renewed(self, held: list[int], until: float) -> float | None:
        """Until when the leases hold now, on the clock of `time.monotonic`. None: they are lost, or nobody can tell by
        `until`, when another process may take them."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                while True:
                    asked = time.monotonic()
                    try:
                        if all([await self._leases.renew(duty(shard)) for shard in held]):
                            return asked + SECONDS
                        log.error("lost the lease of a shard: disconnecting")
                        return None
                    except AppError as error:
                        log.warning("shard leases not renewed: %s", error)
                        await asyncio.sleep(TRY_EVERY)
        except TimeoutError:
            log.error("could not renew the lease of a shard in time: disconnecting")
            return None

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RENEW_EVERY):
                await self._stopping.wait()
        except TimeoutError:
            return
