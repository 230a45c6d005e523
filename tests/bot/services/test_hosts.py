"""Pairing, keys, and what people do with hosts."""

import asyncio
from datetime import timedelta

import pytest

from bot import clock
from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.agents import NotRecognised
from tests.bot.world import World, pair_request


async def test_a_token_pairs_once_even_if_tried_at_once(world: World) -> None:
    pairing = await world.hosts.add(world.admin(), "gs-1")
    tries = (world.agents.pair(pair_request(pairing.token), None) for _ in range(6))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, NotRecognised) for answer in answers) == 5
    assert await world.value("select count(*) from hosts") == 1
    assert await world.value("select count(*) from api_keys") == 1
    assert await world.value("select used_by_host_id = (select id from hosts) from pairing_tokens")


async def test_wrong_used_and_expired_tokens_read_the_same(world: World) -> None:
    used = await world.hosts.add(world.admin(), "gs-1")
    await world.agents.pair(pair_request(used.token), None)
    expired = await world.hosts.add(world.admin(), "gs-2")
    await world.rows("update pairing_tokens set expires_at = now() where host_name = 'gs-2'")
    said: set[tuple[str, str]] = set()
    for token in ("gsp_wrong", "", used.token, expired.token):
        with pytest.raises(NotRecognised) as refusal:
            await world.agents.pair(pair_request(token), None)
        said.add((refusal.value.what, refusal.value.remedy))
    assert len(said) == 1
    assert await world.value("select count(*) from hosts") == 1


async def test_secrets_are_stored_as_keyed_hashes(world: World) -> None:
    pairing = await world.hosts.add(world.admin(), "gs-1")
    answer = await world.agents.pair(pair_request(pairing.token), None)
    ((prefix, digest),) = await world.rows("select key_prefix, key_hash from api_keys")
    assert answer.agent_key.startswith(prefix)
    assert len(prefix) == len("gsa_") + 8
    assert digest == world.keys.digest(answer.agent_key)
    everything = await world.rows("select a::text from audit_logs a union all select t::text from pairing_tokens t")
    assert not any(pairing.token in row or answer.agent_key in row for (row,) in everything)


async def test_the_audit_row_of_a_pairing_names_the_agent(world: World) -> None:
    host, _ = await world.pair()
    rows = await world.rows(
        """select actor_type, resource_id, details ->> 'hostname', discord_guild_id
             from audit_logs where action = 'host.pair'"""
    )
    assert rows == [("agent", str(host.id), "box.example", world.guild)]


async def test_a_host_is_paired_again_and_keeps_its_id(world: World) -> None:
    host, old_key = await world.pair()
    with pytest.raises(NotRecognised):
        await world.agents.authenticate("gsa_" + "x" * 50, None)
    await world.hosts.revoke(world.admin(), "gs-1")
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(old_key, None)
    again, _ = await world.pair("GS-1")
    assert again.id == host.id
    assert await world.value("select count(*) from api_keys where revoked_at is null") == 1


async def test_a_connected_host_is_not_paired_again(world: World) -> None:
    host, _ = await world.pair()
    await world.beat(host)
    with pytest.raises(Conflict, match="connected already"):
        await world.hosts.add(world.admin(), "gs-1")


async def test_two_tokens_for_one_new_name(world: World) -> None:
    first = await world.hosts.add(world.admin(), "gs-1")
    second = await world.hosts.add(world.admin(), "gs-1")
    await world.agents.pair(pair_request(first.token), None)
    with pytest.raises(Conflict, match="name"):
        await world.agents.pair(pair_request(second.token), None)
    assert await world.value("select count(*) from pairing_tokens where used_at is null") == 1  # nothing half-done


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "a\nb", "a\0b"])
async def test_names_that_cannot_be(world: World, name: str) -> None:
    if name == "a\nb":
        assert (await world.hosts.add(world.admin(), name)).host_name == "a b"
        return
    with pytest.raises(Invalid):
        await world.hosts.add(world.admin(), name)


async def test_everything_needs_its_permission(world: World) -> None:
    await world.pair()
    with pytest.raises(NotPermitted, match=r"nodes\.create"):
        await world.hosts.add(world.member(), "gs-2")
    for act in (world.hosts.rotate_key, world.hosts.revoke):
        with pytest.raises(NotPermitted, match=r"security\.sessions"):
            await act(world.member(), "gs-1")


async def test_hosts_of_another_guild_are_not_there(world: World) -> None:
    host, _ = await world.pair()
    other = await World(world.db, guild=2002).found()
    for act in (other.hosts.show, other.hosts.revoke, other.hosts.rotate_key):
        with pytest.raises(NotFound):
            await act(other.admin(), str(host.id))


async def test_rotation_ends_the_old_key_after_the_new_one_was_used(world: World) -> None:
    host, old = await world.pair()
    assert await world.agents.next_key(host) is None  # nobody asked
    await world.hosts.rotate_key(world.admin(), "gs-1")
    lost = await world.agents.next_key(host)
    new = await world.agents.next_key(host)  # the answer with the first one was lost
    assert lost and new and lost != new
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(lost, None)
    assert (await world.agents.authenticate(old, None)).id == host.id
    assert (await world.agents.authenticate(new, None)).id == host.id
    assert (await world.audited())[-1] == "host.key.rotated"
    assert (await world.agents.authenticate(old, None)).id == host.id  # its grace
    assert await world.agents.next_key(host) is None
    await world.rows("update api_keys set expires_at = now() where expires_at is not null")
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(old, None)
    assert (await world.agents.authenticate(new, None)).id == host.id


