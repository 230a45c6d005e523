"""The bot's side of the protocol in memory, as `agent.wire` describes it, with faults that a test switches on.

Keeps the rules of claims that the agent relies on: unstarted offers are offered again with a new token, a stale token
is refused, a result is idempotent.
"""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from aiohttp import web
from pydantic import ValidationError

from agent import wire
from bot.domain.streams import Cursor, Gap, Known, Take, judge
from tests.agent.faults import Fault

Status = Literal["queued", "claimed", "running", "done"]


@dataclass
class Job:
    """A job with one attempt."""

    params: wire.Params
    server_id: UUID | None
    number: int
    timeout: int = 60
    id: UUID = field(default_factory=uuid4)
    run_id: UUID = field(default_factory=uuid4)
    status: Status = "queued"
    token: UUID = field(default_factory=uuid4)
    tokens: list[UUID] = field(default_factory=list[UUID])
    lease_until: datetime = field(default_factory=lambda: datetime.now(UTC))
    cancel: bool = False
    progress: list[wire.Progress] = field(default_factory=list[wire.Progress])
    results: list[wire.Result] = field(default_factory=list[wire.Result])
    done: asyncio.Event = field(default_factory=asyncio.Event)
    change: dict[str, Any] = field(default_factory=dict[str, Any])
    """What is wrong with its offers."""

    @property
    def phases(self) -> list[str]:
        """The steps that were reported, each once in a row."""
        steps = [progress.phase.value for progress in self.progress]
        return [step for n, step in enumerate(steps) if n == 0 or steps[n - 1] != step]

    def offer(self) -> dict[str, Any]:
        """As JSON, so that a test can offer what no agent understands."""
        return {
            "id": str(self.id),
            "runId": str(self.run_id),
            "number": self.number,
            "timeoutSec": self.timeout,
            "attempt": 1,
            "claimToken": str(self.token),
            "leaseExpiresAt": self.lease_until.isoformat(),
            "serverId": str(self.server_id) if self.server_id else None,
            "params": self.params.dump(),
            **self.change,
        }

    async def result(self, timeout: float = 30) -> wire.Result:
        """How it ended."""
        await asyncio.wait_for(self.done.wait(), timeout)
        return self.results[0]

    async def success(self, timeout: float = 30) -> wire.Result:
        """Its result, which has to be a success."""
        result = await self.result(timeout)
        assert result.outcome == "success", result
        return result


