"""Decides how long to wait before the next attempt to connect."""

from __future__ import annotations

__all__ = ["Backoff"]

from dataclasses import dataclass
from datetime import timedelta
from random import Random


@dataclass(slots=True)
class Backoff:
    """Grows exponentially with full jitter, so that many clients do not come back in step.

    From the fifth failure on a pause is never shorter than a second: a broker that is down, or that
    refuses us, must not see more than one connection a second from a tenant.
    """

    random: Random
    base: timedelta = timedelta(seconds=0.5)
    cap: timedelta = timedelta(seconds=30)
    failures: int = 0

    def next_pause(self, *, at_once: bool = False) -> timedelta:
        """Counts one more failure and returns the pause that follows it.

        `at_once` is for a server that asks for a reconnect (close code 1012): the first
        such request gets no pause, a second in a row is a failure like any other.
        """
        self.failures += 1
        if at_once and self.failures == 1:
            return timedelta()

        ceiling = min(self.cap, self.base * (1 << min(self.failures - 1, 16)))
        pause = ceiling * self.random.random()
        return max(pause, timedelta(seconds=1)) if self.failures >= 5 else pause

    def reset(self) -> None:
        """Forgets the failures; called once data has come, not merely a connection."""
        self.failures = 0
