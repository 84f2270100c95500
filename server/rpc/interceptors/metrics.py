"""Counts calls by method and outcome, and measures how long unary ones take."""

from __future__ import annotations

__all__ = ["Metrics"]

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from server.clock import Clock
from server.rpc.call import Call
from server.rpc.chain import Body

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; from a warm quote (under 3 ms) to the default deadline."""


class Metrics:
    """A stream's duration says nothing about speed, so only its end is counted."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._calls = Counter(
            "tasty_calls", "Calls that ended.", ("method", "code"), registry=registry
        )
        self._seconds = Histogram(
            "tasty_call_seconds",
            "Duration of unary calls, waiting in the queue included.",
            ("method",),
            buckets=BUCKETS,
            registry=registry,
        )
        # Looking labels up costs more than counting; there are few pairs, all from the contract.
        self._counters: dict[tuple[str, str], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    async def around(self, call: Call, proceed: Body) -> Any:
        started = self._clock.monotonic()
        try:
            return await proceed(call)
        finally:
            self._record(call, self._clock.monotonic() - started)

    def _record(self, call: Call, seconds: float) -> None:
        path = call.method.path
        pair = (path, call.code)
        counter = self._counters.get(pair)
        if counter is None:
            counter = self._counters[pair] = self._calls.labels(*pair)

        counter.inc()
        if call.method.streaming:
            return

        histogram = self._histograms.get(path)
        if histogram is None:
            histogram = self._histograms[path] = self._seconds.labels(path)

        histogram.observe(seconds)
