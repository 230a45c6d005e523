"""Row 7: from the start of the process until its first command is answered, against a bare discord.py bot.

The command is sent as soon as the bot has been shown its guilds. Both are warm: the schema is there, the command tree
registered.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text

from benchmarks import postgres
from benchmarks.community import fill
from benchmarks.discord_server import Application, DiscordServer
from benchmarks.guilds import Guild, Json
from benchmarks.processes import gamekeeper, started
from benchmarks.report import NO_GOAL, Figure, Goal, compared, show, write
from bot.domain.actors import system
from db.embedded import EmbeddedPostgres
from db.engine import Database

_MANY: Final = 2_500
_BARE: Final = "bare discord.py"
_ORGS: Final = """
    insert into orgs (discord_guild_id, name, owner_discord_id, status, created_at, updated_at)
    select * from unnest(cast(:ids as bigint[]), cast(:names as text[]), cast(:owners as bigint[])) g,
                  (values ('active', now(), now())) v
    on conflict do nothing"""


@dataclass(frozen=True)
class Plan:
    """How often each is started."""

    rounds: int = 5
    with_many_guilds: int = 3
    with_embedded: int = 2


@dataclass(frozen=True)
class Variant:
    """A program, and the command it is asked first."""

    program: str
    environment: Mapping[str, str]
    app: Application
    command: Json


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    with postgres.running() as server:
        server.create_database()
        figures = asyncio.run(_measured(server, plan or Plan()))
    show(figures)
    write("start", figures)
    return figures


async def _measured(server: EmbeddedPostgres, plan: Plan) -> list[Figure]:
    few, many = [Guild(0)], [Guild(number) for number in range(_MANY)]
    await fill(server.dsn(), few)
    await _found(server.dsn(), many)
    with tempfile.TemporaryDirectory(prefix="gamekeeper-bench-") as data:
        Path(data).chmod(0o755)
        async with DiscordServer() as discord:

            def variants(guilds: Sequence[Guild], database: str) -> tuple[Variant, Variant]:
                bare, ours = discord.application(guilds), discord.application(guilds)
                return (
                    Variant("bare", {"BARE_TOKEN": bare.token}, bare, guilds[0].command("bare")),
                    Variant(
                        "gamekeeper",
                        gamekeeper(database, ours.token, data),
                        ours,
                        guilds[0].command("server", "list"),
                    ),
                )

            alone = await _rounds(discord, variants(few, server.dsn()), plan.rounds)
            crowd = await _rounds(discord, variants(many, server.dsn()), plan.with_many_guilds)
            embedded = await _rounds(discord, variants(few, ""), plan.with_embedded)
    return [
        compared(7, "first command answered", _BARE, "s", *alone, Goal(1.5)),
        compared(7, f"… with {_MANY} guilds", _BARE, "s", *crowd, Goal(1.5)),
        compared(7, "… with its own PostgreSQL", _BARE, "s", *embedded, NO_GOAL),
    ]


async def _found(url: str, guilds: Sequence[Guild]) -> None:
    """The orgs of guilds that have been there for long."""
    db = Database(url, role="workers", pool_size=2)
    values = {
        "ids": [guild.id for guild in guilds],
        "names": [guild.name for guild in guilds],
        "owners": [guild.owner for guild in guilds],
    }
    async with db.uow(system("benchmark")) as tx:
        await tx.session.execute(text(_ORGS), values)
    await db.close()


async def _rounds(
    discord: DiscordServer, variants: tuple[Variant, Variant], count: int
) -> tuple[list[float], list[float]]:
    """Seconds of both, a value a round. The first start, which registers the commands, is not counted."""
    taken: tuple[list[float], list[float]] = [], []
    for number in range(count + 1):
        for seconds, variant in zip(taken, variants, strict=True):
            found = await _first_answer(discord, variant)
            if number:
                seconds.append(found)
    return taken


async def _first_answer(discord: DiscordServer, variant: Variant) -> float:
    variant.app.connected.clear()
    began = time.perf_counter()
    async with started("benchmarks.launch", discord.url, variant.program, environment=variant.environment) as program:
        await program.until(variant.app.connected)
        await discord.interact(variant.app, variant.command)
        return time.perf_counter() - began
