"""What goes wrong between an agent and the bot, as a test switches it on in the control plane."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from agent import wire

Fault = Callable[[web.Request, Callable[[], Awaitable[web.Response]]], Awaitable[web.StreamResponse]]


def status(code: int, *, retry_after: float | None = None, problem: bool = True) -> Fault:
    """Answered with an error before anything is done."""

    async def fault(_: web.Request, __: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if not problem:
            return web.Response(status=code, text="<html>nginx</html>", content_type="text/html", headers=headers)
        return web.json_response(wire.Problem(error=f"Fault {code}.").dump(), status=code, headers=headers)

    return fault


def redirect(to: str) -> Fault:
    """Sent elsewhere."""

    async def fault(_: web.Request, __: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": to})

    return fault


def lost() -> Fault:
    """It is done, and the answer never arrives."""

    async def fault(request: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        answer = await handle()
        assert request.transport is not None
        request.transport.close()
        return answer

    return fault


def cut() -> Fault:
    """It is done, and half of the answer arrives."""

    async def fault(request: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        answer = await handle()
        assert isinstance(answer.body, bytes)
        half = web.StreamResponse(headers={"Content-Length": str(len(answer.body)), "Content-Type": "application/json"})
        await half.prepare(request)
        await half.write(answer.body[: len(answer.body) // 2])
        assert request.transport is not None
        request.transport.close()
        return half

    return fault


def slow(seconds: float) -> Fault:
    """Answered late."""

    async def fault(_: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await handle()

    return fault


def garbage(body: str = '{"surprise": 1}') -> Fault:
    """Answered with something else."""

    async def fault(_: web.Request, __: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        return web.Response(text=body, content_type="application/json")

    return fault
