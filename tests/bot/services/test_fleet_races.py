"""People who add and remove at the same moment: the host's row decides who comes first."""

import asyncio

import pytest
from sqlalchemy import text

from agent.host import game_report
from bot.domain.actors import system
from bot.errors import AppError, Conflict, NotFound
from bot.services.agents import HostIdentity
from bot.services.confirmations import Done
from bot.services.fleet import Fleet
from db.queries import hosts as queries
from games.catalog import load_catalog
from tests.bot.world import World, heartbeat

WHILE_IT_WAITS = 0.3
ADDED = text("""
    insert into server_instances (org_id, host_id, game_type_id, name, slug)
    select h.org_id, h.id, g.id, 'EU', 'eu' from hosts h, game_types g where h.id = :host and g.slug = 'teeworlds'""")


@pytest.fixture
async def host(world: World) -> HostIdentity:
    """A host with every game that we ship."""
    identity, _ = await world.pair()
    games = [game_report(template) for template in load_catalog().values()]
    await world.heartbeats.beat(identity, heartbeat(games=games), None)
    return identity


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world.db)


async def test_servers_added_at_once_share_neither_directory_nor_port(
    world: World, fleet: Fleet, host: HostIdentity
) -> None:
    names = ["EU 1", "EU-1", "EU_1", "eu.1"]
    added = await asyncio.gather(*(fleet.add(world.admin(), str(host.id), "teeworlds", name, {}) for name in names))
    assert len(added) == 4
    rows = await world.rows("select slug, port, vars from server_instances")
    assert len({slug for slug, _, _ in rows}) == len({port for _, port, _ in rows}) == 4
    ports = [value for _, _, values in rows for name, value in values.items() if name.endswith("port")]
    assert len(set(ports)) == len(ports)


async def test_two_servers_with_one_name_at_once(world: World, fleet: Fleet, host: HostIdentity) -> None:
    tries = (fleet.add(world.admin(), str(host.id), "teeworlds", name, {}) for name in ("EU #1", "eu #1"))
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in ended if isinstance(one, AppError)] == [Conflict]
    assert sum(isinstance(one, Done) for one in ended) == 1


async def test_a_server_for_a_host_that_is_just_being_removed(world: World, fleet: Fleet, host: HostIdentity) -> None:
    async with world.db.uow(world.admin()) as tx:
        await world.hosts.remove_in(tx, str(host.id))
        adding = asyncio.create_task(fleet.add(world.admin(), str(host.id), "teeworlds", "EU #1", {}))
        await asyncio.sleep(WHILE_IT_WAITS)
    with pytest.raises(NotFound, match="no such host"):
        await adding
    assert await world.value("select count(*) from server_instances") == 0


async def test_a_host_is_not_removed_under_a_server_that_is_just_being_added(
    world: World, fleet: Fleet, host: HostIdentity
) -> None:
    async def remove() -> None:
        async with world.db.uow(world.admin()) as tx:
            await world.hosts.remove_in(tx, str(host.id))

    async with world.db.uow(world.admin()) as tx:
        await queries.lock(tx.session, world.org_id, host.id)
        removing = asyncio.create_task(remove())
        await asyncio.sleep(WHILE_IT_WAITS)
        await tx.session.execute(ADDED, {"host": host.id})
        tx.audit("fleet.add", resource=("host", host.id))
    with pytest.raises(Conflict, match="still has EU"):
        await removing


async def test_a_host_is_removed_once(world: World, host: HostIdentity) -> None:
    async def remove() -> None:
        async with world.db.uow(world.admin()) as tx:
            await world.hosts.remove_in(tx, str(host.id))

    ended = await asyncio.gather(remove(), remove(), return_exceptions=True)
    assert [type(one) for one in ended if one] == [NotFound]
    assert (await world.audited()).count("host.remove") == 1


async def test_a_server_is_not_changed_that_is_just_being_removed(
    world: World, fleet: Fleet, host: HostIdentity
) -> None:
    await fleet.add(world.admin(), str(host.id), "teeworlds", "EU #1", {})
    await world.rows("update jobs set status = 'success', finished_at = now()")
    server = await world.value("select id from server_instances")
    async with world.db.uow(world.admin()) as tx:
        await fleet.removed(tx, {"server": str(server)})
        editing = asyncio.create_task(fleet.edit(world.admin(), str(server), "EU #2", {}))
        await asyncio.sleep(WHILE_IT_WAITS)
    with pytest.raises(NotFound, match="was removed meanwhile"):
        await editing


async def test_a_server_is_changed_while_its_host_takes_a_job(world: World, fleet: Fleet, host: HostIdentity) -> None:
    """Whose claim holds the host, and then wants a server: who holds that must not wait for the host."""
    await fleet.add(world.admin(), str(host.id), "teeworlds", "EU #1", {})
    server = await world.value("select id from server_instances")
    async with world.db.uow(system("test")) as tx:
        await tx.session.execute(text("select 1 from hosts where id = :host for key share"), {"host": host.id})
        async with asyncio.timeout(3):
            await fleet.edit(world.admin(), str(server), "EU #2", {})
    assert await world.value("select name from server_instances") == "EU #2"
