"""Duties that one process at a time has."""

import asyncio

import pytest

from bot.errors import Conflict
from bot.services.leases import Leases
from db.queries.operations import Held
from tests.bot.world import World

DUTY = "shard:0"


async def lapse(world: World) -> None:
    await world.rows("update leases set expires_at = now() - interval '1 second'")


async def test_one_holder_at_a_time(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    assert await first.take(DUTY) == 1
    assert await second.take(DUTY) is None and second.held == {}
    assert await second.take("shard:1") == 1, "another duty is another row"


async def test_the_epoch_grows_with_the_holder_and_only_with_it(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    assert [await first.take(DUTY), await first.take(DUTY)] == [1, 1]
    await lapse(world)
    assert await first.take(DUTY) == 1, "nobody else had it in between"
    await lapse(world)
    assert await second.take(DUTY) == 2
    await lapse(world)
    assert await first.take(DUTY) == 3


async def test_a_lease_that_lapsed_is_kept_unless_somebody_has_taken_it(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    await first.take(DUTY)
    await lapse(world)
    (seen,) = await second.renew()
    assert not seen.is_live and not second.held
    (seen,) = await first.renew()
    assert seen.kept and first.held == {DUTY: 1}, "nobody has had it in between"
    await lapse(world)
    assert await second.take(DUTY) == 2
    (seen,) = await first.renew()
    assert (seen.holder, seen.kept, seen.is_live) == ("b", False, True)
    assert first.held == {} and not first.leads(DUTY)


async def test_who_was_stopped_cannot_give_back_what_another_has(world: World) -> None:
    stopped, second = Leases(world.db, "a"), Leases(world.db, "b")
    await stopped.take(DUTY)
    await lapse(world)
    await second.take(DUTY)
    await stopped.release(DUTY)
    (seen,) = await second.renew()
    assert seen.kept, "letting go of a lease that is lost does no harm"


async def test_a_duty_that_is_given_back_is_free_at_once(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    await first.take(DUTY)
    await first.release(DUTY)
    assert first.held == {} and await second.take(DUTY) == 2


async def test_renewing_moves_the_end(world: World) -> None:
    leases = Leases(world.db, "a")
    await leases.take(DUTY)
    await world.rows("update leases set expires_at = now() + interval '1 second'")
    await leases.renew()
    assert await world.value("select expires_at > now() + interval '2 seconds' from leases")


async def test_one_statement_renews_everything(world: World, caplog: pytest.LogCaptureFixture) -> None:
    leases, other = Leases(world.db, "a"), Leases(world.db, "b")
    for duty in ("one", "two", "three"):
        await leases.take(duty)
    await world.rows("update leases set holder = 'b', epoch = epoch + 1 where duty = 'two'")
    await other.take("two")
    seen = {lease.duty: lease.kept for lease in await leases.renew()}
    assert seen == {"one": True, "two": False, "three": True}
    assert leases.held.keys() == {"one", "three"} and "another process has two by now" in caplog.text


async def test_what_cannot_be_renewed_is_not_relied_on(world: World) -> None:
    leases = Leases(world.db, "a", seconds=0.2)
    await leases.take(DUTY)
    assert leases.leads(DUTY) and leases.under(DUTY) == Held(DUTY, "a", 1)
    await asyncio.sleep(0.25)
    assert not leases.leads(DUTY)
    await leases.release(DUTY)
    with pytest.raises(Conflict, match="does not have the duty"):
        leases.under(DUTY)


async def test_of_many_that_ask_one_gets_it(world: World) -> None:
    asking = [Leases(world.db, str(number)) for number in range(10)]
    epochs = await asyncio.gather(*(leases.take(DUTY) for leases in asking))
    assert [epoch for epoch in epochs if epoch] == [1]
    await lapse(world)
    epochs = await asyncio.gather(*(leases.take(DUTY) for leases in asking))
    assert len([epoch for epoch in epochs if epoch]) == 1
