"""Pages of the audit log: the right rows, whatever is looked for, and as fast on the last page as on the first."""

import random
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from bot import clock
from bot.domain.access import Scope
from db.engine import Database
from db.queries import audit
from db.queries.audit import AuditEntry, Filter
from tests.bot.services.test_audit_export import BATCH
from tests.bot.world import World

SERVERS = [str(UUID(int=2**127 + n)) for n in range(4)]
RARE = SERVERS[3]
PEOPLE = (901, 902, 903)
EVERYTHING = Scope(True)
PAGE = 11


_FILL = """
    insert into audit_logs (org_id, actor_id, actor_discord_id, action, outcome, resource_type, resource_id, created_at)
    select case when n % 5 = 0 then cast(:other as uuid) else cast(:org as uuid) end, u.id, u.discord_user_id,
           case when n % 999 = 3 then 'ban.lift'
                else (array['server.restart', 'server.stop', 'console.run'])[1 + n % 3] end,
           case when n % 801 = 2 then 'denied' when n % 211 = 0 then 'failed' else 'success' end, 'server',
           (cast(:servers as text[]))[1 + case when n % 1607 = 4 then 3 else n % 3 end],
           cast(:now as timestamptz) - make_interval(secs => (:rows - n) * 60)
      from generate_series(1, :rows) n
      join users u on u.discord_user_id = 901 + case when n % 7 = 0 then 1 when n % 1500 = 1 then 2 else 0 end
     order by n"""


async def filled(db: Database, rows: int) -> World:
    """An org with a long log, in which some things are rare, and another org whose rows lie between its own."""
    world, other = await World(db).found(), await World(db, guild=2002).found()
    for person in PEOPLE:
        await world.rows("insert into users (discord_user_id, username) values (:id, 'x')", id=person)
    await world.rows(_FILL, org=world.org_id, other=other.org_id, servers=SERVERS, rows=rows, now=clock.now())
    await world.rows("analyze audit_logs")
    return world


@pytest.fixture
async def log(db: Database) -> World:
    return await filled(db, 6_000)


async def pages(db: Database, org: UUID, wanted: Filter, sight: Scope = EVERYTHING) -> list[int]:
    """The ids of every page, newest first."""
    seen: list[int] = []
    while True:
        async with db.read() as session:
            rows = await audit.page(session, org, wanted, sight, before=seen[-1] if seen else None, limit=500)
        if not rows:
            return seen
        seen += [row.id for row in rows]


def fits(row: Any, wanted: Filter, sight: Scope) -> bool:
    """The filters again, without any cleverness."""
    on = row.resource_id in {str(server) for server in sight.others} and row.resource_type == "server"
    return (
        (wanted.by is None or row.actor_discord_id == wanted.by)
        and (wanted.action is None or row.action.startswith(wanted.action))
        and (wanted.target is None or (row.resource_type, row.resource_id) == wanted.target)
        and (wanted.since is None or row.created_at >= wanted.since)
        and (wanted.until is None or row.created_at < wanted.until)
        and (wanted.outcome is None or row.outcome == wanted.outcome)
        and on != sight.everywhere
    )


def filters(now: datetime) -> list[dict[str, Any]]:
    """Values of each filter that are worth combining."""
    return [
        {"by": 901}, {"by": 902}, {"by": 903}, {"by": 5},
        {"action": "server."}, {"action": "ban.lift"}, {"action": "x"}, {"action": "%"},
        {"target": ("server", SERVERS[0])}, {"target": ("server", RARE)}, {"target": ("host", SERVERS[0])},
        {"since": now - timedelta(hours=30)}, {"until": now - timedelta(days=2)},
        {"outcome": "success"}, {"outcome": "denied"}, {"outcome": "failed"},
    ]  # fmt: skip


async def test_every_combination_finds_what_it_should(log: World) -> None:
    async with log.db.read() as session:
        found = await session.execute(
            text("select * from audit_logs where org_id = :org order by id desc"), {"org": log.org_id}
        )
        rows = list(found.all())
    single = filters(clock.now())
    both = [one | other for one, other in combinations(single, 2) if one.keys() != other.keys()]
    choice = random.Random(7)
    sights = [EVERYTHING, Scope(True, frozenset({UUID(SERVERS[0])})), Scope(False, frozenset({UUID(RARE)}))]
    for given in [*single, *choice.sample(both, 15)]:
        wanted, sight = Filter(**given), choice.choice(sights)
        expected = [row.id for row in rows if fits(row, wanted, sight)]
        assert await pages(log.db, log.org_id, wanted, sight) == expected, (given, sight)


async def touched(world: World, monkeypatch: pytest.MonkeyPatch, wanted: Filter, before: int | None) -> int:
    """How many blocks of 8 kB a page reads, its look for a time included."""
    total = 0
    async with world.db.read() as session:
        execute = session.execute

        async def explained(statement: Any, values: Any = None, **options: Any) -> Any:
            nonlocal total
            found = await execute(text(f"explain (analyze, buffers, format json) {statement.text}"), values)
            plan: dict[str, int] = found.scalar_one()[0]["Plan"]
            total += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            return await execute(statement, values, **options)

        monkeypatch.setattr(session, "execute", explained)
        await audit.page(session, world.org_id, wanted, EVERYTHING, before=before, limit=PAGE)
    return total


async def test_a_page_reads_little_however_deep_it_lies(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of the log would be more than twice as much."""
    log = await filled(db, 20_000)
    whole = await log.value("select pg_relation_size('audit_logs') / 8192")
    deep = await log.value("select min(id) + 300 from audit_logs where org_id = :org", org=log.org_id)
    unknown: list[dict[str, Any]] = [
        {"action": "x", **other} for other in filters(clock.now()) if other.keys() & {"by", "target"}
    ]
    for given in [{}, *filters(clock.now()), *unknown]:
        for before in (None, deep):
            blocks = await touched(log, monkeypatch, Filter(**given), before)
            assert blocks < whole / 2, (given, before, blocks)


async def test_an_entry_of_the_past_by_time(log: World) -> None:
    """Found by halves, as if every row were looked at; the first rows were written when the org was made, today."""
    now = clock.now()
    outside = """select count(*) from audit_logs where org_id = :org and id > 100
                   and (id >= :first) <> (created_at >= :at)"""
    async with log.db.read() as session:
        for back in (timedelta(), timedelta(days=2), timedelta(days=400), -timedelta(days=1)):
            first = await audit.first_since(session, log.org_id, now - back)
            assert await log.value(outside, org=log.org_id, first=first, at=now - back) == 0, back
        assert await audit.first_since(session, UUID(int=1), now) in (0, 1), "an org without any"


async def test_oldest_first_for_a_file(log: World) -> None:
    seen: list[AuditEntry] = []
    wanted = Filter(outcome="failed")
    while True:
        async with log.db.read() as session:
            rows = await audit.page(
                session, log.org_id, wanted, EVERYTHING, after=seen[-1].id if seen else 0, limit=BATCH // 10
            )
        seen += rows
        if not rows:
            break
    assert [row.id for row in seen] == list(reversed(await pages(log.db, log.org_id, wanted)))
