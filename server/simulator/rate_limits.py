"""Limits requests per second by endpoint and customer, as the broker does.

Off unless `SimulatorSettings.rate_limits` is on. A refused request does not count, so a client that
waits a second always succeeds. As at the real broker, no header tells how long to wait.
"""

from __future__ import annotations

__all__ = ["RATES", "RateLimits"]

import re
from collections import deque

from server.simulator.clock import SimClock
from server.simulator.customers import Customer
from server.simulator.envelope import BrokerError

RATES: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("market-data", re.compile(r"GET /market-data(/.*)?"), 2),
    ("option-chains", re.compile(r"GET /(futures-)?option-chains/.*"), 2),
    ("equities", re.compile(r"GET /instruments/equities(/active)?"), 2),
    ("equity", re.compile(r"GET /instruments/equities/.+"), 3),
    ("positions", re.compile(r"GET /accounts/[^/]+/positions"), 1),
    ("balances", re.compile(r"GET /accounts/[^/]+/balances(/.*)?"), 1),
    ("accounts", re.compile(r"GET /customers/[^/]+/accounts"), 1),
    ("trading-status", re.compile(r"GET /accounts/[^/]+/trading-status"), 1),
)
"""Name, `METHOD path` and requests per second; the first entry that matches counts."""

GLOBAL_RATE = 50


class RateLimits:
    """Counts requests over a sliding second."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._recent: dict[tuple[str, str], deque[float]] = {}

    def check(self, customer: Customer, method: str, path: str) -> None:
        """Counts a request, or refuses it with 429."""
        now = self._clock.monotonic()
        call = f"{method} {path}"
        # `/instruments/equities/active` must not be read as a symbol, which is why the table is
        # ordered.
        named = next(((name, rate) for name, like, rate in RATES if like.fullmatch(call)), None)
        windows = [(self._window(customer.id, "all", now), GLOBAL_RATE)]
        if named:
            windows.append((self._window(customer.id, named[0], now), named[1]))

        if any(len(window) >= rate for window, rate in windows):
            raise BrokerError(429, "too_many_requests", "Too many requests")

        for window, _ in windows:
            window.append(now)

    def _window(self, customer_id: str, name: str, now: float) -> deque[float]:
        window = self._recent.setdefault((customer_id, name), deque())
        while window and window[0] <= now - 1:
            window.popleft()

        return window
