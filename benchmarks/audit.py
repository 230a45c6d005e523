"""Row 10: a page of the audit log 300,000 entries deep against the first one, in 5 million, whatever is looked for."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from benchmarks import postgres
from benchmarks.audit_log import Log, fill
from benchmarks.report import Figure, Goal, compared, percentile, show, write
from bot import clock
from bot.domain.access import Scope
from db.engine import Database
from db.queries import audit
from db.queries.audit import Filter

DEPTH: Final = 300_000
_PAGE: Final = 11
"""Ten entries, and whether there are more."""
_EDGES: Final = 20
"""Different deep pages, all of them about equally deep."""
_APART: Final = 500
_EVERYTHING: Final = Scope(everywhere=True, others=frozenset())
_PERSON: Final = 800_000_004


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 7
    rows: int = 5_000_000
    """Of which nearly four in five are one community's."""
    orgs: int = 2_500
    depth: int = DEPTH


@dataclass(frozen=True)
class Search:
    """What is looked for, and the same as SQL, by which deep pages are found."""

    name: str
    wanted: Filter
    condition: str


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    plan = plan or Plan()
    with postgres.running() as server:
        server.create_database()
        log = asyncio.run(fill(server.dsn(), rows=plan.rows, orgs=plan.orgs))
        figures = asyncio.run(_measured(server.dsn(), log, plan))
    show(figures)
    write("audit", figures, rows=plan.rows, depth=plan.depth)
    return figures


async def _measured(url: str, log: Log, plan: Plan) -> list[Figure]:
    finding, db = Database(url, role="migrations", pool_size=1), Database(url)
    try:
        return [
            await _paged(db, log.org, search, await _deep(finding, log.org, search, plan), plan)
            for search in await _searches(finding, log.org)
        ]
    finally:
        await finding.close()
        await db.close()


async def _searches(db: Database, org: UUID) -> list[Search]:
    one = "select resource_id from audit_logs where org_id = '{org}' and resource_type = 'server' limit 1"
    (server,) = await _values(db, one.format(org=org))
    day = clock.now() - timedelta(days=340)
    on = f"resource_id = '{server}'"
    by, since = f"actor_discord_id = {_PERSON}", f"created_at >= '{day.isoformat()}'"
    return [
        Search("every entry", Filter(), "true"),
        Search("by a person", Filter(by=_PERSON), by),
        Search("an action", Filter(action="server.restart"), "action = 'server.restart'"),
        Search("beginning of actions", Filter(action="server."), "action like 'server.%'"),
        Search("on a server", Filter(target=("server", server)), f"resource_type = 'server' and {on}"),
        Search("since a day", Filter(since=day), since),
        Search("succeeded", Filter(outcome="success"), "outcome = 'success'"),
        Search("denied", Filter(outcome="denied"), "outcome = 'denied'"),
        Search("failed", Filter(outcome="failed"), "outcome = 'failed'"),
        Search("by a person since a day", Filter(by=_PERSON, since=day), f"{by} and {since}"),
    ]


async def _deep(db: Database, org: UUID, search: Search, plan: Plan) -> Sequence[int]:
    """Ids below which such pages begin."""
    ordered = f"""select id, row_number() over (order by id desc) as place
                    from audit_logs where org_id = '{org}' and {search.condition}
                   order by id desc limit {plan.depth + _EDGES * _APART}"""
    deep = f"select id from ({ordered}) found where place > {plan.depth} and place % {_APART} = 0"
    edges = await _values(db, deep)
    if len(edges) < _EDGES - 1:
        raise LookupError(f"{search.name}: there are no {plan.depth:,} entries")
    return edges


async def _values(db: Database, statement: str) -> Sequence[Any]:
    async with db.engine.connect() as connection:
        return (await connection.exec_driver_sql(statement)).scalars().all()


async def _paged(db: Database, org: UUID, search: Search, edges: Sequence[int], plan: Plan) -> Figure:
    first: list[float] = []
    deep: list[float] = []
    for number in range(plan.rounds + 1):
        took = [
            (await _page(db, org, search.wanted, None), await _page(db, org, search.wanted, edge)) for edge in edges
        ]
        if number:  # the first round warms up
            first.append(percentile([one for one, _ in took], 0.5))
            deep.append(percentile([one for _, one in took], 0.5))
    return compared(10, f"page at depth {plan.depth:,}: {search.name}", "page 1", "ms", first, deep, Goal(1.5))


async def _page(db: Database, org: UUID, wanted: Filter, before: int | None) -> float:
    began = time.perf_counter()
    async with db.read() as session:
        found = await audit.page(session, org, wanted, _EVERYTHING, before=before, limit=_PAGE)
    if len(found) < _PAGE:
        raise LookupError(f"a page of {len(found)}")
    return (time.perf_counter() - began) * 1000
