"""An org whose hosts can ban, and what its people and its hosts do about bans."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.actors import Actor
from bot.services.agents import HostIdentity
from bot.services.bans import Bans
from bot.services.bans_adding import BanAdding, Preview
from bot.services.bans_lifting import BanLifting
from bot.services.bans_sweep import BanSweep
from bot.services.confirmations import Confirmations, Done
from tests.bot.people import People, again
from tests.bot.world import World, heartbeat, progress, result

STEAM, OTHER_STEAM = "76561198000000001", "76561198000000002"


def game(*extra: str, ban_by: Sequence[str] = ("ip", "steam"), name: str = "teeworlds") -> wire.GameReport:
    """A game that bans, as a host reports it."""
    able = ["start", "stop", "kick", "ban", "unban", "bans", *extra]
    return wire.GameReport(
        id=name, name=name.capitalize(), version=1, sha256="0" * 64, capabilities=able, ban_by=list(ban_by)
    )


@dataclass
class Court:
    """Whoever bans, whoever is banned, and the hosts that carry it out."""

    world: World
    actor: Actor
    games: list[wire.GameReport] = field(default_factory=lambda: [game()])

    def __post_init__(self) -> None:
        db = self.world.db
        self.bans, self.adding, self.lifting, self.sweep = Bans(db), BanAdding(db), BanLifting(db), BanSweep(db)
        performers = {"ban.add": self.adding.confirmed, "ban.lift": self.lifting.confirmed}
        self.confirmations = Confirmations(db, performers)

    # --------------------------------------------------------------------------------------------------------- people

    async def ask(self, player: str, by: Actor | None = None, /, **options: Any) -> Preview:
        return await self.adding.ask(again(by or self.actor), player, options.pop("reason", "griefing"), **options)

    async def press(self, asked: Preview, by: Actor | None = None) -> Done:
        return await self.confirmations.press(again(by or self.actor), asked.question.token)

    async def ban(self, player: str, by: Actor | None = None, /, **options: Any) -> Done:
        """The command and the press of its button."""
        return await self.press(await self.ask(player, by, **options), by)

    async def lift(self, case: str = "B-1", reason: str = "he said sorry", by: Actor | None = None) -> Done:
        asked = await self.lifting.ask(again(by or self.actor), case, reason)
        return await self.confirmations.press(again(by or self.actor), asked.token)

    # ---------------------------------------------------------------------------------------------------------- hosts

    async def host(self, name: str = "gs-1", *servers: str, status: str = "running") -> HostIdentity:
        """A host that can ban, with servers of these names."""
        host, _ = await self.world.pair(name)
        for server in servers:
            await self.world.server(host, server, status)
        await self.beat(host)
        return host

    async def beat(self, host: HostIdentity, *reports: wire.ServerReport) -> None:
        await self.world.heartbeats.beat(host, heartbeat(*reports, games=self.games), "192.0.2.1")

    async def up(self, host: HostIdentity, name: str, *players: wire.OnlinePlayer, **more: Any) -> None:
        """A heartbeat that says that a server runs."""
        server = await self.id_of(name)
        await self.beat(host, wire.ServerReport(id=server, state="running", players=list(players), **more))

    async def id_of(self, server: str) -> UUID:
        return await self.world.value("select id from server_instances where name = :name", name=server)

    async def take(self, host: HostIdentity) -> wire.ClaimedJob:
        """The next job of a host, begun: a BAN_SYNC."""
        (job,) = await self.world.claim(host, 1)
        assert isinstance(job.params, wire.BanSync)
        await self.world.queue.progress(host, job.run_id, progress(job))
        return job

    async def answer(
        self, host: HostIdentity, job: wire.ClaimedJob, outcome: Any = "applied", detail: str = "", run: str = "success"
    ) -> None:
        """Every item of a job became the same."""
        made = [
            wire.BanReceipt(entry_id=item.entry_id, revision=item.revision, outcome=outcome, detail=detail)
            for item in items(job)
        ]
        await self.world.queue.finish(
            host, job.run_id, result(job, run, result=wire.BanSyncResult(receipts=made).dump())
        )

    async def sync(self, host: HostIdentity, outcome: Any = "applied", detail: str = "") -> list[wire.BanItem]:
        """Takes the next job and answers it; its items."""
        job = await self.take(host)
        await self.answer(host, job, outcome, detail)
        return items(job)

    # --------------------------------------------------------------------------------------------------- what is found

    async def entries(self) -> list[tuple[str, int, str, str, str | None]]:
        """(server, case, wanted, status, applied) of every entry."""
        rows = await self.world.rows(
            """select s.name, b.number, e.desired_state, e.sync_status, e.applied_state from ban_entries e
                 join org_bans b on b.id = e.org_ban_id join server_instances s on s.id = e.server_instance_id
                order by 1, 2"""
        )
        return [tuple(row) for row in rows]

    async def statuses(self) -> dict[str, str]:
        """Server -> status of its entry, where there is one case only."""
        return {server: status for server, _, _, status, _ in await self.entries()}

    async def history(self, number: int = 1) -> list[str]:
        rows = await self.world.rows(
            """select v.type from ban_events v join org_bans b on b.id = v.org_ban_id
                where b.number = :number order by v.id""",
            number=number,
        )
        return [row[0] for row in rows]

    async def jobs(self) -> list[tuple[int, str]]:
        rows = await self.world.rows("select number, status from jobs where type = 'BAN_SYNC' order by number")
        return [tuple(row) for row in rows]

    async def overdue(self) -> None:
        """What waits for its next attempt need not wait longer."""
        await self.world.rows(
            """with held as (select id from ban_entries order by server_instance_id, id for update)
               update ban_entries e set next_attempt_at = now() - interval '1 second' from held where e.id = held.id"""
        )


def items(job: wire.ClaimedJob) -> list[wire.BanItem]:
    assert isinstance(job.params, wire.BanSync)
    return list(job.params.items)


def later(monkeypatch: Any, **span: float) -> None:
    """Lets business time go on."""
    now = datetime.now(UTC) + timedelta(**span)
    monkeypatch.setattr(clock, "now", lambda: now)


async def court(world: World) -> Court:
    """With somebody who may do everything."""
    return Court(world, await People(world.db).owner())
