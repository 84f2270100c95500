"""Runs work in a task of a group, whose failure is for who waits for it and not for the group."""

from __future__ import annotations

__all__ = ["Apart", "run_apart"]

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Apart(Generic[T]):
    """Work that goes on when the one who waits for it stops waiting."""

    outcome: asyncio.Future[T]
    """Wait for it with `asyncio.wait` or a shield: it is not cancelled with the one who waits."""
    task: asyncio.Task[None]

    def cancel(self) -> None:
        """Ends the work, if it has not ended, and returns at once."""
        self.task.cancel()


def run_apart(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, T], *, name: str) -> Apart[T]:
    """Starts the work; raises RuntimeError where the group takes no tasks any more."""
    outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    running = _run(work, outcome)
    try:
        return Apart(outcome, tasks.create_task(running, name=name))
    except RuntimeError:
        running.close()
        work.close()
        raise


async def _run(work: Coroutine[Any, Any, T], outcome: asyncio.Future[T]) -> None:
    try:
        result = await work
    except Exception as error:  # noqa: BLE001 - raised again in those who wait for it
        outcome.set_exception(error)
        outcome.exception()  # so that nobody is told of a failure that nobody waits for
    else:
        outcome.set_result(result)
    finally:
        outcome.cancel()  # of effect only where this task is being cancelled
