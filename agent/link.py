"""The line to the bot: every call of the protocol with the host's key. The agent dials out and nobody dials in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from agent import wire
from agent.errors import ConfigError
from agent.http import CALL_TIMEOUT, Http, KeyRefused, LinkError, Refused, first_problem
from agent.identity import Identity, IdentityFile

log = logging.getLogger(__name__)

T = TypeVar("T")
W = TypeVar("W", bound=wire.Wire)

CLAIM_WAIT: Final = 25
"""Seconds that the bot holds a claim open when there is nothing to do."""


class StrangeJob(BaseModel):
    """What can be said of a job that this agent does not understand."""

    run_id: Annotated[UUID, Field(alias="runId")]
    claim_token: Annotated[UUID, Field(alias="claimToken")]


@dataclass(frozen=True)
class Claim:
    """The answer to a claim."""

    now: datetime
    """The bot's clock."""
    jobs: list[wire.ClaimedJob]
    strange: list[StrangeJob]
    """Of a newer bot: they are refused, and do not keep the others back."""
    offered: int
    """How many there were, those included that do not even say which run they are."""


class RawClaim(wire.Wire):
    """`wire.ClaimAnswer` before its jobs are read one by one."""

    now: AwareDatetime
    jobs: list[dict[str, Any]]

    def read(self) -> Claim:
        """The jobs, those understood and those not."""
        claim = Claim(self.now, [], [], len(self.jobs))
        for raw in self.jobs:
            try:
                claim.jobs.append(wire.ClaimedJob.model_validate(raw))
            except ValidationError as error:
                log.error("a job is not understood: %s", first_problem(error))
                claim.strange.extend(_strange(raw))
        return claim


def _strange(raw: dict[str, Any]) -> Iterator[StrangeJob]:
    try:
        yield StrangeJob.model_validate(raw)
    except ValidationError:
        return  # it does not even say which run it is: nobody to refuse it to


