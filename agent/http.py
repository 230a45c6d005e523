"""One call over HTTPS and how it can fail.

An answer is trusted as far as its model goes; a redirect is never followed, because it would carry the key elsewhere.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
from pydantic import ValidationError

from agent import __version__, wire
from games.lines import cleaned

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
        try:
            async with self._request(method, path, key, limits, params=query, json=json) as response:
                return response.status, response.headers, await _bounded(response)
        except TimeoutError:
            raise Unavailable(f"{self.url} did not answer within {timeout:.0f} s") from None
        except aiohttp.ClientError as error:
            raise Unavailable(f"{self.url} cannot be reached: {_reason(error)}") from None

    async def send(self, method: str, path: str, body: wire.Wire, *, key: str) -> None:
        """Send what has no answer but that it was taken. Raises a `LinkError`."""
        status, headers, text = await self.exchange(method, path, body, key=key)
        if not 200 <= status < 300:
            raise _failure(path, status, headers, text)

    async def download(self, path: str, target: Path, *, key: str, most: int) -> str:
        """Write an answer of at most `most` bytes to a file; its SHA-256. Raises a `LinkError`, or `OSError`."""
        limits = aiohttp.ClientTimeout(total=None, connect=10, sock_read=SILENCE_MAX)
        try:
            async with self._request("GET", path, key, limits) as response:
                if response.status != 200:
                    raise _failure(path, response.status, response.headers, await _bounded(response))
                return await _to_file(response, target, most)
        except TimeoutError:
            raise Unavailable(f"{self.url} fell silent while it sent {path}") from None
        except aiohttp.ClientError as error:
            raise Unavailable(f"{self.url} cannot be reached: {_reason(error)}") from None

    def _request(
        self, method: str, path: str, key: str, limits: aiohttp.ClientTimeout, **more: Any
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.request(
            method,
            f"{self.url}/agent/v1/{path}",
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
