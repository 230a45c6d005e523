"""An org with people, a paired host and servers, made through the services; and the web side with a client."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from aiohttp import ClientSession, web
from sqlalchemy import text

from agent import wire
from bot.domain.access import Grants
from bot.domain.actors import Actor, Invocation
from bot.domain.jobs import JobType
from bot.http import build_web
from bot.services.agents import Agents, HostIdentity
from bot.services.artifact_store import ArtifactStore
from bot.services.artifacts import Artifacts
from bot.services.downloads import Downloads
from bot.services.heartbeats import Heartbeats
from bot.services.hosts import Hosts
from bot.services.identity import Identity
from bot.services.jobs import Jobs
from bot.services.jobs_enqueue import Enqueued, enqueue
from bot.services.jobs_queue import JobQueue
from bot.services.jobs_sweep import JobSweep
from bot.services.mods_inventory import ModInventory
from bot.services.records import Records
from bot.services.secrets import SecretKeys
from db.engine import Database

M = TypeVar("M", bound=wire.Wire)

CHANNEL = 4242
METRICS = wire.HostMetrics(
    cpu_percent=12.5,
    memory_mb=1024,
    memory_total_mb=4096,
    disk_mb=1000,
    disk_total_mb=9000,
    network_in_bytes=1,
    network_out_bytes=2,
)
GAME = wire.GameReport(id="teeworlds", name="Teeworlds", version=1, sha256="0" * 64, capabilities=["start", "stop"])


@dataclass
class World:
    """The services over one database, and a guild to act in."""

    db: Database
    keys: SecretKeys = field(default_factory=lambda: SecretKeys([b"k" * 32]))
    guild: int = 1001
    org_id: UUID = field(default_factory=uuid4)
    interactions: int = 0

    def __post_init__(self) -> None:
        self.agents = Agents(self.db, self.keys)
        self.heartbeats = Heartbeats(self.db)
        self.hosts = Hosts(self.db, self.keys)
        self.jobs = Jobs(self.db)
        self.queue = JobQueue(self.db)
        self.sweep = JobSweep(self.db)
        self.records = Records(self.db)
        self.artifacts = Artifacts(self.db, ArtifactStore(Path("/nonexistent")), Downloads())
        self.inventory = ModInventory(self.db)

    def move_artifacts(self, place: Path) -> None:
        """Keeps the files of mods there; before the web side is served."""
        self.artifacts = Artifacts(self.db, ArtifactStore(place), Downloads())

    async def found(self) -> "World":
        self.org_id = await Identity(self.db).guild_joined(self.guild, f"Guild {self.guild}", 1)
        return self

    def admin(self, name: str = "Ann") -> Actor:
        """Somebody who may do everything, in an interaction of their own."""
        World.interactions += 1
        return Actor(
            type="user",
            name=name,
            org_id=self.org_id,
            guild_id=self.guild,
            channel_id=CHANNEL,
            grants=Grants(break_glass=True),
            invocation=Invocation(id=World.interactions, command="test"),
        )

    def member(self, name: str = "Bob") -> Actor:
        """Somebody without any role."""
        World.interactions += 1
        invocation = Invocation(id=World.interactions, command="test")
        return Actor(type="user", name=name, org_id=self.org_id, guild_id=self.guild, invocation=invocation)

    async def pair(self, name: str = "gs-1") -> tuple[HostIdentity, str]:
        """A paired host and its key."""
        pairing = await self.hosts.add(self.admin(), name)
        answer = await self.agents.pair(pair_request(pairing.token), "192.0.2.1")
        return await self.agents.authenticate(answer.agent_key, "192.0.2.1"), answer.agent_key

    async def server(self, host: HostIdentity, name: str = "EU1", status: str = "running") -> UUID:
        return await self.value(
            """insert into server_instances (org_id, host_id, game_type_id, name, slug, status)
               select :org, :host, id, :name, lower(:name), :status from game_types where slug = 'teeworlds'
               returning id""",
            org=host.org_id,
            host=host.id,
            name=name,
            status=status,
        )

    async def enqueue(
        self,
        host: HostIdentity,
        server_id: UUID | None,
        job_type: JobType = JobType.SERVER_RESTART,
        params: wire.Params | None = None,
        **options: Any,
    ) -> Enqueued:
        async with self.db.uow(self.admin()) as tx:
            job = await enqueue(
                tx,
                type=job_type,
                host_id=host.id,
                server_id=server_id,
                params=params or wire.ServerRestart(),
                **options,
            )
            tx.audit("server.restart", resource=("server", server_id), jobId=str(job.id))
        return job

    async def beat(self, host: HostIdentity, *servers: wire.ServerReport) -> None:
        await self.heartbeats.beat(host, heartbeat(*servers), "192.0.2.1")

    async def started(self, host: HostIdentity) -> wire.ClaimedJob:
        """Claims one job and reports that it has begun."""
        (job,) = await self.claim(host, 1)
        await self.queue.progress(host, job.run_id, progress(job))
        return job

    async def claim(self, host: HostIdentity, slots: int = 10) -> list[wire.ClaimedJob]:
        answer = await self.queue.claim(host, slots)
        return answer.jobs if answer else []

    async def rows(self, statement: str, **values: Any) -> Sequence[Any]:
        async with self.db.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def value(self, statement: str, **values: Any) -> Any:
        rows = await self.rows(statement, **values)
        return rows[0][0] if rows else None

    async def job(self, number: int) -> tuple[str, str | None]:
        """A job's status and that of its newest run."""
        rows = await self.rows(
            """select j.status, r.status from jobs j left join job_runs r on r.job_id = j.id
                where j.org_id = :org and j.number = :number order by r.attempt desc nulls last limit 1""",
            org=self.org_id,
            number=number,
        )
        return rows[0]

    async def lapse(self, run_id: UUID) -> None:
        """Lets a run's lease have passed a second ago."""
        await self.rows("update job_runs set lease_expires_at = now() - interval '1 second' where id = :id", id=run_id)

    async def audited(self) -> list[str]:
        """The actions of the org's audit rows, oldest first."""
        rows = await self.rows("select action from audit_logs where org_id = :org order by id", org=self.org_id)
        return [row[0] for row in rows]

    async def events(self) -> list[str]:
        """The types of the org's events, oldest first."""
        rows = await self.rows("select event_type from events where org_id = :org order by id", org=self.org_id)
        return [row[0] for row in rows]


