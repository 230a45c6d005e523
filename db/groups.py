"""Rows of many callers in one statement, each caller waiting until its own is durable."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
R = TypeVar("R")

LARGEST: Final = 200
"""Rows of one statement."""


class GroupWriter(Generic[T, R]):
    """Whoever comes alone is written at once; those who come meanwhile make the next group.

    `write` stores rows in a transaction of its own and gives one result for each."""

    def __init__(self, write: Callable[[Sequence[T]], Coroutine[Any, Any, Sequence[R]]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._alone: list[tuple[T, asyncio.Future[R]]] = []
        """Of a group that was refused: each for itself, because one row must not take the others with it."""
        self._writing: asyncio.Task[Sequence[R]] | None = None

    async def add(self, row: T) -> R:
        """Returns when the row is durable. Raises what `write` raises."""
        stored: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        if self._writing is None:
            self._begin()
        return await stored

    def _begin(self) -> None:
        if self._alone:
            group = [self._alone.pop()]
        else:
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
        self._writing = task = asyncio.create_task(self._write([row for row, _ in group]), name="group writer")
        task.add_done_callback(partial(self._ended, group))

    def _ended(self, group: Sequence[tuple[T, "asyncio.Future[R]"]], task: "asyncio.Task[Sequence[R]]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DBAPIError) and len(group) > 1:
            self._alone += group
        else:
            for number, (_, stored) in enumerate(group):
                if task.cancelled():
                    stored.cancel()
                elif stored.done():
                    continue  # its caller was cancelled: the row is there all the same
                elif error is not None:
                    stored.set_exception(error)
                else:
                    stored.set_result(task.result()[number])
        self._writing = None
        if self._alone or self._waiting:
            self._begin()
