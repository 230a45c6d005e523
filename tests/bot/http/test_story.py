"""The whole way of a job over HTTP: pair, heartbeat, claim, progress, result."""

from agent import wire
from bot.services.hosts import Hosts
from tests.bot.world import Site, World, heartbeat, pair_request, progress, result


async def test_from_pairing_to_the_result(world: World, site: Site) -> None:
    pairing = await world.hosts.add(world.admin(), "gs-1")
    paired = (await site.post("/agent/v1/pair", pair_request(pairing.token))).read(wire.PairAnswer)
    site.key = paired.agent_key

    beat = (await site.post("/agent/v1/heartbeat", heartbeat())).read(wire.HeartbeatAnswer)
    assert beat.interval_sec == 15
    host = await world.agents.authenticate(paired.agent_key, None)
    server_id = await world.server(host)
    listed = (await site.get("/agent/v1/servers?revision=0")).read(wire.ServerList)
    assert [server.id for server in listed.servers] == [server_id]

    queued = await world.enqueue(host, server_id)
    (job,) = await site.claim(wait=5)
    assert (job.number, job.server_id, job.params) == (queued.number, server_id, wire.ServerRestart())

    for phase in (wire.Step.STARTED, wire.Step.STOPPING, wire.Step.STARTING):
        moved = await site.post(f"/agent/v1/runs/{job.run_id}/progress", progress(job, phase, "going on"))
        assert moved.read(wire.ProgressAnswer).cancel is False
    ended = await site.post(f"/agent/v1/runs/{job.run_id}/result", result(job, output="ok", duration_ms=1200))
    assert ended.read(wire.ResultAnswer).accepted is True

    assert await world.job(queued.number) == ("success", "success")
    assert await world.audited() == ["org.join", "host.add", "host.pair", "server.restart", "job.finish"]
    card = await world.jobs.show(world.admin(), queued.number)
    assert (card.duration_ms, card.output, card.phase) == (1200, "ok", "starting")
    outbox = await world.rows("select op, status from notification_jobs order by id")
    assert outbox == [("post", "pending"), ("edit", "pending")]  # one pending edit stands for all changes


async def test_a_host_shows_when_it_was_last_there(world: World, site: Site) -> None:
    host, site.key = await world.pair()
    await site.post("/agent/v1/heartbeat", heartbeat())
    await world.rows("update hosts set last_heartbeat_at = last_heartbeat_at - interval '10 minutes'")
    assert await world.heartbeats.sweep() == {"offline": 1}
    card = await Hosts(world.db, world.keys).show(world.admin(), str(host.id))
    assert card.status == "offline"
    assert card.silent_since is not None
    assert await world.events() == ["host.online", "host.offline"]
