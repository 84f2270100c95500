"""Makes a value once, on the first request; concurrent callers share the outcome.

There is no task in it: the first caller does the work under a lock. If it is cancelled, the
next one in the line begins anew.
"""

from __future__ import annotations

__all__ = ["OnceEach", "SingleFlight"]

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from server.errors import GatewayError

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[V]):
    """Holds one value, and makes it when it is missing.

    A failure is told to everybody who was waiting when it happened, and is not kept: the next
    caller tries again. Without that, ten waiters behind a dead broker would time out in turn.
    """

    __slots__ = ("_failed", "_failure", "_lock", "value")

    def __init__(self) -> None:
        self.value: V | None = None
        self._failed = 0
        self._failure: GatewayError | None = None
        self._lock = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether somebody is making the value now."""
        return self._lock.locked()

    async def get(self, make: Callable[[], Awaitable[V]]) -> V:
        """Returns the value, made by `make` if there is none."""
        if self.value is not None:
            return self.value

        failed = self._failed
        async with self._lock:
            if self.value is not None:
                return self.value

            if self._failed != failed and self._failure is not None:
                raise self._failure.with_traceback(None)

            try:
                self.value = await make()
            except GatewayError as failure:
                self._failed += 1
                self._failure = failure
                raise

            return self.value


class OnceEach(Generic[K, V]):
    """Holds a value for each of many keys, made once; beyond `most` the longest unused goes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, SingleFlight[V]] = OrderedDict()

    async def get(self, key: K, make: Callable[[], Awaitable[V]]) -> V:
        """Returns the value of a key, made by `make` if there is none; a failure is not kept."""
        kept = self._kept.setdefault(key, SingleFlight())
        self._kept.move_to_end(key)
        try:
            return await kept.get(make)
        finally:
            if kept.value is None and not kept.busy and self._kept.get(key) is kept:
                del self._kept[key]
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forgets everything; what is being made is still given to who waits for it."""
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
