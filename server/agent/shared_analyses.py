"""Gives one analysis to all who ask for the same: those who wait together, and those soon after.

A key must name the tenant: nothing is shared between tenants, whose market data is licensed to each
of them alone.
"""

from __future__ import annotations

__all__ = ["SharedAnalyses", "SharedStatistics"]

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from server.agent.analysis_result import Analysis
from server.agent.apart import Apart, run_apart
from server.clock import Clock

MOST = 1024
"""Analyses that are kept; each is some sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedStatistics:
    kept: int
    running: int
    shared: int
    """Times that somebody got what another had asked for."""


@dataclass(slots=True, eq=False)
class _Flight:
    """One analysis that is being made, and for how many."""

    making: Apart[Analysis]
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    analysis: Analysis
    until: float


class SharedAnalyses:
    """Makes each analysis once, in a task that ends when nobody waits for it any more.

    What `make` returns is kept for `kept_s`, be it an analysis or why there is none; what it raises
    is raised to all who waited for it, and not kept.
    """

    def __init__(self, clock: Clock, tasks: asyncio.TaskGroup, *, kept_s: float) -> None:
        self._clock = clock
        self._tasks = tasks
        self._kept_s = kept_s
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._shared = 0

    async def get(self, key: Hashable, make: Callable[[], Awaitable[Analysis]]) -> Analysis:
        """Returns the analysis of a key, made by `make` if there is none."""
        kept = self._kept.get(key)
        if kept is not None and self._clock.monotonic() < kept.until:
            self._shared += 1
            return kept.analysis

        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(run_apart(self._tasks, self._make(key, make), name="analysis"))
            self._flights[key] = flight
        else:
            self._shared += 1

        flight.waiting += 1
        try:
            return await asyncio.shield(flight.making.outcome)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.making.cancel()  # without effect on one that is done
                if self._flights.get(key) is flight:
                    del self._flights[key]

    def statistics(self) -> SharedStatistics:
        return SharedStatistics(
            kept=len(self._kept), running=len(self._flights), shared=self._shared
        )

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Analysis]]) -> Analysis:
        analysis = await make()
        self._keep(key, analysis)
        return analysis

    def _keep(self, key: Hashable, analysis: Analysis) -> None:
        if not self._kept_s:
            return

        self._kept[key] = _Kept(analysis, self._clock.monotonic() + self._kept_s)
        self._kept.move_to_end(key)
        now = self._clock.monotonic()
        while self._kept and (len(self._kept) > MOST or self._oldest() <= now):
            self._kept.popitem(last=False)

    def _oldest(self) -> float:
        return next(iter(self._kept.values())).until
