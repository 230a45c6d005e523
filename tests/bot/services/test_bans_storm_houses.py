"""People of few houses, banned and let in by several at once, on games of every kind. It ends as it is wanted."""

import asyncio
import random
from typing import Any

import pytest

from agent import wire
from bot.domain.ban_ids import decisive
from bot.errors import Conflict, Invalid, NotFound, Unsupported
from bot.services.agents import HostIdentity
from tests.bot.people import People
from tests.bot.services.court import Court, court, game, items
from tests.bot.world import World, player, progress, result

PEOPLE = {f"p{n}": (f"765611980000000{n:02}", f"192.0.2.{n % 3}") for n in range(8)}
BAN_BY = {"byId": ["steam"], "byIp": ["ip"], "mixed": ["steam", "ip"]}


class Games:
    """What the games hold: server -> identities. They do what the agent does, and their hosts die now and then."""

    def __init__(self, court: Court, chance: random.Random) -> None:
        self.court, self.chance, self.over = court, chance, False
        self.held: dict[Any, set[tuple[str, str]]] = {}

    async def work(self, host: HostIdentity) -> None:
        while not self.over:
            for job in await self.court.world.claim(host, 2):
                await self._run(host, job)
            await asyncio.sleep(0.005)

    async def _run(self, host: HostIdentity, job: wire.ClaimedJob) -> None:
        await self.court.world.queue.progress(host, job.run_id, progress(job))
        held, receipts = self.held.setdefault(job.server_id, set()), list[wire.BanReceipt]()
        wanted = {one for item in items(job) if item.want == "banned" for one in self._by(item)}
        for item in items(job):
            await asyncio.sleep(self.chance.random() * 0.004)
            if self.chance.random() < 0.1:
                outcome: Any = "refused"
            else:
                outcome = "applied"
                if item.want == "banned":
                    held |= self._by(item)
                else:
                    held -= {(one.kind, one.value) for one in item.identities} - wanted
            receipts.append(wire.BanReceipt(entry_id=item.entry_id, revision=item.revision, outcome=outcome))
        dead = self.chance.random() < 0.1
        ended = {} if dead else wire.BanSyncResult(receipts=receipts).dump()
        await self.court.world.queue.finish(
            host, job.run_id, result(job, "unknown" if dead else "success", result=ended)
        )

    @staticmethod
    def _by(item: wire.BanItem) -> set[tuple[str, str]]:
        kinds = decisive({one.kind for one in item.identities})
        return {(one.kind, one.value) for one in item.identities if one.kind in kinds}


async def settled(court: Court) -> None:
    for _ in range(150):
        await court.overdue()
        await court.sweep.reconcile()
        await asyncio.sleep(0.03)
        if not await court.world.rows("select 1 from ban_entries where sync_status not in ('synced', 'unsupported')"):
            return


async def keeps_out(court: Court, games: Games) -> None:
    """Every game holds what the active cases want of it, and nothing else."""
    for name, ban_by in BAN_BY.items():
        rows = await court.world.rows(
            """select b.id, i.kind, i.value from org_bans b join ban_identifiers i on i.org_ban_id = b.id
                 join ban_entries e on e.org_ban_id = b.id join server_instances s on s.id = e.server_instance_id
                where b.status = 'active' and s.name = :name""",
            name=name,
        )
        known: dict[Any, set[tuple[str, str]]] = {}
        for ban, kind, value in rows:
            known.setdefault(ban, set()).update({(kind, value)} if kind in ban_by else set())
        wanted = {one for ids in known.values() for one in ids if one[0] in decisive({kind for kind, _ in ids})}
        held = games.held.get(await court.id_of(name), set())
        assert held == wanted, (name, held ^ wanted)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_in_the_end_every_game_has_what_is_wanted(world: World, seed: int) -> None:
    chance, court_ = random.Random(seed), await court(world)
    games, hosts = Games(court_, chance), dict[str, HostIdentity]()
    for name, ban_by in BAN_BY.items():
        court_.games = [game(ban_by=ban_by)]
        hosts[name] = await court_.host(f"gs-{name}", name)
    court_.games = [game(ban_by=["steam"])]
    everybody = [player(name, steam=steam, ip=ip) for name, (steam, ip) in PEOPLE.items()]
    await court_.up(hosts["byId"], "byId", *everybody)
    targets = [*PEOPLE, *{ip for _, ip in PEOPLE.values()}, *(steam for steam, _ in PEOPLE.values())]

    async def moderate(actor: Any, count: int) -> None:
        for _ in range(count):
            try:
                if chance.random() < 0.55:
                    options = {"server": chance.choice(list(BAN_BY))} if chance.random() < 0.3 else {}
                    reason = f"reason {chance.randrange(100)}"
                    await court_.ban(chance.choice(targets), actor, reason=reason, duration="1h", **options)
                else:
                    await court_.lift(f"B-{chance.randrange(1, 20)}", by=actor)
            except (Conflict, NotFound, Unsupported, Invalid):
                continue

    async def disturb(count: int) -> None:
        for _ in range(count):
            await world.rows(
                """update org_bans set banned_at = now() - interval '2 h', expires_at = now() - interval '1 h'
                    where id in (select id from org_bans where status = 'active' order by random() limit 1)"""
            )
            await asyncio.gather(court_.sweep.expire(), court_.sweep.reconcile())
            await court_.overdue()
            await asyncio.sleep(0.02)

    agents = [asyncio.create_task(games.work(host)) for host in hosts.values()]
    actors = [court_.actor, await People(world.db).actor("ann", administrator=True)]
    await asyncio.gather(*(moderate(actor, 15) for actor in actors * 2), disturb(12))
    await settled(court_)
    games.over = True
    await asyncio.gather(*agents)
    assert await world.value("select count(*) from org_bans") > 5
    await keeps_out(court_, games)
    twice = """select kind, value from ban_identifiers where is_active and kind <> 'ip'
                group by 1, 2 having count(*) > 1"""
    assert not await world.rows(twice)
    alone = """select value from ban_identifiers i where is_active and not exists (
                      select 1 from ban_identifiers d where d.org_ban_id = i.org_ban_id and d.kind <> 'ip')
                group by 1 having count(*) > 1"""
    assert not await world.rows(alone)
