"""Seals over audit rows: which rows they name, in which order, whoever makes them."""

import pytest
from sqlalchemy import text

from bot import clock
from bot.domain.id_ranges import IdRanges
from bot.services.audit_seals import Sealing
from tests.bot.world import World

ROW = """insert into audit_logs (org_id, actor_type, action, outcome, resource_type, created_at)
         values (:org, 'user', :action, 'success', 'server', :now) returning id"""


async def wrote(world: World, count: int = 1, action: str = "help") -> list[int]:
    """Rows of an org; their ids."""
    return [await world.value(ROW, org=world.org_id, action=action, now=clock.now()) for _ in range(count)]


async def seals(world: World) -> list[tuple[int, str, int]]:
    """Number, ids and count of every seal of the org."""
    return [
        tuple(row)
        for row in await world.rows(
            "select number, cast(ids as text), row_count from audit_seals where org_id = :org order by number",
            org=world.org_id,
        )
    ]


async def unsealed(world: World) -> list[int]:
    rows = await world.rows(
        """select id from audit_logs a where org_id = :org and not exists (
             select 1 from audit_seals s where s.org_id = a.org_id and s.ids @> a.id) order by id""",
        org=world.org_id,
    )
    return [row[0] for row in rows]


@pytest.fixture
async def sealing(world: World) -> Sealing:
    """With everything sealed that the world wrote when it was made."""
    found = Sealing(world.db)
    await found.tick()
    return found


async def test_every_row_once_and_nothing_where_there_is_nothing(world: World, sealing: Sealing) -> None:
    before = len(await seals(world))
    ids = await wrote(world, 3)
    assert await sealing.tick() == {"seals": 1, "rows": 3, "posted": 0}
    assert (await seals(world))[-1] == (before + 1, IdRanges.of(ids).text, 3)
    assert await sealing.tick() == {"seals": 0, "rows": 0, "posted": 0}
    assert await unsealed(world) == []


async def test_orgs_have_chains_of_their_own_and_ids_of_others_are_left_out(world: World, sealing: Sealing) -> None:
    other = await World(world.db, guild=2002).found()
    mine = [id for _ in range(3) for id in (await wrote(world), await wrote(other))[0]]
    await sealing.tick()
    (_, ids, count) = (await seals(world))[-1]
    assert (ids, count) == (IdRanges.of(mine).text, 3) and IdRanges.read(ids).size == 3
    assert [number for number, _, _ in await seals(other)] == [1]


async def test_rows_without_an_org_are_in_no_seal(world: World, sealing: Sealing) -> None:
    await world.rows(ROW, org=None, action="help", now=clock.now())
    assert (await sealing.tick())["rows"] == 0


async def test_a_row_that_is_committed_late_gets_into_a_later_seal(world: World, sealing: Sealing) -> None:
    async with world.db.engine.connect() as slow:
        await slow.execute(text("begin"))
        late = (await slow.execute(text(ROW), {"org": world.org_id, "action": "late", "now": clock.now()})).scalar_one()
        soon = await wrote(world, 2)
        assert late < soon[0]
        await sealing.tick()
        assert (await seals(world))[-1][1] == IdRanges.of(soon).text
        await slow.execute(text("commit"))
    assert await sealing.tick() == {"seals": 1, "rows": 1, "posted": 0}
    assert (await seals(world))[-1][1:] == (f"{{[{late},{late + 1})}}", 1)
    assert await sealing.tick() == {"seals": 0, "rows": 0, "posted": 0}
