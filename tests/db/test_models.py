"""The database itself holds the invariants: what no row may be, whoever writes it."""

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.domain.actors import system
from db.engine import Database
from db.failures import constraint_of
from db.models import AuditLog, Base, Job, JobRun, Org, Player, PlayerSession, Server
from tests.db import rows

TEST = system("test")


async def write(db: Database, *objects: Base) -> None:
    async with db.uow(TEST) as tx:
        for one in objects:
            tx.session.add(one)
            await tx.session.flush()


async def refusal(db: Database, *objects: Base) -> str:
    with pytest.raises(IntegrityError) as refused:
        await write(db, *objects)
    return constraint_of(refused.value)


async def test_every_table_takes_a_row_and_gives_it_back(db: Database) -> None:
    objects = rows.one_of_each()
    assert {type(one).__tablename__ for one in objects} == set(Base.metadata.tables)
    await write(db, *objects)
    async with db.read() as session:
        for one in objects:
            assert await session.get(type(one), one.__mapper__.primary_key_from_instance(one)) is not None
        stay = (await session.scalars(select(PlayerSession))).one()
    assert stay.ip == "192.0.2.7"


async def test_a_row_cannot_point_into_another_org(db: Database) -> None:
    mine, other, game = rows.org(1), rows.org(2), rows.game()
    box = rows.host(other)
    await write(db, mine, other, game, box)
    stray = rows.server(box, game)
    stray.org_id = mine.id
    assert await refusal(db, stray) == "fk_servers_host"


async def test_names_and_ports_are_free_again_once_a_server_is_removed(db: Database) -> None:
    org, game = rows.org(), rows.game()
    box = rows.host(org)
    old = rows.server(box, game, "Arena")
    await write(db, org, game, box, old)
    assert await refusal(db, rows.server(box, game, "ARENA")) == "uq_servers_org_name"
    async with db.uow(TEST) as tx:
        await tx.session.execute(update(Server).values(deleted_at=func.now()))
    await write(db, rows.server(box, game, "Arena"))


async def test_one_exclusive_run_at_a_time_even_if_only_offered(db: Database) -> None:
    org, game = rows.org(), rows.game()
    box = rows.host(org)
    arena = rows.server(box, game)
    first, second = rows.job(arena, 1), rows.job(arena, 2)
    await write(db, org, game, box, arena, first, second, rows.run(first))
    assert await refusal(db, rows.run(second)) == "uq_job_runs_exclusive"
    async with db.uow(TEST) as tx:
        await tx.session.execute(update(JobRun).values(status="failed", finished_at=func.now()))
    await write(db, rows.run(second))


async def test_a_finished_job_has_its_time_and_only_then(db: Database) -> None:
    org, game = rows.org(), rows.game()
    box = rows.host(org)
    arena = rows.server(box, game)
    work = rows.job(arena)
    work.status = "success"
    assert await refusal(db, org, game, box, arena, work) == "jobs_check1"


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_logs set outcome = 'denied'",
        "update audit_logs set org_id = gen_random_uuid()",
        "delete from audit_logs",
        "truncate audit_logs",
    ],
)
async def test_the_audit_log_cannot_be_rewritten(db: Database, statement: str) -> None:
    await write(db, *rows.one_of_each())
    with pytest.raises(DBAPIError, match="append-only"):
        async with db.uow(TEST) as tx:
            await tx.session.execute(text(statement))


async def test_retention_may_delete_audit_rows(db: Database) -> None:
    await write(db, *rows.one_of_each())
    async with db.uow(TEST) as tx:
        await tx.session.execute(text("set local app.audit_purge = 'on'"))
        await tx.session.execute(delete(AuditLog))
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditLog)) == 0


async def test_one_statement_purges_an_org_and_its_audit_rows_survive(db: Database) -> None:
    await write(db, *rows.one_of_each())
    async with db.uow(TEST) as tx:
        await tx.session.execute(delete(Org))
    async with db.read() as session:
        assert (await session.scalars(select(AuditLog.org_id))).all() == [None]
        assert await session.scalar(select(func.count()).select_from(Job)) == 0
        assert await session.scalar(select(func.count()).select_from(Player)) == 0


async def test_history_of_a_server_shows_jobs_and_what_led_to_none(db: Database) -> None:
    objects = rows.one_of_each()
    arena = next(one for one in objects if isinstance(one, Server))
    edited = AuditLog(org_id=arena.org_id, action="fleet.edit", outcome="success", resource_type="server")
    edited.resource_id = str(arena.id)
    doubled = AuditLog(org_id=arena.org_id, action="server.restart", outcome="success", resource_type="server")
    doubled.resource_id, doubled.details = str(arena.id), {"jobId": "x"}
    await write(db, *objects, edited, doubled)
    async with db.read() as session:
        actions = (await session.scalars(text("select action from server_actions order by 1"))).all()
    assert actions == ["ANNOUNCE", "SERVER_RESTART", "fleet.edit"]  # the first one is archived
