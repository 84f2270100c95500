"""Spaces requests to what the broker publishes as its limits, so that it need not refuse any.

A pace belongs to one tenant and one kind of page (the broker counts a customer), the overall one
to the whole process. Requests leave in the order in which they came; a second's worth may go at
once after a pause. A wait that would outlast the longest wait for an answer fails at once.
"""

from __future__ import annotations

__all__ = ["Pace", "Pacer"]

import re
from datetime import timedelta

from server.clock import Clock
from server.errors import BrokerThrottled

OVERALL = 50.0
CAUTION = 0.95
"""The share of a published rate that is used: requests drift together on their way."""
PAUSE = timedelta(seconds=1)
"""How long a kind of page is left alone after a 429, which the broker sends without a figure."""
INSTANT_S = 0.001
"""A shorter wait is none: it may be no more than the rounding of sums."""
KINDS: tuple[tuple[str, re.Pattern[str], float], ...] = (
    ("market-data", re.compile(r"/market-data(/|$)"), 2),
    ("option-chains", re.compile(r"/(futures-)?option-chains/"), 2),
    ("equity", re.compile(r"/instruments/equities/."), 3),
    ("equities", re.compile(r"/instruments/equities$"), 2),
    ("positions", re.compile(r"/accounts/[^/]+/positions"), 1),
    ("balances", re.compile(r"/accounts/[^/]+/balances"), 1),
    ("accounts", re.compile(r"/customers/[^/]+/accounts"), 1),
    ("trading-status", re.compile(r"/accounts/[^/]+/trading-status"), 1),
)
"""Name, path and requests a second; a path of none of them has the overall pace only."""


class Pace:
    """One rate: hands out turns, each as early as the rate allows."""

    __slots__ = ("_at_once", "_clock", "_gap", "_next")

    def __init__(self, rate: float, clock: Clock) -> None:
        self._gap = 1 / (rate * CAUTION)
        self._at_once = self._gap * max(1, int(rate))
        self._clock = clock
        self._next = 0.0

    def wait(self) -> float:
        """Returns the seconds until the turn that `take` would give."""
        now = self._clock.monotonic()
        return max(0.0, max(self._next, now) + self._gap - self._at_once - now)

    def take(self) -> None:
        """Uses up one turn."""
        self._next = max(self._next, self._clock.monotonic()) + self._gap

    def postpone(self, pause: timedelta) -> None:
        """Gives no turn for as long as `pause`."""
        due = self._clock.monotonic() + pause.total_seconds()
        self._next = max(self._next, due + self._at_once - self._gap)


class Pacer:
    """The paces of one tenant, beside the one that all tenants share."""

    def __init__(self, clock: Clock, overall: Pace, longest: timedelta, *, on: bool) -> None:
        self._clock = clock
        self._overall = overall
        self._longest = longest.total_seconds()
        self._on = on
        self._paces = {name: Pace(rate, clock) for name, _, rate in KINDS}
        self.waited = 0
        """Requests that had to wait so far."""

    async def turn(self, path: str) -> None:
        """Returns when a request to `path` may leave; raises BrokerThrottled instead of too late.

        A cancelled wait has used its turn up: nobody else may go earlier because of it.
        """
        if not self._on:
            return

        paces = [self._overall, *self._of(path)]
        wait = max(pace.wait() for pace in paces)
        if wait > self._longest:
            raise BrokerThrottled

        for pace in paces:
            pace.take()

        if wait > INSTANT_S:
            self.waited += 1
            await self._clock.sleep(timedelta(seconds=wait))

    async def back_off(self, path: str) -> None:
        """Slows down what answered 429; returns when `turn` may be taken again."""
        for pace in self._of(path):
            pace.postpone(PAUSE)

        if not self._on or not self._of(path):
            await self._clock.sleep(PAUSE)

    def _of(self, path: str) -> list[Pace]:
        return [self._paces[name] for name, pattern, _ in KINDS if pattern.match(path)]