async def test_the_new_key_is_confirmed_once_by_many(world: World) -> None:
    host, _ = await world.pair()
    await world.hosts.rotate_key(world.admin(), "gs-1")
    new = await world.agents.next_key(host)
    assert new
    await asyncio.gather(*(world.agents.authenticate(new, None) for _ in range(5)))
    assert (await world.audited()).count("host.key.rotated") == 1
    assert await world.value("select count(*) from api_keys where expires_at is null") == 1


async def test_last_use_is_written_once_a_minute(world: World) -> None:
    _, key = await world.pair()
    first = await world.value("select last_used_at from api_keys")
    await world.agents.authenticate(key, None)
    assert await world.value("select last_used_at from api_keys") == first
    await world.rows("update api_keys set last_used_at = :then", then=clock.now() - timedelta(minutes=2))
    await world.agents.authenticate(key, None)
    assert await world.value("select last_used_at from api_keys") > first


@pytest.mark.parametrize(
    ("address", "good"), [("10.1.2.3", True), ("192.0.2.9", False), (None, False), ("2001:db8::1", False)]
)
async def test_a_key_may_be_bound_to_addresses(world: World, address: str | None, good: bool) -> None:
    host, key = await world.pair()
    await world.rows("update api_keys set allowed_cidrs = '{10.0.0.0/8}'")
    if good:
        assert (await world.agents.authenticate(key, address)).id == host.id
        return
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(key, address)


async def test_an_expired_key_is_no_key(world: World) -> None:
    _, key = await world.pair()
    await world.rows("update api_keys set expires_at = now() - interval '1 second'")
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(key, None)


async def removed(world: World) -> None:
    async with world.db.uow(world.admin()) as tx:
        await world.hosts.remove_in(tx, "gs-1")


async def test_a_host_with_servers_or_jobs_stays(world: World) -> None:
    host, key = await world.pair()
    server = await world.server(host)
    with pytest.raises(Conflict, match="EU1"):
        await removed(world)
    await world.enqueue(host, server)
    await world.rows("update server_instances set deleted_at = now()")
    with pytest.raises(Conflict, match="J-1"):
        await removed(world)
    await world.jobs.cancel(world.admin(), 1)
    await removed(world)
    with pytest.raises(NotRecognised):
        await world.agents.authenticate(key, None)
    assert (await world.hosts.list(world.admin())).rows == []
    assert (await world.pair())[0].id != host.id  # the name is free again


async def test_a_card_tells_what_hangs_on_a_host(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.enqueue(host, server)
    await world.beat(host)
    card = await world.hosts.show(world.admin(), "gs-1")
    assert (card.online, card.servers, card.waiting, card.silent_since) == (True, ["EU1"], 1, None)
    assert card.last_metrics["cpuPercent"] == 12.5
    assert [found.name for found in await world.hosts.suggest(world.admin(), "gs")] == ["gs-1"]


async def test_a_host_is_called_something_else(world: World) -> None:
    host, key = await world.pair()
    await world.server(host)
    assert await world.hosts.rename(world.admin(), "GS-1", "  the   attic ") == ("gs-1", "the attic")
    card = await world.hosts.show(world.admin(), "the attic")
    assert (card.id, card.servers) == (host.id, ["EU1"])
    assert (await world.agents.authenticate(key, None)).id == host.id
    assert await world.hosts.rename(world.admin(), str(host.id), "The Attic") == ("the attic", "The Attic")
    rows = await world.rows("select details from audit_logs where action = 'host.rename' order by id")
    assert rows[0][0] == {"before": "gs-1", "name": "the attic"}


async def test_a_name_that_is_taken_no_name_and_no_permission(world: World) -> None:
    await world.pair()
    await world.pair("gs-2")
    with pytest.raises(Conflict, match="There is a host GS-2 already"):
        await world.hosts.rename(world.admin(), "gs-1", "GS-2")
    for nothing in ("", "   ", "x" * 129, "a\u202eb"):
        with pytest.raises(Invalid, match="cannot be a host's name"):
            await world.hosts.rename(world.admin(), "gs-1", nothing)
    with pytest.raises(NotPermitted, match=r"nodes\.edit"):
        await world.hosts.rename(world.member(), "gs-1", "gs-3")
    other = await World(world.db, guild=1002).found()
    with pytest.raises(NotFound):
        await other.hosts.rename(other.admin(), "gs-1", "gs-3")
    assert [host.name for host in (await world.hosts.list(world.admin())).rows] == ["gs-1", "gs-2"]


async def test_of_two_hosts_that_want_a_name_one_gets_it(world: World) -> None:
    await world.pair()
    await world.pair("gs-2")
    wishes = (world.hosts.rename(world.admin(), host, "attic") for host in ("gs-1", "gs-2"))
    ends = await asyncio.gather(*wishes, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["Conflict", "tuple"]
    assert await world.value("select count(*) from hosts where name = 'attic'") == 1


async def test_a_removed_hosts_name_is_free(world: World) -> None:
    await world.pair()
    await removed(world)
    await world.pair("gs-2")
    assert await world.hosts.rename(world.admin(), "gs-2", "gs-1") == ("gs-2", "gs-1")
