"""A guild with servers that have one tag, and what is asked of batches over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot.domain.actors import Actor
from bot.services.agents import HostIdentity
from bot.services.batches import Batches, Turn
from bot.services.batches_planning import Wish
from bot.services.batches_starting import BatchStarting
from bot.services.batches_tending import BatchSweep
from bot.services.confirmations import Confirmations, Done, Question
from tests.bot.people import People, again
from tests.bot.world import World, result


@dataclass
class Fleet:
    """Servers S01, S02 … with the tag `eu` on one host, all running."""

    world: World
    people: People
    owner: Actor
    host: HostIdentity
    servers: list[UUID]

    def __post_init__(self) -> None:
        db = self.world.db
        self.starting, self.batches, self.sweep = BatchStarting(db), Batches(db), BatchSweep(db)
        self.confirmations = Confirmations(db, {"batch.start": self.starting.confirmed})

    @classmethod
    async def made(cls, world: World, servers: int = 4) -> "Fleet":
        people = People(world.db)
        host, _ = await world.pair()
        fleet = cls(world, people, await people.owner(), host, [])
        await fleet.capable("start", "stop", "restart", "say", "console", "mods")
        for _ in range(servers):
            await fleet.more()
        return fleet

    async def capable(self, *capabilities: str) -> None:
        """What the game can do on every host."""
        games = f'[{{"id": "teeworlds", "capabilities": {list(capabilities)!r}}}]'.replace("'", '"')
        await self.world.rows("update hosts set games = cast(:games as jsonb), status = 'online'", games=games)

    async def more(self, host: HostIdentity | None = None, *, status: str = "running", tag: str = "eu") -> UUID:
        """One more server with the tag."""
        server = await self.world.server(host or self.host, f"S{len(self.servers) + 1:02}", status)
        self.servers.append(server)
        await self.tagged(server, tag)
        return server

    async def tagged(self, server: UUID, tag: str) -> None:
        await self.world.rows(
            "insert into server_tags (org_id, server_instance_id, tag) values (:org, :server, :tag)",
            org=self.world.org_id,
            server=server,
            tag=tag,
        )

    async def hold(self, server: UUID, reason: str = "new map") -> None:
        await self.world.rows(
            "insert into server_holds (server_instance_id, org_id, reason) values (:server, :org, :reason)",
            server=server,
            org=self.world.org_id,
            reason=reason,
        )

    async def ask(
        self, actor: Actor | None = None, action: str = "restart", tag: str = "eu", **options: Any
    ) -> Question:
        return await self.starting.ask(again(actor or self.owner, "batch start"), Wish(action, tag, **options))

    async def press(self, question: Question, actor: Actor | None = None, typed: str = "eu") -> Done:
        return await self.confirmations.press(again(actor or self.owner, "confirm.typed"), question.token, typed)

    async def start(self, actor: Actor | None = None, action: str = "restart", **options: Any) -> Done:
        """Asks, types the tag and presses."""
        question = await self.ask(actor, action, **options)
        return await self.press(question, actor, question.typed)

    async def stop(self, number: int = 1, actor: Actor | None = None) -> Done:
        return await self.batches.stop(again(actor or self.owner, "batch stop"), f"W-{number}")

    async def jobs(self, number: int = 1) -> list[str]:
        """Status of every job of a batch, in the order of their turns."""
        return [row[0] for row in await self._jobs("j.status", number)]

    async def places(self, number: int = 1) -> Sequence[Any]:
        """The servers of a batch, in the order of their turns."""
        return [row[0] for row in await self._jobs("s.name", number)]

    async def _jobs(self, columns: str, number: int) -> Sequence[Any]:
        return await self.world.rows(
            f"""select {columns} from jobs j join job_batches b on b.id = j.batch_id
                  left join server_instances s on s.id = j.server_instance_id
                 where b.org_id = :org and b.number = :number order by j.number""",
            org=self.world.org_id,
            number=number,
        )

    async def finish(self, *outcomes: str) -> None:
        """The host begins as many jobs, one after the other, and each ends; without any: one, well."""
        for outcome in outcomes or ("success",):
            job = await self.world.started(self.host)
            answer = await self.world.queue.finish(self.host, job.run_id, result(job, outcome))
            assert answer.accepted

    async def batch(self, *columns: str, number: int = 1) -> Any:
        """Columns of a batch; the value itself where it is one."""
        rows = await self.world.rows(
            f"select {', '.join(columns)} from job_batches where org_id = :org and number = :number",
            org=self.world.org_id,
            number=number,
        )
        return rows[0] if len(columns) > 1 else rows[0][0]

    async def turns(self, number: int = 1, actor: Actor | None = None) -> list[Turn]:
        """Its servers, as somebody reads them."""
        batch, _ = await self.batches.show(actor or self.owner, f"W-{number}")
        return list(batch.turns)

    async def states(self, number: int = 1) -> dict[str, str]:
        """Server -> state, and the reason where there is one."""
        return {
            turn.name: f"{turn.state}: {turn.reason}" if turn.reason else turn.state
            for turn in await self.turns(number)
        }
