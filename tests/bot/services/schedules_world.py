"""A guild with a server and schedules, on a clock that a test moves."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from agent import wire
from bot.domain.actors import Actor
from bot.services.agents import HostIdentity
from bot.services.confirmations import Confirmations, Done
from bot.services.schedules import Schedules
from bot.services.schedules_adding import ScheduleAdding
from bot.services.schedules_due import SchedulesDue
from bot.services.schedules_editing import Change, ScheduleEditing
from bot.services.schedules_running import ScheduleRunning
from bot.services.schedules_wishes import Wish
from tests.bot.people import MODERATORS, People, again
from tests.bot.world import World, result

GAME = wire.GameReport(
    id="teeworlds",
    name="Teeworlds",
    version=1,
    sha256="0" * 64,
    capabilities=["start", "stop", "restart", "say", "console"],
)


@dataclass
class Clock:
    """The time that the bot believes in."""

    time: datetime

    def __call__(self) -> datetime:
        return self.time

    def to(self, hour: int, minute: int = 0, second: int = 0) -> None:
        """The next time the clock shows this."""
        moment = self.time.replace(hour=hour, minute=minute, second=second)
        self.time = moment if moment > self.time else moment + timedelta(days=1)

    def on(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass
class Planned:
    """A world with one running server, and the services of schedules."""

    world: World
    clock: Clock
    people: People
    owner: Actor
    host: HostIdentity
    server: UUID

    def __post_init__(self) -> None:
        db = self.world.db
        self.adding, self.schedules, self.due = ScheduleAdding(db), Schedules(db), SchedulesDue(db)
        self.editing, self.running = ScheduleEditing(db, self.schedules), ScheduleRunning(db)
        self.confirmations = Confirmations(
            db,
            {
                "schedule.add": self.adding.saved,
                "schedule.edit": self.editing.edited,
                "schedule.remove": self.schedules.removed,
                "schedule.run": self.running.confirmed,
            },
        )

    @classmethod
    async def made(cls, world: World, clock: Clock) -> "Planned":
        people = People(world.db)
        host, _ = await world.pair()
        server = await world.server(host)
        await world.rows("update server_instances set desired_state = 'running'")
        planned = cls(world, clock, people, await people.owner(), host, server)
        await planned.capable(*GAME.capabilities)
        return planned

    async def capable(self, *capabilities: str) -> None:
        """What the host's game can do."""
        games = f'[{{"id": "teeworlds", "capabilities": {list(capabilities)!r}}}]'.replace("'", '"')
        await self.world.rows(
            "update hosts set games = cast(:games as jsonb), status = 'online', offline_since = null", games=games
        )

    async def tagged(self, tag: str, *servers: UUID) -> None:
        for server in servers:
            await self.world.rows(
                "insert into server_tags (org_id, server_instance_id, tag) values (:org, :server, :tag)",
                org=self.world.org_id,
                server=server,
                tag=tag,
            )

    def wish(self, **changed: Any) -> Wish:
        start = Wish("restart", "every day at 4", server=str(self.server))
        return replace(start, **changed)

    async def add(self, actor: Actor | None = None, **changed: Any) -> Done:
        """Adds a schedule: asks, then presses Save."""
        who = actor or self.owner
        preview = await self.adding.ask(again(who, "schedule add"), self.wish(**changed))
        return await self.confirmations.press(again(who, "confirm.press"), preview.token)

    async def edit(self, ref: str, actor: Actor | None = None, /, **changed: Any) -> Done:
        """Changes a schedule: asks, then presses Save."""
        who = actor or self.owner
        preview = await self.editing.ask(again(who, "schedule edit"), ref, Change(**changed))
        return await self.confirmations.press(again(who, "confirm.press"), preview.token)

    async def run(self, name: str, actor: Actor | None = None) -> Done:
        """Runs a schedule now: asks, then presses the button."""
        who = actor or self.owner
        question = await self.running.ask(again(who, "schedule run"), name)
        return await self.confirmations.press(again(who, "confirm.press"), question.token)

    async def schedule(self, *columns: str, name: str = "restart EU1") -> Any:
        """Columns of a schedule; the value itself where it is one."""
        rows = await self.world.rows(f"select {', '.join(columns)} from schedules where name = :name", name=name)
        return rows[0] if len(columns) > 1 else rows[0][0]

    async def jobs(self) -> Sequence[Any]:
        """Status of every job that a schedule made, oldest first."""
        return [
            row[0] for row in await self.world.rows("select status from jobs where source = 'schedule' order by number")
        ]

    async def finish(self, *outcomes: str) -> None:
        """The host begins as many jobs, and they end at once; without any: one, well."""
        queue = self.world.queue
        begun = [(await self.world.started(self.host), outcome) for outcome in outcomes or ("success",)]
        ends = [queue.finish(self.host, job.run_id, result(job, outcome)) for job, outcome in begun]
        assert all(answer.accepted for answer in await asyncio.gather(*ends))

    async def reason(self) -> str:
        """What the last audit row of a run says."""
        return await self.world.value(
            """select coalesce(details ->> 'reason', details ->> 'numbers') from audit_logs
                where action in ('schedule.run', 'schedule.left_out') order by id desc limit 1"""
        )


def at(hour: int, minute: int = 0) -> datetime:
    """A time on the day of the tests."""
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC)


async def bound(planned: Planned, *permissions: str, server: Any = None) -> None:
    """Lets the moderators do exactly this, everywhere or on one server."""
    await planned.world.rows("delete from role_bindings where discord_role_id = :role", role=MODERATORS)
    await planned.world.rows("delete from roles where name = 'test'")
    await planned.world.rows(
        """with made as (insert into roles (org_id, name, priority) select id, 'test', 1 from orgs
                         returning id, org_id),
                may as (insert into role_permissions (role_id, permission_id)
                        select made.id, p.id from made, permissions p where p.name = any(:names))
           insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id)
           select org_id, :role, id, cast(:server as uuid) from made""",
        names=list(permissions),
        role=MODERATORS,
        server=server,
    )
