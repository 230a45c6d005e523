"""Request bodies: bounded, strict JSON, cleaned of what PostgreSQL cannot store, validated by the protocol's models."""

import asyncio
import json
import math
from typing import Any, Final, NoReturn, TypeVar, cast

from aiohttp import web
from pydantic import ValidationError

from agent.wire import Wire
from bot.domain.words import storable
from bot.errors import Invalid
from bot.http.errors import TooLarge

M = TypeVar("M", bound=Wire)

SMALL: Final = 16 * 1024
"""Bytes of a claim, a progress report."""
MEDIUM: Final = 256 * 1024
"""Bytes of a pairing request, which anybody may send."""
LARGE: Final = 1024 * 1024
"""Bytes of a heartbeat, a result (its output is at most 64 KiB, escaped up to six times that)."""
_PATIENCE: Final = 20.0
"""Seconds that a body may take to arrive."""
_DEEPEST: Final = 32
_LARGEST_NUMBER: Final = 2**63


async def read(request: web.Request, model: type[M], *, limit: int = SMALL) -> M:
    """The body as a message of the protocol.

    Raises:
        TooLarge, Invalid: beyond the limit, no JSON, or not such a message.
    """
    raw = await _bounded(request, limit)
    try:
        value = _clean(json.loads(raw, parse_constant=_refuse), _DEEPEST)
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(
            f"This is no {model.__name__}: {_first(error)}", "Agent and bot may be of different versions."
        ) from error
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not the JSON of the protocol.", "Send one JSON object in UTF-8.") from error


async def _bounded(request: web.Request, limit: int) -> bytes:
    too_large = TooLarge(f"The body is larger than {limit} bytes.", "Send less at a time.")
    if (request.content_length or 0) > limit:
        raise too_large
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Invalid("The body is compressed.", "Send it as it is.")
    chunks = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.content.iter_chunked(64 * 1024):
                chunks += chunk
                if len(chunks) > limit:
                    raise too_large
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(reason="The body did not arrive in time.") from error
    return bytes(chunks)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _clean(value: Any, depth: int) -> Any:
    """The value without NUL and half surrogates, which a player's name may well hold. No number beyond reason."""
    if depth == 0:
        raise ValueError("too deep")
    match value:
        case str():
            return storable(value)
        case bool() | None:
            return value
        case int() | float():
            if not math.isfinite(value) or abs(value) >= _LARGEST_NUMBER:
                raise ValueError("number out of range")
            return value
        case list():
            return [_clean(item, depth - 1) for item in cast("list[Any]", value)]
        case dict():
            pairs = cast("dict[str, Any]", value).items()
            return {_clean(key, depth - 1): _clean(item, depth - 1) for key, item in pairs}
        case _:
            raise ValueError(type(value).__name__)


def _first(error: ValidationError) -> str:
    """The first of what is wrong, without the value: it may be a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in found['loc'])[:100]}: {found['msg'][:200]}"
