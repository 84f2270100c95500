"""Gives memory that is free back to the system, which glibc keeps for itself otherwise.

Bodies of requests come in from gRPC as thousands of small pieces. Once they are freed the C library
keeps the pages that they were in, for good: a burst of large requests would look like a leak.
"""

from __future__ import annotations

__all__ = ["Heap", "LibcHeap", "memory_given_back"]

import asyncio
import ctypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from server.clock import Clock

PAUSE = timedelta(seconds=15)
"""How often it is looked whether there is anything to give back: it takes microseconds."""
WORTHWHILE = 32 << 20
"""Bytes that must have come or gone since the last time: giving back takes some milliseconds, in
which nobody else can allocate."""
STATM = Path("/proc/self/statm")
PAGE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapState:
    """What the process has of the system, and what of it is free, in bytes."""

    resident: int
    free: int

    def differs(self, other: HeapState) -> bool:
        """Whether enough has changed since to look again."""
        moved = abs(self.resident - other.resident)
        return moved > WORTHWHILE or self.free - other.free > WORTHWHILE


class Heap(Protocol):
    """The memory of a process."""

    def state(self) -> HeapState: ...
    def trim(self) -> None: ...


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


class LibcHeap:
    """This process's heap, under glibc."""

    def __init__(self, libc: ctypes.CDLL) -> None:
        self._trim = libc.malloc_trim
        self._info = libc.mallinfo2
        self._info.restype = _Mallinfo

    @classmethod
    def here(cls) -> LibcHeap | None:
        """Returns the heap; None where the C library is another one."""
        try:
            return cls(ctypes.CDLL(None)) if STATM.exists() else None
        except (AttributeError, OSError):
            return None

    def state(self) -> HeapState:
        resident = int(STATM.read_text().split()[1]) * PAGE
        return HeapState(resident=resident, free=int(self._info().fordblks))

    def trim(self) -> None:
        self._trim(0)


@asynccontextmanager
async def memory_given_back(clock: Clock, heap: Heap | None) -> AsyncIterator[None]:
    """Gives back what became free while the block runs; does nothing without a heap to ask."""
    async with asyncio.TaskGroup() as tasks:
        giving = tasks.create_task(_give_back(clock, heap)) if heap is not None else None
        try:
            yield
        finally:
            if giving is not None:
                giving.cancel()


async def _give_back(clock: Clock, heap: Heap) -> None:
    before = heap.state()
    while True:
        await clock.sleep(PAUSE)
        if heap.state().differs(before):
            await asyncio.to_thread(heap.trim)
            before = heap.state()
