"""A connection under leases ends with the reason, whichever of its two halves failed."""

import asyncio
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from bot import shards
from bot.client import Client
from bot.services.leases import Leases
from bot.shards import Shards
from db.engine import Database

GONE = text("/* test.gone */ alter table leases rename to leases_gone")


class Quiet:
    """A connection to Discord on which nothing happens."""

    async def start(self, _token: str) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return


async def test_an_error_while_renewing_is_not_swallowed(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "RENEW_EVERY", 0.3)
    leases = Leases(db, "here")
    running = asyncio.create_task(Shards(leases, 1, "token", lambda: cast("Client", Quiet())).run(), name="shards")
    while not leases.held:
        await asyncio.sleep(0.01)
    async with db.statement() as session:
        await session.execute(GONE)
    async with asyncio.timeout(5):
        with pytest.raises(ProgrammingError):
            await running
