"""Row 1: from the gateway event of a slash command to its REST callback, over the wire, against a bare discord.py bot.

Both are processes of their own on one PostgreSQL. The bare bot makes one round trip and writes nothing; ours looks up
or changes something and has its audit row durable before it answers.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks import postgres
from benchmarks.community import SERVER, fill
from benchmarks.discord_server import Answer, Application, DiscordServer
from benchmarks.guilds import Guild, Json
from benchmarks.processes import gamekeeper, started
from benchmarks.report import Figure, Goal, compared, percentile, show, write
from db.embedded import EmbeddedPostgres

_GUILDS: Final = 16
_BARE: Final = "bare discord.py + 1 round trip"
_PAUSE: Final = 0.015
"""Seconds between two commands of one after the other, so that what follows an answer does not delay the next."""
_SETTLE: Final = 3.0
"""Seconds after connecting: discord.py calls `on_ready` two seconds late."""
_IN_FLIGHT: Final = 32
_STALL: Final = 4.0
_IN_TIME: Final = 1.5
_DURING_STALL: Final = 50

Ask = Callable[[Guild], Coroutine[Any, Any, Answer]]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    commands: int = 60
    """One after the other, per variant and round."""
    bursts: int = 4
    burst: int = 320
    """Commands with 32 in flight, per variant and round."""


@dataclass
class Samples:
    """What one variant took, a value a round: milliseconds, and commands a second."""

    p50: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    with postgres.running() as server:
        server.create_database()
        figures, late = asyncio.run(_measured(server, plan or Plan()))
    show(figures)
    write("ack", figures, late_during_stall=late)
    return figures


async def _measured(server: EmbeddedPostgres, plan: Plan) -> tuple[list[Figure], Mapping[str, int]]:
    guilds = [Guild(number) for number in range(_GUILDS)]
    await fill(server.dsn(), guilds)
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(DiscordServer())
        bare, ours = (discord.application(guilds) for _ in range(2))
        await _start(stack, discord, bare, "bare", {"BARE_DATABASE": server.dsn(), "BARE_TOKEN": bare.token})
        data = stack.enter_context(tempfile.TemporaryDirectory())
        await _start(stack, discord, ours, "gamekeeper", gamekeeper(server.dsn(), ours.token, data))
        await asyncio.sleep(_SETTLE)
        variants = {
            "bare": _asking(discord, bare, lambda guild: guild.command("bare")),
            "durable": _asking(discord, bare, lambda guild: guild.command("durable")),
            "look-up": _asking(discord, ours, lambda guild: guild.command("server", "list")),
            "change": _asking(
                discord, ours, lambda guild: guild.command("console", "run", server=SERVER, command="status")
            ),
        }
        samples = await _in_rounds(plan, variants, guilds)
        tested = {name: ask for name, ask in variants.items() if name != "durable"}
        late = await _during_a_stall(server, tested, guilds)
    return _figures(samples, late), late


async def _start(
    stack: AsyncExitStack, discord: DiscordServer, app: Application, program: str, environment: Mapping[str, str]
) -> None:
    process = await stack.enter_async_context(
        started("benchmarks.launch", discord.url, program, environment=environment)
    )
    await process.until(app.connected)


def _asking(discord: DiscordServer, app: Application, command: Callable[[Guild], Json]) -> Ask:
    return lambda guild: discord.interact(app, command(guild))


# -------------------------------------------------------------------------------------------------------------- rounds


async def _in_rounds(plan: Plan, variants: Mapping[str, Ask], guilds: Sequence[Guild]) -> Mapping[str, Samples]:
    samples = {name: Samples() for name in variants}
    for ask in variants.values():
        await _rate(ask, guilds, plan.burst // 2)  # every connection of the pools has prepared its statements
    for _ in range(plan.rounds):
        for name, ask in variants.items():
            taken = await _one_by_one(ask, guilds, plan.commands)
            samples[name].p50.append(percentile(taken, 0.5))
            samples[name].p99.append(percentile(taken, 0.99))
    for _ in range(plan.bursts):
        for name, ask in variants.items():
            samples[name].rate.append(await _rate(ask, guilds, plan.burst))
    return samples


async def _one_by_one(ask: Ask, guilds: Sequence[Guild], count: int) -> list[float]:
    taken: list[float] = []
    for number in range(count):
        answer = await ask(guilds[number % len(guilds)])
        taken.append(answer.seconds * 1000)
        await asyncio.sleep(_PAUSE)
    return taken


async def _rate(ask: Ask, guilds: Sequence[Guild], count: int) -> float:
    """Commands a second with 32 in flight."""
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            await ask(guilds[number % len(guilds)])

    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(one_after_the_other() for _ in range(_IN_FLIGHT)))
    return count / (loop.time() - began)


async def _during_a_stall(
    server: EmbeddedPostgres, variants: Mapping[str, Ask], guilds: Sequence[Guild]
) -> Mapping[str, int]:
    """How many of 50 commands, sent while the database stands still for four seconds, are acknowledged too late."""
    late: dict[str, int] = {}
    for name, ask in variants.items():
        with postgres.stalled(server):
            asked = [asyncio.create_task(ask(guilds[number % len(guilds)])) for number in range(_DURING_STALL)]
            await asyncio.sleep(_STALL)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        late[name] = sum(1 for answer in answers if not isinstance(answer, Answer) or answer.seconds > _IN_TIME)
        await asyncio.sleep(1)
    return late


# ------------------------------------------------------------------------------------------------------------- figures


def _figures(samples: Mapping[str, Samples], late: Mapping[str, int]) -> list[Figure]:
    bare, durable = samples["bare"], samples["durable"]
    in_time = {name: 100 * (1 - count / _DURING_STALL) for name, count in late.items()}
    figures: list[Figure] = []
    for name, goal in (("look-up", Goal(1.25)), ("change", Goal(2.5))):
        mine = samples[name]
        figures += [
            compared(1, f"{name}, p50", _BARE, "ms", bare.p50, mine.p50, goal),
            compared(1, f"{name}, p99", _BARE, "ms", bare.p99, mine.p99, Goal(3)),
            compared(1, f"{name}, 32 in flight", _BARE, "/s", bare.rate, mine.rate, Goal(0.5, "least")),
        ]
    floor = "bare + a durable audit row"
    figures += [
        compared(1, "that floor itself, p50", _BARE, "ms", bare.p50, durable.p50),
        compared(1, "look-up, p50", floor, "ms", durable.p50, samples["look-up"].p50),
        compared(1, "change, p50", floor, "ms", durable.p50, samples["change"].p50),
    ]
    for name in ("look-up", "change"):
        shares = in_time["bare"], in_time[name]
        goal = Goal(1, "least")
        figures.append(Figure(1, f"{name}, in time in a stall", _BARE, "%", *shares, shares[1] / 100, goal))
    return figures
