"""One call over HTTPS and how it can fail.

An answer is trusted as far as its model goes; a redirect is never followed, because it would carry the key elsewhere.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
from pydantic import ValidationError

from agent import __version__, wire
from agent.addresses import Addresses, Moved
from games.lines import cleaned

T = TypeVar("T")
W = TypeVar("W", bound=wire.Wire)

CALL_TIMEOUT: Final = 15.0
REVOKED_RETRY: Final = 120.0
"""Seconds between two attempts with a key that was refused. Pairing again takes effect within them."""
ANSWER_MAX: Final = 8 << 20
"""Bytes."""
SILENCE_MAX: Final = 30.0
"""Seconds without a byte after which a download is broken off; all of it may take longer."""
CHUNK: Final = 1 << 20


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


class Unreached(Unavailable):
    """Nothing was sent: another address may be tried at once."""


class KeyRefused(LinkError):
    """The bot does not know this host's key (any more)."""

    retry_after = REVOKED_RETRY


class Refused(LinkError):
    """The bot understood and said no (4xx): the same call will not work later."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class OutOfStep(Refused):
    """Batches of a stream are missing before this one."""

    def __init__(self, expected: int) -> None:
        super().__init__(409, f"batch {expected} is expected")
        self.expected = expected


class Misunderstood(LinkError):
    """The answer is not of this protocol: another version, or something in between."""

    retry_after = 60.0


class Http:
    """One POST or GET and its errors; knows no key. Pairing uses it as it is.

    Of several addresses one is used as long as it answers; where nothing could be sent the next is tried at once."""

    def __init__(self, *urls: str) -> None:
        self._addresses = Addresses(urls)
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": f"gamekeeper-agent/{__version__}"},
            timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT, connect=10),
            # a proxy would get the key in clear text with http:
            trust_env=all(url.startswith("https:") for url in urls),
        )

    @property
    def url(self) -> str:
        """The address that is used now."""
        return self._addresses.current

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
                raise Misunderstood(
                    f"{path} was answered in a way this agent does not know: {first_problem(error)}"
                ) from None
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
        limits = aiohttp.ClientTimeout(total=timeout, connect=min(10.0, timeout))
        json = None if body is None else body.dump()

        async def ask(url: str) -> tuple[int, Mapping[str, str], bytes]:
            async with self._request(url, method, path, key, limits, params=query, json=json) as response:
                if response.status >= 500:
                    self._addresses.failed(url)
                return response.status, response.headers, await _bounded(response)

        return await self._somewhere(ask, f"did not answer within {timeout:.0f} s")

    async def _somewhere(self, ask: Callable[[str], Awaitable[T]], silence: str) -> T:
        """Asks at the address in use; where nobody can be reached, at each of the others. Raises `Unavailable`."""
        for _ in self._addresses.urls[1:]:
            with contextlib.suppress(Unreached):
                return await self._at(self.url, ask, silence)
        return await self._at(self.url, ask, silence)

    async def _at(self, url: str, ask: Callable[[str], Awaitable[T]], silence: str) -> T:
        try:
            return await self._addresses.unless_moved(ask(url))
        except Moved:
            raise Unavailable(f"{url} does not answer any more") from None
        except TimeoutError:
            self._addresses.failed(url)
            raise Unavailable(f"{url} {silence}") from None
        except aiohttp.ClientError as error:
            self._addresses.failed(url)
            kind = Unreached if isinstance(error, aiohttp.ClientConnectorError) else Unavailable
            raise kind(f"{url} cannot be reached: {_reason(error)}") from None

    async def send(self, method: str, path: str, body: wire.Wire, *, key: str) -> None:
        """Send what has no answer but that it was taken. Raises a `LinkError`."""
        status, headers, text = await self.exchange(method, path, body, key=key)
        if not 200 <= status < 300:
            raise _failure(path, status, headers, text)

    async def download(self, path: str, target: Path, *, key: str, most: int) -> str:
        """Write an answer of at most `most` bytes to a file; its SHA-256. Raises a `LinkError`, or `OSError`."""
        limits = aiohttp.ClientTimeout(total=None, connect=10, sock_read=SILENCE_MAX)

        async def fetch(url: str) -> str:
            async with self._request(url, "GET", path, key, limits) as response:
                if response.status != 200:
                    raise _failure(path, response.status, response.headers, await _bounded(response))
                return await _to_file(response, target, most)

        return await self._somewhere(fetch, f"fell silent while it sent {path}")

    def _request(
        self, url: str, method: str, path: str, key: str, limits: aiohttp.ClientTimeout, **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.request(
            method,
            f"{url}/agent/v1/{path}",
            headers={"Authorization": f"Bearer {key}"} if key else None,
            allow_redirects=False,
            timeout=limits,
            **more,
        )


async def _to_file(response: aiohttp.ClientResponse, target: Path, most: int) -> str:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        async for chunk in response.content.iter_chunked(CHUNK):
            size += len(chunk)
            if size > most:
                raise Misunderstood(f"what was sent is longer than {most} bytes")
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    return digest.hexdigest()


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


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, without what was sent."""
    one = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"


def _failure(path: str, status: int, headers: Mapping[str, str], text: bytes) -> LinkError:
    if 300 <= status < 400:
        where = headers.get("Location", "nowhere")[:200]
        return Misunderstood(f"the bot's address redirects to {where}; configure the address it really has")
    if status == 409 and (expected := _expected(text)) is not None:
        return OutOfStep(expected)
    words = _words(text)
    if status == 401:
        return KeyRefused(words or "HTTP 401")
    if status == 429 or status >= 500:
        return Unavailable(f"{path}: {words or f'HTTP {status}'}", status=status, retry_after=_retry_after(headers))
    if status >= 400 and words:
        return Refused(status, words)
    # A 404 of a proxy whose bot is being replaced must not end a run.
    return Unavailable(f"{path} was answered with HTTP {status}, and not by the bot", status=status)


def _expected(text: bytes) -> int | None:
    try:
        return wire.RecordsExpected.model_validate_json(text).expected
    except ValidationError:
        return None


def _words(text: bytes) -> str:
    try:
        problem = wire.Problem.model_validate_json(text)
    except ValidationError:
        return ""
    return cleaned(f"{problem.error} {problem.remedy}".strip(), 500)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(300.0, max(0.0, float(headers.get("Retry-After", ""))))
    except ValueError:
        return None
