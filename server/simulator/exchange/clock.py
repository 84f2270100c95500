"""Time as the exchange needs it: an instant, and the day in New York that it belongs to."""

from __future__ import annotations

__all__ = ["NEW_YORK", "Clock", "new_york_date"]

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class Clock(Protocol):
    """All that the exchange knows of time; it is moved by hand in tests."""

    def now(self) -> datetime:
        """Returns the current instant, aware, in UTC."""


def new_york_date(at: datetime) -> date:
    """Returns the date in New York at an instant."""
    return at.astimezone(NEW_YORK).date()
