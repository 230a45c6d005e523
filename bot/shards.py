"""Connecting to Discord under leases: a shard is connected only by the process that holds its lease."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import aiohttp
import discord

from bot.client import Client
from bot.errors import AppError, Invalid
from bot.services.leases import SECONDS, Leases

log = logging.getLogger(__name__)

RENEW_EVERY: Final = SECONDS / 3
CLOSE_WITHIN: Final = 5.0


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
        """Connects and reconnects until `stop()`."""
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
            await self._leases.release(held)

    async def _take_free(self) -> list[int]:
        try:
            return [shard for shard in range(self._count) if await self._leases.take(duty(shard)) is not None]
        except AppError as error:
            log.warning("no shard leases: %s", error)
            return []

    async def _connected(self, held: list[int]) -> None:
        client = self._make_client()
        client.shard_ids, client.shard_count = held, self._count
        if not await self._logged_in(client):
            await client.close()
            await self._pause()
            return
        connection = asyncio.create_task(client.connect(), name="discord gateway")
        keeping = asyncio.create_task(self._keep(held), name="shard leases")
        try:
            await asyncio.wait({connection, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            keeping.cancel()
            async with asyncio.timeout(CLOSE_WITHIN):
                await client.close()
            await asyncio.gather(connection, return_exceptions=True)
        if connection.done() and not connection.cancelled() and (error := connection.exception()):
            log.error("the connection to Discord ended: %s", error)
            await self._pause()

    async def _logged_in(self, client: Client) -> bool:
        """Logs in; False where Discord cannot be reached now.

        Raises:
            Invalid: the token is wrong, which no waiting mends.
        """
        try:
            await client.login(self._token)
        except discord.LoginFailure as error:
            raise Invalid("Discord refuses the token.", "Copy it again from the Developer Portal.") from error
        except (OSError, aiohttp.ClientError, discord.HTTPException) as error:
            log.warning("Discord cannot be reached: %s", error)
            return False
        return True

    async def _keep(self, held: list[int]) -> None:
        """Renews until a lease is lost, a free shard turns up, or the process stops."""
        while not self._stopping.is_set():
            await self._pause()
            try:
                kept = [await self._leases.renew(duty(shard)) for shard in held]
                if not all(kept):
                    log.error("lost the lease of a shard: disconnecting")
                    return
                if len(held) < self._count and len(await self._take_free()) > len(held):
                    log.info("took over a shard: connecting again")
                    return
            except AppError as error:
                log.warning("shard leases not renewed: %s", error)
                if not await self._still_ours(held):
                    return

    async def _still_ours(self, held: list[int]) -> bool:
        """While the database is away nobody can tell; the lease runs out by itself, and so does the connection."""
        try:
            async with asyncio.timeout(SECONDS - RENEW_EVERY):
                while not self._stopping.is_set():
                    await asyncio.sleep(1)
                    try:
                        return all([await self._leases.renew(duty(shard)) for shard in held])
                    except AppError:
                        continue
        except TimeoutError:
            log.error("the database was away longer than a shard's lease: disconnecting")
        return False

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(RENEW_EVERY):
                await self._stopping.wait()
        except TimeoutError:
            return
