"""Records of a game's log over HTTP: once each, bounded, and never of somebody else's server."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from agent import wire
from bot import clock
from bot.http.records import BURST, Allowance
from bot.services.agents import HostIdentity
from tests.bot.world import Site, World


def record(message: str = "hello", level: str = "info", ts: datetime | None = None) -> wire.LogRecord:
    return wire.LogRecord.model_validate({"ts": ts or clock.now(), "level": level, "message": message})


def batch(server: UUID, seq: int, *records: wire.LogRecord, generation: int = 1) -> wire.Records:
    return wire.Records(
        server_id=server, stream="log", generation=generation, seq=seq, records=list(records or [record(f"line {seq}")])
    )


async def messages(world: World) -> list[str]:
    return [row[0] for row in await world.rows("select message from logs order by id")]


async def test_batches_in_order_and_one_sent_again(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    for seq, accepted in ((1, 1), (2, 1), (2, 0), (1, 0), (3, 1)):
        answer = await site.post("/agent/v1/records", batch(server, seq))
        assert answer.read(wire.RecordsAnswer).accepted == accepted
    assert await messages(world) == ["line 1", "line 2", "line 3"]


async def test_a_gap_names_what_is_expected(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    await site.post("/agent/v1/records", batch(server, 1))
    answer = await site.post("/agent/v1/records", batch(server, 3))
    assert (answer.status, answer.body) == (409, {"expected": 2})
    assert await messages(world) == ["line 1"]


async def test_a_new_numbering_begins_and_the_old_one_is_dropped(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    await site.post("/agent/v1/records", batch(server, 1, generation=5))
    assert (await site.post("/agent/v1/records", batch(server, 2, generation=6))).body == {"expected": 1}
    assert (await site.post("/agent/v1/records", batch(server, 1, record("new"), generation=6))).status == 200
    late = await site.post("/agent/v1/records", batch(server, 2, record("late"), generation=5))
    assert late.read(wire.RecordsAnswer).accepted == 0
    assert await messages(world) == ["line 1", "new"]


async def test_a_host_that_is_paired_again_begins_anew(world: World, site: Site, host: HostIdentity) -> None:
    """Its clock was a day ahead in its former life: what it sends now would be dropped until tomorrow."""
    server = await world.server(host)
    await site.post("/agent/v1/records", batch(server, 1, generation=2_000))
    await world.rows("update hosts set status = 'offline'")
    _, site.key = await world.pair()
    answer = await site.post("/agent/v1/records", batch(server, 1, record("new"), generation=1_000))
    assert answer.read(wire.RecordsAnswer).accepted == 1
    assert await messages(world) == ["line 1", "new"]


async def test_another_hosts_server_is_not_there(world: World, site: Site, host: HostIdentity) -> None:
    other, _ = await world.pair("gs-2")
    stranger = await World(world.db, guild=2002).found()
    removed = await world.server(host, "Gone")
    await world.rows("update server_instances set deleted_at = now() where id = :id", id=removed)
    for server in (await world.server(other), await stranger.server((await stranger.pair())[0]), removed, uuid4()):
        assert (await site.post("/agent/v1/records", batch(server, 1))).status == 404
    assert await messages(world) == []


async def test_what_no_log_should_hold(world: World, site: Site, host: HostIdentity) -> None:
    """NUL, halves of pairs, escape sequences, and far too long."""
    server = await world.server(host)
    evil = ["nul\\u0000nul", "half \\ud800 pair", "\\u001b[31mred\\u001b[0m"]
    body = batch(server, 1, *(record(f"EVIL{n}") for n in range(3)), record("é" * 10_000)).model_dump_json(
        by_alias=True
    )
    for number, text in enumerate(evil):
        body = body.replace(f"EVIL{number}", text)
    assert (await site.post("/agent/v1/records", body.encode())).status == 200
    *short, long = await messages(world)
    assert short == ["nulnul", "half  pair", "\x1b[31mred\x1b[0m"]
    assert len(long.encode()) <= wire.MESSAGE_BYTES and long.endswith("é … (cut)")


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-400), timedelta(seconds=30)])
async def test_a_time_that_cannot_be_is_that_of_receipt(
    world: World, site: Site, host: HostIdentity, off: timedelta
) -> None:
    server, before = await world.server(host), datetime.now(UTC)
    assert (await site.post("/agent/v1/records", batch(server, 1, record(ts=clock.now() + off)))).status == 200
    ((ts, received),) = await world.rows("select ts, received_at from logs")
    assert ts == received >= before - timedelta(seconds=1)


async def test_a_day_for_which_the_bot_was_away(world: World, site: Site, host: HostIdentity) -> None:
    """Older days have a partition and that one has none: it must not keep the stream back for ever."""
    server, today = await world.server(host), clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    old, gap = today - timedelta(days=4), today - timedelta(days=3)
    limits = f"from ('{old.isoformat()}') to ('{gap.isoformat()}')"
    await world.rows(f"create table logs_p{old:%Y%m%d} partition of logs for values {limits}")
    times = [old, gap, datetime.fromisoformat("0001-01-01T00:00:00+05:00")]
    answer = await site.post("/agent/v1/records", batch(server, 1, *(record(ts=ts) for ts in times)))
    assert answer.status == 200
    rows = await world.rows("select ts, received_at from logs order by id")
    assert [ts == received for ts, received in rows] == [False, True, True]


async def test_the_time_of_a_record_that_waited_on_its_host(world: World, site: Site, host: HostIdentity) -> None:
    server, then = await world.server(host), clock.now() - timedelta(minutes=1)
    await site.post("/agent/v1/records", batch(server, 1, record(ts=then)))
    assert await world.rows("select ts, level, org_id, server_instance_id from logs") == [
        (then, "info", world.org_id, server)
    ]


@pytest.mark.parametrize("change", [{"seq": 0}, {"records": []}, {"stream": "chat"}, {"path": "/etc"}])
async def test_malformed(world: World, site: Site, host: HostIdentity, change: dict[str, object]) -> None:
    body = {**batch(await world.server(host), 1).dump(), **change}
    assert (await site.post("/agent/v1/records", json.dumps(body).encode())).status == 422


async def test_too_much_in_one_body(world: World, site: Site, host: HostIdentity) -> None:
    one = batch(await world.server(host), 1).dump()
    many = {**one, "records": one["records"] * 501}
    assert (await site.post("/agent/v1/records", json.dumps(many).encode())).status == 422
    large = {**one, "records": [{**one["records"][0], "message": "x" * wire.RECORDS_BYTES}]}
    assert (await site.post("/agent/v1/records", json.dumps(large).encode())).status == 413


async def test_one_host_cannot_fill_the_database(world: World, site: Site, host: HostIdentity) -> None:
    server, seq = await world.server(host), 0
    while (answer := await site.post("/agent/v1/records", batch(server, seq + 1, *[record("x")] * 500))).status == 200:
        seq += 1
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert BURST <= 500 * seq < 2 * BURST
    await asyncio.sleep(1)
    again = await site.post("/agent/v1/records", batch(server, seq + 1))
    assert again.read(wire.RecordsAnswer).accepted == 1


def test_what_a_host_may_send_grows_to_a_limit() -> None:
    allowance = Allowance()
    assert allowance.take(BURST) == 0
    assert 0.4 < allowance.take(500) <= 0.5
    allowance.at -= 3600
    assert (allowance.take(BURST), allowance.take(500) > 0) == (0, True)
