"""Errors as `wire.Problem`: a sentence and a remedy, never a stack trace."""

import asyncio
import logging
import math
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from agent import wire
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, Unavailable
from bot.logs import correlation
from bot.services.agents import NotRecognised

log = logging.getLogger(__name__)

T = TypeVar("T")

DEADLINE: Final = 4.0
"""Seconds that a request waits for the database before it is told to come back."""
_RETRY_AFTER: Final = "2"
_STATUS: Final[tuple[tuple[type[AppError], int], ...]] = (
    (NotRecognised, 401),
    (NotPermitted, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Invalid, 422),
    (Unavailable, 503),
)


class TooMany(AppError):
    """More requests than are allowed."""

    def __init__(self, seconds: float) -> None:
        super().__init__("Too many requests.", f"Wait {seconds:.0f} s and try again.")
        self.seconds = seconds


class TooLarge(AppError):
    """A body beyond its limit."""


async def promptly(work: Awaitable[T]) -> T:
    """Waits for a service, but not for a database that has stalled.

    Raises:
        Unavailable: it took longer than `DEADLINE`. It may have been done: the protocol's calls can be repeated.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            return await work
    except TimeoutError as error:
        raise Unavailable("The database did not answer in time.", "Try again in a few seconds.") from error


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost middleware: every answer with an error status is a `wire.Problem`."""
    reference = request.headers.get("X-Request-Id", "")[:32] or f"{id(request):x}"
    token = correlation.set(reference)
    try:
        return await handler(request)
    except AppError as error:
        return _of_app(error)
    except web.HTTPException as error:
        return problem(error.status, error.reason, headers={k: error.headers[k] for k in error.headers if k == "Allow"})
    except ConnectionResetError:
        return problem(400, "The connection was lost.")  # nobody reads it, and nobody needs a log line
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return problem(500, "Something broke on our side.", f"Look for {reference} in the bot's log.")
    finally:
        correlation.reset(token)


def _of_app(error: AppError) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        return problem(429, error.what, error.remedy, headers={"Retry-After": f"{max(1, math.ceil(error.seconds))}"})
    if isinstance(error, TooLarge):
        return problem(413, error.what, error.remedy)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = _RETRY_AFTER
        log.warning("%s", error.what)
    return problem(status, error.what, error.remedy, headers=headers)


def problem(status: int, what: str, remedy: str = "", *, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that says what went wrong."""
    return web.json_response(wire.Problem(error=what, remedy=remedy).dump(), status=status, headers=headers)
