"""What agents and the bot itself do has its row, under who did it; what only tells how things are has none."""

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from tests.bot.world import World, progress, result


async def actors(world: World) -> dict[str, tuple[str, str]]:
    """action -> (actor type, name) of the rows that no person left."""
    rows = await world.rows(
        """select action, actor_type, details ->> 'by' from audit_logs
            where org_id = :org and actor_type <> 'user' order by id""",
        org=world.org_id,
    )
    return {action: (kind, name) for action, kind, name in rows}


async def test_what_happens_without_a_person(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.enqueue(host, server)
    done = await world.started(host)
    await world.queue.finish(host, done.run_id, result(done))
    await world.enqueue(host, server)
    lost = await world.started(host)
    await world.lapse(lost.run_id)
    await world.sweep.leases()
    await world.enqueue(host, server, JobType.CONSOLE_COMMAND, wire.ConsoleCommand(command="x"))
    await world.rows("update jobs set expires_at = now() - interval '1 second' where status = 'queued'")
    await world.sweep.expiry()
    await world.hosts.rotate_key(world.admin(), str(host.id))
    key = await world.agents.next_key(host)
    assert key
    await world.agents.authenticate(key, "192.0.2.1")
    assert await actors(world) == {
        "org.join": ("system", "guild.join"),
        "host.pair": ("agent", "gs-1"),
        "job.finish": ("agent", "gs-1"),
        "job.lost": ("system", "leases.sweep"),
        "job.expire": ("system", "queue.expire"),
        "host.key.rotated": ("agent", "gs-1"),
    }


async def test_heartbeats_and_progress_leave_none(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.enqueue(host, server)
    job = await world.started(host)
    before = await world.audited()
    report = wire.ServerReport(id=server, state="running", reachable=True)
    for _ in range(3):
        await world.beat(host, report)
        await world.queue.progress(host, job.run_id, progress(job, wire.Step.STARTED, "goes on"))
    record = {"ts": clock.now().isoformat(), "level": "info", "message": "hi"}
    batch = {"serverId": str(server), "stream": "log", "generation": 1, "seq": 1, "records": [record]}
    await world.records.take(host, wire.Records.model_validate(batch))
    assert await world.audited() == before
