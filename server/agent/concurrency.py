"""Counts what runs at once, by tenant and in all, and refuses what would be too much.

It refuses and never queues: whoever waits for a model holds a whole conversation in memory while
it waits.
"""

from __future__ import annotations

__all__ = ["ConcurrencyLimit", "ConcurrencyStatistics", "LimitReached"]

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

KEPT = 4
"""One part in so many of the total is kept for tenants of whom nothing runs yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyStatistics:
    running: int
    refused: int


class LimitReached(Exception):
    """One more would be too many; the caller makes its own words of it."""

    def __init__(self, *, running: int, allowed: int, whose: str) -> None:
        super().__init__(f"{running} of {allowed} for this {whose}")
        self.running = running
        self.allowed = allowed
        self.whose = whose
        """"API key" or "server"."""


class ConcurrencyLimit:
    """Bounds what runs at once; a place is held by a `with` block and never waits."""

    def __init__(self, *, per_tenant: int, total: int) -> None:
        self._per_tenant = per_tenant
        self._total = total
        self._shared = total - total // KEPT
        self._running: Counter[str] = Counter()
        self._refused = 0

    @contextmanager
    def hold(self, tenant_id: str) -> Iterator[None]:
        """Holds a place for the block; raises LimitReached where there is none."""
        self._refuse_too_many(tenant_id)
        self._running[tenant_id] += 1
        try:
            yield
        finally:
            self._running[tenant_id] -= 1
            if not self._running[tenant_id]:
                del self._running[tenant_id]

    def statistics(self) -> ConcurrencyStatistics:
        return ConcurrencyStatistics(running=self._running.total(), refused=self._refused)

    def _refuse_too_many(self, tenant_id: str) -> None:
        own, everybody = self._running[tenant_id], self._running.total()
        if own >= self._per_tenant:
            self._refused += 1
            raise LimitReached(running=own, allowed=self._per_tenant, whose="API key")

        allowed = self._shared if own else self._total
        if everybody >= allowed:
            self._refused += 1
            raise LimitReached(running=everybody, allowed=allowed, whose="server")
