"""A question being answered in a task of its own, for whoever shows what happens meanwhile.

A stream waits for the next event and for its heartbeat at the same time; an answer cannot be
waited for that way without a task. The task ends with the block, so a client that leaves ends the
model's call.
"""

from __future__ import annotations

__all__ = ["Conversation"]

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Self

from server.agent.chat_events import Answer, Event, Tell, Text

PIECES = 256
"""Pieces of text that wait before they are joined."""
ENDING_S = 5.0
"""What a cancelled answer gets to close its connections."""


class Conversation:
    """`async with` it, then ask for what comes next until that is the answer."""

    def __init__(
        self, tasks: asyncio.TaskGroup, answering: Callable[[Tell], Awaitable[Answer]]
    ) -> None:
        self._tasks = tasks
        self._answering = answering
        self._events: deque[Event | Answer | Exception | _Words] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = self._tasks.create_task(self._run(), name="conversation")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Forgotten here: what ended it holds its frames, and they hold this object, a circle that
        # would keep the whole conversation until the collector comes by.
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=ENDING_S)

    async def next(self, patience: timedelta) -> Event | Answer | None:
        """Returns what comes next, or None if nothing came; raises what the answering raised.

        Words that wait are one event: who reads slowly, or on a busy server, gets fewer of them.
        """
        if not self._events:
            self._news.clear()
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    await self._news.wait()
            except TimeoutError:
                return None

        event = self._events.popleft()
        if isinstance(event, Exception):
            try:
                raise event
            finally:
                del event  # whose traceback holds this frame: a circle, as in `__aexit__`

        return Text(event.text()) if isinstance(event, _Words) else event

    def _put(self, event: Event | Answer | Exception) -> None:
        """Keeps an event, and puts words together that nobody has taken yet.

        Else a stream that is not read would hold an object for each of them.
        """
        if not isinstance(event, Text):
            self._events.append(event)
        elif self._events and isinstance(self._events[-1], _Words):
            self._events[-1].add(event.text)
        else:
            self._events.append(_Words(event.text))

        self._news.set()

    async def _run(self) -> None:
        try:
            self._put(await self._answering(self._put))
        except asyncio.CancelledError as left:
            # The task keeps it, with the frames that it went through; and a timeout in one of them
            # knows the task: the same circle again.
            raise left.with_traceback(None) from None
        except Exception as error:  # noqa: BLE001 - raised again in the task that waits for it
            self._put(error)


class _Words:
    """Pieces of text that become one."""

    def __init__(self, text: str) -> None:
        self._pieces = [text]

    def add(self, text: str) -> None:
        self._pieces.append(text)
        if len(self._pieces) > PIECES:
            self._pieces = [self.text()]

    def text(self) -> str:
        return "".join(self._pieces)