def pair_request(token: str, hostname: str = "box.example") -> wire.PairRequest:
    return wire.PairRequest(token=token, hostname=hostname, agent_version="0.1.0", games=[GAME], resources={"cores": 2})


def heartbeat(*servers: wire.ServerReport, games: Sequence[wire.GameReport] = (GAME,)) -> wire.Heartbeat:
    return wire.Heartbeat(agent_version="0.1.0", games=list(games), metrics=METRICS, servers=list(servers))


def progress(job: wire.ClaimedJob, phase: wire.Step = wire.Step.STARTED, message: str = "") -> wire.Progress:
    return wire.Progress(claim_token=job.claim_token, phase=phase, message=message)


def result(job: wire.ClaimedJob, outcome: Any = "success", **more: Any) -> wire.Result:
    return wire.Result(claim_token=job.claim_token, outcome=outcome, **more)


def player(name: str, /, **identities: str) -> wire.OnlinePlayer:
    return wire.OnlinePlayer(name=name, identities=identities, since_sec=10)


@dataclass
class Answer:
    """An answer of the web side."""

    status: int
    body: Any
    headers: Any

    def read(self, model: type[M]) -> M:
        assert self.status == 200, self.body
        return model.model_validate(self.body)

    @property
    def problem(self) -> wire.Problem:
        assert self.status >= 400, self.body
        return wire.Problem.model_validate(self.body)


@dataclass
class Site:
    """The web side on a real port, and an agent's way of speaking to it."""

    url: str
    session: ClientSession
    app: web.Application
    key: str = ""

    async def post(self, path: str, body: wire.Wire | bytes, *, key: str | None = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True).encode()
        return await self._call("POST", path, data, self.key if key is None else key, headers)

    async def get(self, path: str, *, key: str | None = None) -> Answer:
        return await self._call("GET", path, None, self.key if key is None else key, {})

    async def put(self, path: str, body: wire.Wire | bytes) -> Answer:
        data = body if isinstance(body, bytes) else body.model_dump_json(by_alias=True).encode()
        return await self._call("PUT", path, data, self.key, {})

    async def _call(self, method: str, path: str, data: bytes | None, key: str, headers: dict[str, str]) -> Answer:
        sent = {"Content-Type": "application/json", **headers} | ({"Authorization": f"Bearer {key}"} if key else {})
        async with self.session.request(method, self.url + path, data=data, headers=sent) as response:
            body = await response.json() if response.content_type == "application/json" else await response.text()
            return Answer(response.status, body, response.headers)

    async def claim(self, *, wait: float = 0, slots: int = 5, key: str | None = None) -> list[wire.ClaimedJob]:
        answer = await self.post(f"/agent/v1/jobs/claim?wait={wait}", wire.ClaimRequest(slots=slots), key=key)
        return answer.read(wire.ClaimAnswer).jobs


def web_of(world: World, **options: Any) -> web.Application:
    """The web side over a world's services."""
    return build_web(
        agents=world.agents,
        heartbeats=world.heartbeats,
        queue=world.queue,
        records=world.records,
        artifacts=world.artifacts,
        inventory=world.inventory,
        **options,
    )


@asynccontextmanager
async def serving(world: World, **options: Any) -> AsyncIterator[Site]:
    """The web side of a process on a free port."""
    app = web_of(world, **options)
    runner = web.AppRunner(app, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with ClientSession() as session:
            yield Site(f"http://{host}:{port}", session, app)
    finally:
        await runner.cleanup()
