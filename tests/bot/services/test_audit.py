"""Who reads what of the audit log, and how entries and targets are found."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from bot.domain.access import Grants, Override
from bot.domain.actors import Actor
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted
from bot.services.audit import Audit, moment
from db.queries.audit import Filter
from tests.bot.people import People, again
from tests.bot.world import World


@pytest.fixture
async def servers(world: World) -> list[UUID]:
    """Two servers to which something was done."""
    host, _ = await world.pair()
    found = [await world.server(host, name) for name in ("EU1", "EU2")]
    for server in found:
        async with world.db.uow(world.admin()) as tx:
            tx.audit("server.restart", resource=("server", server))
    return found


def seeing(actor: Actor, **granted: UUID | None) -> Actor:
    """Somebody who has the log of single servers only, or of all but one."""
    rules = [
        Override(permission=permission, granted=server is not None or name == "all", server_id=server)
        for name, server in granted.items()
        for permission in ("audit.view", "audit.export", "security.logs", "servers.view")
    ]
    return replace(actor, grants=Grants(overrides=tuple(rules)))


async def actions(audit: Audit, actor: Actor, **wanted: Any) -> list[str]:
    page = await audit.search(actor, Filter(**wanted))
    return [f"{row.action} {row.resource_name or ''}".strip() for row in page.rows]


async def test_whoever_may_read_of_one_server_reads_of_that_one(world: World, servers: list[UUID]) -> None:
    audit, ann = Audit(world.db), await People(world.db).actor("ann")
    one = seeing(ann, one=servers[0])
    assert await actions(audit, one) == ["server.restart EU1"]
    assert await actions(audit, one, target=("server", str(servers[1]))) == []
    assert {target.name for target in await audit.suggest_targets(one, "")} == {"EU1"}
    assert [entry.resource_name for entry in await audit.suggest(one, "")] == ["EU1"]
    newest = (await audit.search(world.admin(), Filter(target=("server", str(servers[1]))))).rows[0]
    with pytest.raises(NotFound):
        await audit.show(one, str(newest.id))
    with pytest.raises(NotPermitted):
        await audit.denied(one)


async def test_whoever_may_not_read_of_one_server_reads_of_the_others(world: World, servers: list[UUID]) -> None:
    audit, ann = Audit(world.db), await People(world.db).actor("ann")
    rules = [
        Override(permission="audit.view", granted=True),
        Override(permission="audit.view", granted=False, server_id=servers[1]),
    ]
    most = replace(ann, grants=Grants(overrides=tuple(rules)))
    assert await actions(audit, most) == ["server.restart EU1", "host.pair gs-1", "host.add gs-1", "org.join"]
    hidden = await world.value("select id from audit_logs where resource_id = :id", id=str(servers[1]))
    shown = await world.value("select id from audit_logs where resource_id = :id", id=str(servers[0]))
    assert (await audit.show(most, str(shown))).resource_name == "EU1"
    with pytest.raises(NotFound):
        await audit.show(most, str(hidden))


async def test_nothing_is_suggested_to_whoever_may_not_read(world: World, servers: list[UUID]) -> None:
    audit, bob = Audit(world.db), await People(world.db).actor("bob")
    assert (await audit.suggest(bob, ""), await audit.suggest_targets(bob, "")) == ([], [])


@pytest.mark.parametrize("ref", ["{0}", "server:{0}", "EU1", " eu1 "])
async def test_a_target_by_suggestion_id_and_name(world: World, servers: list[UUID], ref: str) -> None:
    found = await Audit(world.db).target(world.admin(), ref.format(servers[0]))
    assert found == ("server", str(servers[0]))


async def test_targets_that_are_none_or_too_many(world: World, servers: list[UUID]) -> None:
    audit, other = Audit(world.db), await World(world.db, guild=2002).found()
    await People(world.db).actor("gs-1")
    with pytest.raises(Conflict, match=r"2 are called gs-1 \(host, user\)"):
        await audit.target(world.admin(), "gs-1")
    for ref in (f"server:{servers[0]}", str(servers[0]), "EU1"):
        with pytest.raises(NotFound):
            await audit.target(other.admin(), ref)
    for ref in (f"host:{servers[0]}", "nothing:x", "100%"):
        with pytest.raises(NotFound):
            await audit.target(world.admin(), ref)
    assert await audit.target(world.admin(), " ") is None


async def test_an_entry_by_number_and_by_reference(world: World, servers: list[UUID]) -> None:
    audit, ann = Audit(world.db), await People(world.db).actor("ann")
    asked = again(replace(ann, grants=Grants(break_glass=True)))
    assert asked.invocation
    asked = replace(asked, invocation=replace(asked.invocation, id=2**60 + 5))
    async with world.db.uow(asked) as tx:
        tx.audit("test", resource=("org", world.org_id))
    found = await audit.show(asked, f"{2**60 + 5:X}")
    assert found.action == "test" and (await audit.show(asked, f"#{found.id}")).id == found.id
    for ref in ("x", "", "-1", "0", "9" * 40, "g" * 16):
        with pytest.raises(AppError) as refused:
            await audit.show(asked, ref)
        assert isinstance(refused.value, Invalid | NotFound)


@pytest.mark.parametrize("text", ["yesterday", "0d", "2026-02-30", "9" * 50 + "d", "2026-1-1"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        moment(text)


def test_a_day_and_nothing() -> None:
    day = moment("2026-11-01")
    assert day and day.isoformat() == "2026-11-01T00:00:00+00:00" and moment(" ") is None
