"""Row 12: sealing a million audit rows, and checking them, against a plain read of the same rows by a cursor.

Every fifth row belongs to another community, so the ids of a seal are thousands of ranges. What a tick costs when there
is nothing to seal is measured beside one index probe for each of 2,500 communities.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from benchmarks import postgres
from benchmarks.audit_log import Log, fill
from benchmarks.report import NO_GOAL, Figure, compared, show, write
from bot.domain.access import Grants
from bot.domain.actors import Actor
from bot.services.audit_seals import Sealing
from bot.services.audit_verify import AuditVerify
from db.connect import Connector
from db.engine import Database

_PAGE: Final = 1_000
_IDLE: Final = 20
"""Ticks with nothing to do, a round."""
_PROBES: Final = "select o.id, (select max(id) from audit_logs a where a.org_id = o.id) from orgs o"
Timed = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    rows: int = 1_280_000
    """Of which nearly four in five are one community's."""
    orgs: int = 2_500


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    plan = plan or Plan()
    with postgres.running() as server:
        server.create_database()
        log = asyncio.run(fill(server.dsn(), rows=plan.rows, orgs=plan.orgs))
        figures = asyncio.run(_measured(server.dsn(), log, plan))
    show(figures)
    write("seal", figures, rows=log.own, orgs=plan.orgs)
    return figures


async def _measured(url: str, log: Log, plan: Plan) -> list[Figure]:
    db = Database(url, role="workers")
    sealing = Sealing(db)
    names = ("read", "sealed", "checked", "probes", "idle")
    took: dict[str, list[float]] = {name: [] for name in names}
    try:
        await _seal(db)  # the others' rows, and what has to be warm
        for _ in range(plan.rounds):
            await _execute(db, f"delete from audit_seals where org_id = '{log.org}'")
            found = {"read": await _seconds(lambda: _read(url, log)), "sealed": await _seconds(lambda: _seal(db))}
            found["checked"] = await _seconds(lambda: _check(db, log))
            await _settle(db)
            await sealing.tick()
            found |= {"probes": await _seconds(lambda: _probe(db)), "idle": await _seconds(lambda: _tick(sealing))}
            for name, seconds in found.items():
                took[name].append(seconds)
    finally:
        await db.close()
    rates = {name: [log.own / seconds for seconds in took[name]] for name in ("read", "sealed", "checked")}
    idle = {name: [seconds / _IDLE * 1000 for seconds in took[name]] for name in ("probes", "idle")}
    cursor, probe = "a cursor reads them", "an index probe for each org"
    return [
        compared(12, "rows sealed", cursor, "/s", rates["read"], rates["sealed"], NO_GOAL),
        compared(12, "rows checked", cursor, "/s", rates["read"], rates["checked"], NO_GOAL),
        compared(12, f"a tick with nothing to seal, {plan.orgs:,} orgs", probe, "ms", idle["probes"], idle["idle"]),
    ]


async def _seconds(work: Timed) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _read(url: str, log: Log) -> None:
    """Every column of the community's rows in the order of their ids."""
    connection: Any = await Connector(url, "migrations").writing()
    count = 0
    async with connection.transaction():
        cursor = await connection.cursor("select * from audit_logs where org_id = $1 order by id", log.org)
        while page := await cursor.fetch(_PAGE):
            count += len(page)
    await connection.close()
    _must(count, log.own)


async def _seal(db: Database) -> None:
    """Everything at once: a tick would leave the rest of a backlog to the next one."""
    done = await Sealing(db, seals=10**6).tick()
    if not done["rows"]:
        raise LookupError("nothing was sealed")


async def _check(db: Database, log: Log) -> None:
    owner = Actor(type="user", name="olga", org_id=log.org, grants=Grants(break_glass=True))
    found = await AuditVerify(db).verify(owner)
    if found.findings:
        raise LookupError(f"an unchanged log does not verify: {found.findings[:3]}")
    _must(found.rows, log.own)


async def _probe(db: Database) -> None:
    for _ in range(_IDLE):
        async with db.read() as session:
            await session.execute(_named(_PROBES))


async def _tick(sealing: Sealing) -> None:
    for _ in range(_IDLE):
        _must((await sealing.tick())["seals"], 0)


async def _settle(db: Database) -> None:
    """Two hours later: no row can be late any more."""
    await _execute(db, "update audit_seals set sealed_at = sealed_at - interval '2 hours'")
    await _execute(db, "analyze audit_seals")


async def _execute(db: Database, statement: str) -> None:
    async with db.statement() as session:
        await session.execute(_named(statement))


def _named(statement: str) -> Any:
    return text(f"/* benchmark.seal */ {statement}")


def _must(found: int, wanted: int) -> None:
    if found != wanted:
        raise LookupError(f"{found:,} instead of {wanted:,}")
