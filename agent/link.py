"""The line to the bot: every call of the protocol, over one HTTP session, with the host's key.

The agent dials out and nobody dials in. An answer is trusted as far as its model goes; a redirect is never followed,
because it would carry the key elsewhere.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar
from uuid import UUID

import aiohttp
from pydantic import ValidationError

from agent import __version__, wire
from agent.errors import ConfigError
from agent.identity import Identity, IdentityFile

log = logging.getLogger(__name__)

W = TypeVar("W", bound=wire.Wire)

CLAIM_WAIT: Final = 25
"""Seconds that the bot holds a claim open when there is nothing to do."""
CALL_TIMEOUT: Final = 15.0
REVOKED_RETRY: Final = 120.0
"""Seconds between two attempts with a key that was refused. Pairing again takes effect within them."""
ANSWER_MAX: Final = 8 << 20
"""Bytes."""


class LinkError(Exception):
    """A call had no useful answer; the text is for the agent's log."""

    retry_after: float | None = None
    """Seconds that the bot asked for."""


class Unavailable(LinkError):
    """Nobody there, or too busy: the same call may work later. `status` is None when nothing was answered."""

    def __init__(self, text: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after


class KeyRefused(LinkError):
    """The bot does not know this host's key (any more)."""

    retry_after = REVOKED_RETRY


class Refused(LinkError):
    """The bot understood and said no (4xx): the same call will not work later."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Misunderstood(LinkError):
    """The answer is not of this protocol: another version, or something in between."""

    retry_after = 60.0


class Http:
    """One POST or GET and its errors; knows no key. Pairing uses it as it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": f"gamekeeper-agent/{__version__}"},
            timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT, connect=10),
            trust_env=url.startswith("https:"),  # a proxy would get the key in clear text with http:
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self,
        method: str,
        path: str,
        answer: type[W],
        body: wire.Wire | None = None,
        *,
        key: str = "",
        query: Mapping[str, str | int] | None = None,
        timeout: float = CALL_TIMEOUT,
    ) -> W:
        """Send and read one answer. Raises a `LinkError`."""
        status, headers, text = await self.exchange(method, path, body, key=key, query=query, timeout=timeout)
        if status == 200:
            try:
                return answer.model_validate_json(text)
            except ValidationError as error:
                raise Misunderstood(f"{path} was answered in a way this agent does not know: {_first(error)}") from None
        raise _failure(path, status, headers, text)

    async def exchange(
        self,
        method: str,
        path: str,
        body: wire.Wire | None = None,
        *,
        key: str = "",
        query: Mapping[str, str | int] | None = None,
        timeout: float = CALL_TIMEOUT,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of one answer. Raises `Unavailable` when there is none."""
        try:
            async with self._session.request(
                method,
                f"{self.url}/agent/v1/{path}",
                params=query,
                json=None if body is None else body.dump(),
                headers={"Authorization": f"Bearer {key}"} if key else None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout, connect=min(10.0, timeout)),
            ) as response:
                return response.status, response.headers, await _bounded(response)
        except TimeoutError:
            raise Unavailable(f"{self.url} did not answer within {timeout:.0f} s") from None
        except aiohttp.ClientError as error:
            raise Unavailable(f"{self.url} cannot be reached: {_reason(error)}") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_MAX:
            raise Misunderstood("the answer is longer than any of this protocol")
    return bytes(body)


def _reason(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not valid ({error.certificate_error})"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error) or str(error)
    return str(error) or type(error).__name__


def _first(error: ValidationError) -> str:
    one = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"


def _failure(path: str, status: int, headers: Mapping[str, str], text: bytes) -> LinkError:
    if 300 <= status < 400:
        where = headers.get("Location", "nowhere")[:200]
        return Misunderstood(f"the bot's address redirects to {where}; configure the address it really has")
    words = _words(text) or f"HTTP {status}"
    if status == 401:
        return KeyRefused(words)
    if status == 429 or status >= 500:
        return Unavailable(f"{path}: {words}", status=status, retry_after=_retry_after(headers))
    if status >= 400:
        return Refused(status, words)
    return Misunderstood(f"{path} was answered with HTTP {status}")


def _words(text: bytes) -> str:
    try:
        problem = wire.Problem.model_validate_json(text)
    except ValidationError:
        return ""
    return f"{problem.error} {problem.remedy}".strip()[:500]


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(300.0, max(0.0, float(headers.get("Retry-After", ""))))
    except ValueError:
        return None


class Link:
    """The calls of a paired host."""

    def __init__(self, http: Http, identities: IdentityFile) -> None:
        self._http = http
        self._identities = identities
        self._identity = identities.load()
        self._trouble = ""

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

    async def claim(self, slots: int, wait: int = CLAIM_WAIT) -> wire.ClaimAnswer:
        """Wait for work: offers, not orders (`wire.ClaimedJob`)."""
        return await self._call(
            "POST",
            "jobs/claim",
            wire.ClaimAnswer,
            wire.ClaimRequest(slots=slots),
            query={"wait": wait},
            timeout=wait + CALL_TIMEOUT,
        )

    async def progress(
        self, run_id: UUID, progress: wire.Progress, *, timeout: float = CALL_TIMEOUT
    ) -> wire.ProgressAnswer:
        """What a run is doing; renews its lease. `Refused`: the run is not this host's any more."""
        return await self._call("POST", f"runs/{run_id}/progress", wire.ProgressAnswer, progress, timeout=timeout)

    async def result(self, run_id: UUID, result: wire.Result) -> wire.ResultAnswer:
        """How a run ended. Idempotent."""
        return await self._post(f"runs/{run_id}/result", result, wire.ResultAnswer)

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
        tried: list[str] = []
        while True:
            tried.append(self._untried(tried) or tried[0])
            try:
                result = await self._http.call(method, path, answer, body, key=tried[-1], query=query, timeout=timeout)
            except KeyRefused as error:
                if self._untried(tried):
                    continue
                self._note(f"the bot refuses this host's key ({error}) If it was revoked, pair this host again.")
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
