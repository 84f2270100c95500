"""Defines the exchange's clock and the New York date of an instant."""

from __future__ import annotations

__all__ = ["NEW_YORK", "Clock", "new_york_date"]

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


class Clock(Protocol):
    """Tells the time to the exchange; tests move it by hand."""

    def now(self) -> datetime:
        """Returns the current instant, aware, in UTC."""


def new_york_date(at: datetime) -> date:
    """Returns the date in New York at an instant."""
    return at.astimezone(NEW_YORK).date()
