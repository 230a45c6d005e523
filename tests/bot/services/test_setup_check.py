"""`/setup check` over a real database: every fact is found where it is, and only in its own org."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from bot import clock
from bot.domain import checks_inside
from bot.domain.checks import State, Topic
from bot.domain.checks_inside import TickFact
from bot.services import outbox
from bot.services.audit_seals import Sealing
from bot.services.channels import Channels
from bot.services.leases import Leases
from bot.services.outbox import Outbox, Refused
from bot.services.panels import Panels, Where
from bot.services.retention import Retention
from bot.services.tick_facts import TickFacts
from db import timing
from tests.bot.services.prerequisites import Prerequisites, SaidGuild, guild
from tests.bot.world import World


@pytest.fixture(autouse=True)
def _any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the machine of the tests is busy or full is no news about the bot."""
    monkeypatch.setattr(checks_inside, "SLOW_ROUND_TRIP", 1e9)
    monkeypatch.setattr(checks_inside, "FREE_NOTED", 0)


@pytest.fixture
async def ready(world: World, tmp_path: Path) -> Prerequisites:
    """An org with a host, a server and an administrator: nothing is wrong."""
    host, _ = await world.pair()
    await world.server(host)
    await world.beat(host)
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id)
           select :org, 501, id from roles where org_id = :org and name = 'admin'""",
        org=world.org_id,
    )
    return Prerequisites(world, tmp_path, SaidGuild(guild(world, 7, 8)))


async def post(world: World, number: int, channel: int = 7) -> None:
    async with world.db.uow(world.admin()) as tx:
        await outbox.post(
            tx.session,
            org_id=world.org_id,
            channel_id=channel,
            event_type="setup.test",
            payload={"purpose": "ops"},
            dedupe_key=f"test:{number}",
        )
        tx.audit("setup.test", resource=("org", world.org_id))


async def give_up(world: World) -> None:
    """Lets Discord refuse all that is owed."""
    flow = Outbox(world.db)
    while rows := await flow.claim():
        for row in rows:
            await flow.settle(row, Refused("Discord said 400", permanent=True))


async def test_all_is_well(ready: Prerequisites) -> None:
    assert await ready.problems() == []
    words = " · ".join(finding.what for finding in await ready.look() if finding.state is State.FINE)
    for said in (
        "administrators: admin",
        "gs-1 online, on time",
        "no message waits",
        "no job is stuck",
        "schema up to",
    ):
        assert said in words
    assert "external" in words and " free" in words


async def test_channels_and_boards_wherever_they_are(ready: Prerequisites) -> None:
    world = ready.world
    channels, panels = Channels(world.db), Panels(world.db)
    await channels.add(world.admin(), Where(7), name="night", purpose="alerts")
    await channels.add(world.admin(), Where(99), name="lost", purpose="bans")
    await panels.create(world.admin(), Where(8))
    await panels.create(world.admin(), Where(98), server="EU1")
    assert sorted(await ready.problems()) == [
        "The channel for **bans** lost is gone.",
        "The channel for the board EU1 is gone.",
    ]
    await world.rows("update notification_channels set enabled = false, disabled_reason = 'Discord said 403'")
    assert "<#7> (**alerts** night) is switched off: Discord said 403" in await ready.problems()
    other = await World(world.db, guild=1002).found()
    found = await Prerequisites(other, ready.place, SaidGuild(guild(other, 7))).problems()
    assert not any("<#" in one or "gone" in one for one in found), "of another org nothing is seen"


async def test_messages_that_wait_and_that_were_given_up(ready: Prerequisites) -> None:
    world = ready.world
    for number in range(3):
        await post(world, number)
    assert await ready.problems() == []
    await world.rows("update notification_jobs set created_at = created_at - interval '1 hour'")
    assert await ready.problems() == ["3 messages wait for 60 minutes."]
    await give_up(world)
    assert await ready.problems() == ["3 messages were given up within a day."]
    await world.rows("update notification_jobs set created_at = created_at - interval '1 day' where id % 3 = 0")
    assert await ready.problems() == ["2 messages were given up within a day."]


async def test_what_cannot_be_sent_again_is_not_offered(ready: Prerequisites) -> None:
    """Its channel is switched off: it would fail at once."""
    world = ready.world
    await Channels(world.db).add(world.admin(), Where(7), name="night", purpose="alerts")
    await give_up(world)
    assert await ready.problems() == ["1 message was given up within a day."]
    await world.rows("update notification_channels set enabled = false")
    assert not any("given up" in one for one in await ready.problems())


async def test_a_job_that_its_host_does_not_take(ready: Prerequisites) -> None:
    world = ready.world
    (host,) = await world.rows("select id from hosts")
    (server,) = await world.rows("select id from server_instances")
    identity = await world.agents.authenticate((await _key(world)), None)
    assert identity.id == host[0]
    await world.enqueue(identity, server[0])
    assert await ready.problems() == []
    await world.rows(
        "update jobs set created_at = now() - interval '20 minutes', not_before = now() - interval '9 minutes'"
    )
    assert await ready.problems() == ["J-1 waits for 9 minutes although gs-1 is online."]
    await world.started(identity)
    assert await ready.problems() == []


async def _key(world: World) -> str:
    """Of the host that is there: it is paired again."""
    await world.rows("update hosts set status = 'offline'")
    key = (await world.pair("gs-1"))[1]
    identity = await world.agents.authenticate(key, None)
    await world.beat(identity)
    return key


async def test_hosts_that_are_silent_or_shut_out(ready: Prerequisites) -> None:
    world = ready.world
    await world.rows("update hosts set status = 'offline', offline_since = now() - interval '5 minutes'")
    assert await ready.problems() == ["**gs-1** is silent for 5 minutes."]
    await world.hosts.revoke(world.admin(), "gs-1")
    assert await ready.problems() == ["**gs-1** is shut out."]


async def test_ticks_of_this_process_and_failures_of_any(ready: Prerequisites) -> None:
    retention = Retention(ready.world.db)
    ready.duties.late = timedelta(minutes=10)
    assert await ready.problems() == ["`bans.expire` should have run 10 minutes ago."]
    ready.duties.late = timedelta()
    await retention.record("bans.expire", "failure", clock.now(), 1, {"error": "x"})
    await retention.record("bans.expire", "success", clock.now(), 1, {})
    await retention.record("elsewhere", "failure", clock.now() - timedelta(hours=2), 1, {"error": "x"})
    assert await ready.problems() == ["`bans.expire` failed once within the hour."]


async def test_a_shard_that_nobody_has_taken_over(ready: Prerequisites) -> None:
    leases = Leases(ready.world.db, "one")
    for duty in ("shard:1", "shard:7", "setup.channel:x"):
        await leases.take(duty)
    assert await ready.problems() == []
    await ready.world.rows("update leases set expires_at = now() - interval '1 minute'")
    assert await ready.problems() == ["No process has taken over shard:1."], "the others are not ours to hold"


async def test_the_processes_and_what_nobody_does(ready: Prerequisites) -> None:
    rows = {"one": "role:bot:one shard:0 shard:1 jobs", "two": "role:http:two alerts", "gone": "role:workers:gone"}
    for name, duties in rows.items():
        leases = Leases(ready.world.db, name)
        for duty in duties.split():
            await leases.take(duty)
    await ready.world.rows("update leases set expires_at = now() - interval '1 minute' where holder = 'gone'")
    found = [finding for finding in await ready.look() if finding.topic is Topic.PROCESSES]
    (lacking, one, two) = [re.sub(r"\(.*\)", "(now)", finding.what) for finding in found]
    assert lacking == "No process has the role `workers`." and found[0].state is State.BROKEN
    assert one == "`one` bot; shards 0, 1; leads jobs (now)"
    assert two == "`two` http; leads alerts (now)"


async def test_the_ticks_of_another_process(ready: Prerequisites) -> None:
    told = TickFacts(ready.world.db)
    fact = TickFact("alerts.evaluate", timedelta(minutes=1), clock.now(), failed=False)
    await told.tell("alerts", [fact])
    assert await ready.problems() == []
    await told.tell("alerts", [replace(fact, due=clock.now() - timedelta(minutes=20))])
    assert await ready.problems() == ["`alerts.evaluate` should have run 20 minutes ago."]


async def test_an_audit_log_that_nobody_seals(ready: Prerequisites) -> None:
    world = ready.world
    await Sealing(world.db).tick()
    assert await ready.problems() == []
    await post(world, 1)
    async with world.db.uow(world.admin()) as tx:  # rows cannot be changed: this one is as if it were written long ago
        tx.audit("setup.test", resource=("org", world.org_id))
    late = clock.now() + timedelta(hours=1)
    with pytest.MonkeyPatch.context() as moved:
        moved.setattr(clock, "now", lambda: late)
        assert any("are not sealed" in one for one in await ready.problems())
    await Sealing(world.db).tick()
    with pytest.MonkeyPatch.context() as moved:
        moved.setattr(clock, "now", lambda: late)
        assert not any("are not sealed" in one for one in await ready.problems())


async def test_the_schema_and_slow_statements(ready: Prerequisites, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SLOW_MS", 0.0)
    await ready.look()
    words = [finding.what for finding in await ready.look()]
    assert any(one.startswith("slowest since the start: `") for one in words)
    await ready.world.rows("update alembic_version set version_num = '4c1f0a7d2b9e'")
    assert "The schema is older than this program." in await ready.problems()


async def test_without_an_answer_of_discord(ready: Prerequisites) -> None:
    ready.discord.facts_now = None
    assert await ready.problems() == ["Discord did not say anything about this server."]


async def test_a_role_that_is_gone_and_people_with_a_role_of_their_own(ready: Prerequisites) -> None:
    world, facts = ready.world, ready.discord.facts_now
    assert facts is not None
    ready.discord.facts_now = replace(facts, roles={world.guild: facts.roles[world.guild]})
    assert [one[:24] for one in await ready.problems()] == ["No role makes anybody ad", "Roles were given to Disc"]
    user = await world.value("insert into users (discord_user_id, username) values (77, 'x') returning id")
    assert isinstance(user, UUID)
    await world.rows(
        """insert into user_orgs (user_id, org_id, role_id)
           select :user, :org, id from roles where org_id = :org and name = 'admin'""",
        user=user,
        org=world.org_id,
    )
    assert [one[:24] for one in await ready.problems()] == ["Roles were given to Disc"]


async def test_a_data_directory_that_is_not_there(ready: Prerequisites) -> None:
    gone = Prerequisites(ready.world, ready.place / "gone", ready.discord)
    assert await gone.problems() == ["The data directory cannot be looked at."]
