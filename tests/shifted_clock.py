"""The machine's clock, and as much later as a test says."""

from __future__ import annotations

__all__ = ["ShiftedClock"]

from datetime import datetime, timedelta

from server.clock import SystemClock


class ShiftedClock(SystemClock):
    """Satisfies `server.clock.Clock`; time jumps on by what is added to `shift`."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift

    def monotonic(self) -> float:
        return super().monotonic() + self.shift.total_seconds()