class Link:
    """The calls of a paired host."""

    def __init__(self, http: Http, identities: IdentityFile) -> None:
        self._http = http
        self._identities = identities
        self._identity = identities.load()
        self._trouble = ""
        self.recovered = asyncio.Event()
        """Set for a moment when the bot answers after it did not."""

    @property
    def identity(self) -> Identity:
        """Whose key is in use."""
        return self._identity

    async def heartbeat(self, beat: wire.Heartbeat) -> wire.HeartbeatAnswer:
        """Say how this host is. A new key in the answer is stored and used from now on."""
        answer = await self._post("heartbeat", beat, wire.HeartbeatAnswer)
        if answer.rotate_key and answer.rotate_key != self._identity.key:
            await self._keep(self._identity.rotated(answer.rotate_key), "the bot sent a new key; it is stored and used")
        return answer

    async def servers(self, revision: int, *, timeout: float = CALL_TIMEOUT) -> wire.ServerList:
        """This host's servers as people want them."""
        return await self._call("GET", "servers", wire.ServerList, query={"revision": revision}, timeout=timeout)

    async def claim(self, slots: int, *, only_kills: bool = False, wait: int = CLAIM_WAIT) -> Claim:
        """Wait for work: offers, not orders (`wire.ClaimedJob`)."""
        answer = await self._call(
            "POST",
            "jobs/claim",
            RawClaim,
            wire.ClaimRequest(slots=slots, only_kills=only_kills),
            query={"wait": wait},
            timeout=wait + CALL_TIMEOUT,
        )
        return answer.read()

    async def cancels(self, known: Sequence[UUID], wait: int = CLAIM_WAIT) -> list[UUID]:
        """Wait for runs of this host that shall be cancelled. `Refused`: the bot is too old to say."""
        answer = await self._call(
            "POST",
            "jobs/cancels",
            wire.CancelsAnswer,
            wire.CancelsRequest(known=list(known)),
            query={"wait": wait},
            timeout=wait + CALL_TIMEOUT,
        )
        return answer.runs

    async def progress(
        self, run_id: UUID, progress: wire.Progress, *, timeout: float = CALL_TIMEOUT
    ) -> wire.ProgressAnswer:
        """What a run is doing; renews its lease. `Refused`: the run is not this host's any more."""
        return await self._call("POST", f"runs/{run_id}/progress", wire.ProgressAnswer, progress, timeout=timeout)

    async def result(self, run_id: UUID, result: wire.Result) -> wire.ResultAnswer:
        """How a run ended. Idempotent."""
        return await self._post(f"runs/{run_id}/result", result, wire.ResultAnswer)

    async def artifact(self, artifact_id: UUID, target: Path, *, most: int) -> str:
        """Fetch a mod's file that a run of this host needs; returns its SHA-256. Raises a `LinkError`, or `OSError`."""
        path = f"artifacts/{artifact_id}"
        return await self._keyed(lambda key: self._http.download(path, target, key=key, most=most))

    async def mods(self, server_id: UUID, found: wire.ModList) -> None:
        """Which mods a server has."""
        await self._keyed(lambda key: self._http.send("PUT", f"servers/{server_id}/mods", found, key=key))

    async def records(self, batch: wire.Records) -> wire.RecordsAnswer:
        """A batch of a stream. `OutOfStep`: another number is expected. Idempotent."""
        return await self._post("records", batch, wire.RecordsAnswer)

    async def _post(self, path: str, body: wire.Wire, answer: type[W]) -> W:
        return await self._call("POST", path, answer, body)

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[W],
        body: wire.Wire | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
        timeout: float = CALL_TIMEOUT,
    ) -> W:
        return await self._keyed(
            lambda key: self._http.call(method, path, answer, body, key=key, query=query, timeout=timeout)
        )

    async def _keyed(self, send: Callable[[str], Awaitable[T]]) -> T:
        """Send with the keys that are worth trying, one after the other."""
        tried: list[str] = []
        while True:
            tried.append(self._untried(tried) or tried[0])
            try:
                result = await send(tried[-1])
            except KeyRefused as error:
                if self._untried(tried):
                    continue
                self._note(f"the bot refuses this host's key: {error}")
                raise
            except Refused:
                await self._accepted(tried)
                raise
            except LinkError as error:
                self._note(str(error))
                raise
            await self._accepted(tried)
            return result

    def _untried(self, tried: Sequence[str]) -> str | None:
        """The next key worth trying: the current one, its predecessor, the one of a pairing since the agent started."""
        current = self._identity
        if current.key not in tried:
            return current.key
        if current.previous_key and current.previous_key not in tried:
            return current.previous_key
        stored = self._stored()
        return stored.key if stored and stored.key not in tried else None

    async def _accepted(self, tried: Sequence[str]) -> None:
        """The last of these keys was accepted, the others were refused."""
        if self._trouble:
            log.info("the bot answers again")
            self._trouble = ""
            self.recovered.set()
            self.recovered.clear()  # who waits now is woken, nobody later
        current, key = self._identity, tried[-1]
        if key == current.key and current.previous_key:
            await self._keep(current.confirmed(), "the bot has accepted the new key; the old one is forgotten")
        elif key != current.key and current.key in tried:
            # Without the second condition a slow answer to the old key would throw away the new one.
            stored = self._stored()
            again = stored if stored and stored.key == key else Identity(host_id=current.host_id, key=key)
            await self._keep(again, "using the key that the bot accepts")

    async def _keep(self, identity: Identity, why: str) -> None:
        """Store, then use: a key that is not on disk would be lost with this process, and its predecessor with it."""
        try:
            await asyncio.to_thread(self._identities.save, identity)
        except OSError as error:
            log.error("the host's key cannot be stored: %s", error.strerror)
        else:
            self._identity = identity
            log.info("%s", why)

    def _stored(self) -> Identity | None:
        try:
            return self._identities.load()
        except ConfigError:
            return None

    def _note(self, trouble: str) -> None:
        """Log what is wrong once, not at every attempt."""
        if trouble != self._trouble:
            log.warning("%s; trying again", trouble.rstrip("."))
            self._trouble = trouble
