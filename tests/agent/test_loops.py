"""Steps that are repeated for ever: how long they wait, and what ends a wait."""

import asyncio
import time

import pytest

from agent.http import LinkError, Unavailable
from agent.loops import Backoff, repeat


def test_waits_grow_to_a_minute_and_honour_what_was_asked() -> None:
    backoff = Backoff()
    waits = [backoff.after() for _ in range(20)]
    assert all(2**n / 2 <= wait <= 2**n for n, wait in enumerate(waits[:6]))
    assert max(waits) <= 60
    assert backoff.after(Unavailable("busy", status=503, retry_after=30)) >= 30
    backoff.reset()
    assert backoff.after() <= 1


async def attempts(error: LinkError | RuntimeError, recovered: asyncio.Event | None = None) -> list[float]:
    """The times of a step's attempts within two and a half seconds; the first two fail."""
    times: list[float] = []

    async def step() -> None:
        times.append(time.monotonic())
        if len(times) < 3:
            raise error
        await asyncio.sleep(10)

    task = asyncio.create_task(repeat("trying", step, recovered))
    await asyncio.sleep(0.1)
    if recovered is not None:
        recovered.set()
        recovered.clear()
    await asyncio.sleep(2.4)
    task.cancel()
    return times


async def test_a_bug_in_a_step_is_logged_and_the_loop_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    times = await attempts(RuntimeError("a bug"))
    assert len(times) >= 2
    assert "trying failed" in caplog.text


async def test_who_waits_is_woken_when_the_bot_answers_again() -> None:
    recovered = asyncio.Event()
    first, second, *_ = await attempts(Unavailable("away"), recovered)
    assert second - first < 1.2


async def test_what_the_bot_asked_for_is_not_cut_short() -> None:
    recovered = asyncio.Event()
    assert len(await attempts(Unavailable("busy", status=503, retry_after=5), recovered)) == 1


async def test_an_end_that_comes_with_what_was_waited_for_is_an_end() -> None:
    recovered = asyncio.Event()

    async def step() -> None:
        raise Unavailable("away")

    task = asyncio.create_task(repeat("trying", step, recovered))
    await asyncio.sleep(0.1)
    recovered.set()
    task.cancel()
    await asyncio.wait({task}, timeout=0.2)
    assert task.cancelled()
