"""Everything about bans at once: moderators, hosts that fail, games that forget. It ends as it is wanted."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from agent import wire
from bot import clock
from bot.errors import Conflict, NotFound
from bot.services.agents import HostIdentity
from tests.bot.people import People
from tests.bot.services.court import Court, court, game, items
from tests.bot.world import World, progress, result

IDS = [f"765611980000000{n:02}" for n in range(8)]


class Games:
    """What the games themselves hold, whatever anybody says: server -> id -> the reason that is shown."""

    def __init__(self, court: Court, chance: random.Random) -> None:
        self.court, self.chance = court, chance
        self.banned: dict[Any, dict[str, str]] = {}
        self.starts: dict[Any, int] = {}
        self.over = False

    async def restart(self, host: HostIdentity, server: Any) -> None:
        """The game forgets, and its host tells of the new run a moment later."""
        self.banned[server] = {}
        self.starts[server] = self.starts.get(server, 0) + 1
        began = clock.now() + timedelta(seconds=self.starts[server])
        await self.court.beat(host, wire.ServerReport(id=server, state="running", players=[], started_at=began))

    async def work(self, host: HostIdentity) -> None:
        """The agent of a host, which does what it is told, some of it badly."""
        while not self.over:
            for job in await self.court.world.claim(host, 2):
                await self._run(host, job)
            await asyncio.sleep(0.005)

    async def _run(self, host: HostIdentity, job: wire.ClaimedJob) -> None:
        await self.court.world.queue.progress(host, job.run_id, progress(job))
        receipts: list[wire.BanReceipt] = []
        for item in items(job):
            await asyncio.sleep(self.chance.random() * 0.004)
            refused = self.chance.random() < 0.1
            if not refused:
                self._apply(self.banned.setdefault(job.server_id, {}), item)
            outcome: Any = "refused" if refused else "applied"
            receipts.append(wire.BanReceipt(entry_id=item.entry_id, revision=item.revision, outcome=outcome))
        dead = self.chance.random() < 0.1
        ended = {} if dead else wire.BanSyncResult(receipts=receipts).dump()
        await self.court.world.queue.finish(
            host, job.run_id, result(job, "unknown" if dead else "success", result=ended)
        )

    @staticmethod
    def _apply(held: dict[str, str], item: wire.BanItem) -> None:
        for identity in item.identities:
            if item.want == "banned":
                held[identity.value] = item.reason
            else:
                held.pop(identity.value, None)


@pytest.mark.parametrize("seed", [1, 2])
async def test_in_the_end_every_game_has_what_is_wanted(world: World, seed: int) -> None:
    chance, court_ = random.Random(seed), await court(world)
    court_.games = [game("bans_memory")]
    games = Games(court_, chance)
    hosts = [await court_.host("gs-1", "EU1", "EU2"), await court_.host("gs-2", "EU3")]
    where = {server: hosts[name == "EU3"] for name in ("EU1", "EU2", "EU3") for server in [await court_.id_of(name)]}
    people = [court_.actor, await People(world.db).actor("ann", administrator=True)]

    async def moderate(actor: Any, count: int) -> None:
        for _ in range(count):
            try:
                if chance.random() < 0.6:
                    options = {"server": "EU1"} if chance.random() < 0.3 else {}
                    reason = f"reason {chance.randrange(100)}"
                    await court_.ban(chance.choice(IDS), actor, reason=reason, **options)
                else:
                    await court_.lift(f"B-{chance.randrange(1, 20)}", by=actor)
            except (Conflict, NotFound):  # banned already, over already, or not there yet
                continue

    async def disturb(count: int) -> None:
        for _ in range(count):
            server = chance.choice(list(where))
            await games.restart(where[server], server)
            await court_.sweep.reconcile()
            await asyncio.sleep(0.02)

    agents = [asyncio.create_task(games.work(host)) for host in hosts]
    await asyncio.gather(*(moderate(actor, 15) for actor in people * 2), disturb(15))
    for _ in range(100):
        await court_.overdue()
        await court_.sweep.reconcile()
        await asyncio.sleep(0.05)
        if not await world.rows("select 1 from ban_entries where sync_status <> 'synced'"):
            break
    games.over = True
    await asyncio.gather(*agents)
    wanted = await world.rows(
        """select e.server_instance_id, i.value, 'B-' || b.number || ': ' || b.reason
             from ban_entries e join org_bans b on b.id = e.org_ban_id join ban_identifiers i on i.org_ban_id = b.id
            where b.status = 'active'"""
    )
    assert wanted
    held = {(server, value, reason) for server, bans in games.banned.items() for value, reason in bans.items()}
    assert held == {tuple(row) for row in wanted}
    assert not await world.rows("select 1 from jobs where status in ('held', 'queued', 'running')")
    twice = "select kind, value from ban_identifiers where is_active group by 1, 2 having count(*) > 1"
    assert not await world.rows(twice)
