"""Duties that one process at a time has."""

import asyncio

from bot.services.leases import Leases
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


async def test_a_lease_that_lapsed_cannot_be_renewed(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    await first.take(DUTY)
    assert await first.renew(DUTY)
    await lapse(world)
    assert not await first.renew(DUTY), "somebody may have begun meanwhile"
    assert first.held == {} and not await first.renew(DUTY)
    assert await second.take(DUTY) == 2
    assert await second.renew(DUTY)


async def test_who_was_stopped_cannot_renew_what_another_has(world: World) -> None:
    stopped, second = Leases(world.db, "a"), Leases(world.db, "b")
    await stopped.take(DUTY)
    await lapse(world)
    await second.take(DUTY)
    assert not await stopped.renew(DUTY)
    await stopped.release(DUTY)
    assert await second.renew(DUTY), "letting go of a lease that is lost does no harm"


async def test_a_duty_that_is_given_back_is_free_at_once(world: World) -> None:
    first, second = Leases(world.db, "a"), Leases(world.db, "b")
    await first.take(DUTY)
    await first.release(DUTY)
    assert first.held == {} and await second.take(DUTY) == 2


async def test_renewing_moves_the_end(world: World) -> None:
    leases = Leases(world.db, "a")
    await leases.take(DUTY)
    await world.rows("update leases set expires_at = now() + interval '1 second'")
    assert await leases.renew(DUTY)
    assert await world.value("select expires_at > now() + interval '14 seconds' from leases")


async def test_of_many_that_ask_one_gets_it(world: World) -> None:
    asking = [Leases(world.db, str(number)) for number in range(10)]
    epochs = await asyncio.gather(*(leases.take(DUTY) for leases in asking))
    assert [epoch for epoch in epochs if epoch] == [1]
    await lapse(world)
    epochs = await asyncio.gather(*(leases.take(DUTY) for leases in asking))
    assert len([epoch for epoch in epochs if epoch]) == 1
