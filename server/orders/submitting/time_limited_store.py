"""Runs work at the store under a short time limit, and gives up what is late.

A cancel needs no record to be sent, so a store that is locked, full or gone must not hold it up.
The work runs in a task of its own, since even a cancelled statement may take its time to end.
"""

from __future__ import annotations

__all__ = ["LIMIT", "TimeLimitedStore", "TooSlow"]

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from server.errors import ShuttingDown

LIMIT = timedelta(milliseconds=250)
"""What one piece of work may take: a store that is well needs some milliseconds."""

T = TypeVar("T")


class TooSlow(Exception):
    """The store has not answered in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer within {LIMIT.total_seconds() * 1000:.0f} ms")


@dataclass(slots=True)
class _Outcome(Generic[T]):
    """A task of a group must not raise what is one caller's business."""

    value: T | None = None
    failure: Exception | None = None


class TimeLimitedStore:
    """Owns the tasks; an async context manager that waits for what still ends."""

    def __init__(self) -> None:
        self._tasks: asyncio.TaskGroup | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self._stack = stack.pop_all()

        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        self._tasks = None

    async def within(self, work: Callable[[], Awaitable[T]]) -> T:
        """Returns what the work returns, and raises what it raises, within `LIMIT`.

        Raises TooSlow afterwards; then the work was cancelled, and may or may not have been done.
        """
        if self._tasks is None:
            raise ShuttingDown

        task: asyncio.Task[_Outcome[T]] = self._tasks.create_task(_run(work), name="store")
        try:
            await asyncio.wait([task], timeout=LIMIT.total_seconds())
        finally:
            if not task.done():
                task.cancel()

        if not task.done() or task.cancelled():
            raise TooSlow

        outcome: Any = task.result()
        if outcome.failure is not None:
            raise outcome.failure

        value: T = outcome.value
        return value


async def _run(work: Callable[[], Awaitable[T]]) -> _Outcome[T]:
    try:
        return _Outcome(value=await work())
    except Exception as failure:  # noqa: BLE001 - it is the waiting caller's, not the group's
        return _Outcome(failure=failure)
