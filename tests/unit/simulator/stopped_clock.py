"""Defines a clock that stands still until a test moves it."""

from __future__ import annotations

__all__ = ["StoppedClock"]

from datetime import datetime, timedelta


class StoppedClock:
    """Tells the instant it was set to."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def forward(self, **duration: float) -> None:
        self.instant += timedelta(**duration)