class ControlPlane:
    """One host's bot."""

    def __init__(self) -> None:
        self.host_id = uuid4()
        self.token = "gkp_" + secrets.token_urlsafe(16)
        self.keys = {self.new_key()}
        self.rotate_to: str | None = None
        self.interval = 5
        self.lease = timedelta(seconds=90)
        self.generous = False
        """Offers everything, however little was asked for."""
        self.revision = 0
        self.servers: dict[UUID, wire.ServerSpec] = {}
        self.jobs: list[Job] = []
        self.paired: list[wire.PairRequest] = []
        self.heartbeats: list[wire.Heartbeat] = []
        self.artifacts: dict[UUID, bytes] = {}
        self.mods: dict[UUID, wire.ModList] = {}
        self.batches: list[wire.Records] = []
        self.records: list[wire.LogRecord] = []
        """What was taken of them."""
        self.cursors: dict[UUID, Cursor] = {}
        self.calls: list[str] = []
        self.keys_seen: list[str] = []
        self.now_offset = timedelta(0)
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.always: dict[str, Fault] = {}
        self._due = asyncio.Event()
        self._released = False
        self._beat = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""
        self.port = 0

    # ------------------------------------------------------------------------------------------------- for tests

    def new_key(self) -> str:
        return "gsa_" + secrets.token_urlsafe(32)

    @property
    def key(self) -> str:
        """Any key that is valid."""
        return next(iter(self.keys))

    def now(self) -> datetime:
        """The bot's clock."""
        return datetime.now(UTC) + self.now_offset

    def add_server(self, slug: str, game: str, **more: Any) -> wire.ServerSpec:
        values = {"desired_state": "unmanaged", "restart_policy": "never", "config_revision": 1} | more
        spec = wire.ServerSpec.model_validate({"id": uuid4(), "slug": slug, "game": game, **values})
        self.servers[spec.id] = spec
        self.revision += 1
        return spec

    def change_server(self, spec: wire.ServerSpec, **changes: Any) -> None:
        self.servers[spec.id] = spec.model_copy(update=changes)
        self.revision += 1

    def remove_server(self, spec: wire.ServerSpec) -> None:
        del self.servers[spec.id]
        self.revision += 1

    def enqueue(self, params: wire.Params, server: wire.ServerSpec | None, *, timeout: int = 60) -> Job:
        job = Job(params, server.id if server else None, len(self.jobs) + 340, timeout)
        self.jobs.append(job)
        self._due.set()
        return job

    async def fault_next_claim(self, fault: Fault) -> None:
        """The poll under way ends with nothing; the next one has the fault."""
        self.faults["claim"].append(fault)
        polls = self.calls.count("claim")
        self._released = True
        self._due.set()
        while self.calls.count("claim") == polls:
            await asyncio.sleep(0.005)

    def offer_again(self, job: Job) -> None:
        """As a bot does that was restored from a backup: it does not know that this run was done."""
        job.status = "claimed"
        job.done.clear()
        self._due.set()

    async def next_heartbeat(self, timeout: float = 20) -> wire.Heartbeat:
        self._beat.clear()
        await asyncio.wait_for(self._beat.wait(), timeout)
        return self.heartbeats[-1]

    async def until(self, condition: Callable[[wire.ServerReport], bool], timeout: float = 20) -> wire.ServerReport:
        """The first report of any server that fits."""
        async with asyncio.timeout(timeout):
            while True:
                for report in (await self.next_heartbeat(timeout)).servers:
                    if condition(report):
                        return report

    # ------------------------------------------------------------------------------------------------- the server

    async def start(self, port: int = 0) -> None:
        app = web.Application()
        app.router.add_route("*", "/agent/v1/{call:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = request.match_info["call"]
        first, _, last = call.rpartition("/")
        name = {"artifacts": "artifacts"}.get(first, last)
        self.calls.append(name)

        async def handle() -> web.Response:
            try:
                return await self._answer(name, request)
            except ValidationError as error:
                return _problem(422, str(error))

        fault = self.faults[name].popleft() if self.faults[name] else self.always.get(name)
        return await (fault(request, handle) if fault else handle())

    async def _answer(self, name: str, request: web.Request) -> web.Response:
        if name == "pair":
            return self._pair(wire.PairRequest.model_validate_json(await request.read()))
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key not in self.keys:
            return _problem(401, "This key is not valid.")
        self.keys_seen.append(key)
        if self.rotate_to == key:
            self.keys, self.rotate_to = {key}, None
        match name:
            case "heartbeat":
                return self._heartbeat(wire.Heartbeat.model_validate_json(await request.read()))
            case "servers":
                return _json(wire.ServerList(revision=self.revision, servers=list(self.servers.values())))
            case "claim":
                asked = wire.ClaimRequest.model_validate_json(await request.read())
                return await self._claim(asked, float(request.query["wait"]))
            case "cancels":
                known = wire.CancelsRequest.model_validate_json(await request.read()).known
                return await self._cancels(known, float(request.query["wait"]))
            case "artifacts":
                content = self.artifacts.get(UUID(request.path.split("/")[-1]))
                return web.Response(body=content) if content is not None else _problem(404, "No such file.")
            case "mods":
                server_id = UUID(request.path.split("/")[-2])
                self.mods[server_id] = wire.ModList.model_validate_json(await request.read())
                return web.Response(status=204)
            case "records":
                return self._records(wire.Records.model_validate_json(await request.read()))
            case _:
                return self._run(name, UUID(request.path.split("/")[-2]), await request.read())

    def _pair(self, asked: wire.PairRequest) -> web.Response:
        if asked.token != self.token:
            return _problem(403, "The token is not valid: it is mistyped, used or expired.")
        self.token = ""
        self.paired.append(asked)
        self.keys.add(key := self.new_key())
        return _json(wire.PairAnswer(host_id=self.host_id, agent_key=key))

    def _heartbeat(self, beat: wire.Heartbeat) -> web.Response:
        self.heartbeats.append(beat)
        self._beat.set()
        if self.rotate_to:
            self.keys.add(self.rotate_to)
        return _json(
            wire.HeartbeatAnswer(
                now=self.now(), interval_sec=self.interval, servers_revision=self.revision, rotate_key=self.rotate_to
            )
        )

    async def _claim(self, asked: wire.ClaimRequest, wait: float) -> web.Response:
        end = asyncio.get_running_loop().time() + wait
        while True:
            self._due.clear()
            offers = self._offers(asked)
            if offers or self._released:
                self._released = False
                return self._claimed(offers)
            try:
                await asyncio.wait_for(self._due.wait(), end - asyncio.get_running_loop().time())
            except TimeoutError:
                return self._claimed([])

    async def _cancels(self, known: list[UUID], wait: float) -> web.Response:
        """Answers as soon as a test has set `Job.cancel`."""
        end = asyncio.get_running_loop().time() + wait
        while True:
            runs = [
                job.run_id for job in self.jobs if job.cancel and job.status == "running" and job.run_id not in known
            ]
            if "cancels" in self.always:
                return _problem(404, "No such call.")
            if runs or asyncio.get_running_loop().time() > end:
                return _json(wire.CancelsAnswer(runs=runs))
            await asyncio.sleep(0.05)

    def _claimed(self, offers: list[dict[str, Any]]) -> web.Response:
        return web.json_response({"now": self.now().isoformat(), "jobs": offers})

    def _offers(self, asked: wire.ClaimRequest) -> list[dict[str, Any]]:
        waiting = [job for job in self.jobs if job.status == "claimed"]
        waiting += [job for job in self.jobs if job.status == "queued"]
        if asked.only_kills:
            waiting = [job for job in waiting if isinstance(job.params, wire.ServerKill)]
        offers: list[dict[str, Any]] = []
        for job in waiting if self.generous else waiting[: asked.slots]:
            job.status, job.token, job.lease_until = "claimed", uuid4(), self.now() + self.lease
            job.tokens.append(job.token)
            offers.append(job.offer())
        return offers

    def _records(self, batch: wire.Records) -> web.Response:
        self.batches.append(batch)
        if batch.server_id not in self.servers:
            return _problem(404, "Not a server of this host.")
        cursor = self.cursors.get(batch.server_id, Cursor())
        match judge(cursor, batch.generation, batch.seq):
            case Take(cursor):
                self.cursors[batch.server_id] = cursor
                self.records += batch.records
                return _json(wire.RecordsAnswer(accepted=len(batch.records)))
            case Gap(expected):
                return web.json_response(wire.RecordsExpected(expected=expected).dump(), status=409)
            case Known():
                return _json(wire.RecordsAnswer(accepted=0))

    def _run(self, call: str, run_id: UUID, body: bytes) -> web.Response:
        job = next((job for job in self.jobs if job.run_id == run_id), None)
        if job is None:
            return _problem(404, "Not a run of this host.")
        if call == "progress":
            return self._progress(job, wire.Progress.model_validate_json(body))
        return self._result(job, wire.Result.model_validate_json(body))

    def _progress(self, job: Job, progress: wire.Progress) -> web.Response:
        if progress.claim_token != job.token or job.status not in ("claimed", "running"):
            return _problem(409, "The claim is stale or the run is over.")
        if job.lease_until < self.now():
            return _problem(409, "The lease has passed.")
        job.status, job.lease_until = "running", self.now() + self.lease
        job.progress.append(progress)
        return _json(wire.ProgressAnswer(cancel=job.cancel))

    def _result(self, job: Job, result: wire.Result) -> web.Response:
        if result.claim_token not in job.tokens:
            return _problem(409, "The claim is stale.")
        known = job.status == "done"
        if not known:
            job.results.append(result)
            job.status = "done"
        job.done.set()
        return _json(wire.ResultAnswer(accepted=not known))


def _json(message: wire.Wire) -> web.Response:
    return web.json_response(message.dump())


def _problem(code: int, error: str) -> web.Response:
    return web.json_response(wire.Problem(error=error).dump(), status=code)
