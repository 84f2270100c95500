"""Moments and days as the contract writes them."""

from __future__ import annotations

__all__ = ["date_from", "date_or_none", "new_york_text", "timestamp"]

import re
from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from server.clock import NEW_YORK
from server.errors import InvalidDate

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Returns the message for an aware moment; None leaves the field unset."""
    if moment is None:
        return None

    message = Timestamp()
    message.FromDatetime(moment)
    return message


def new_york_text(moment: datetime | None) -> str | None:
    """Returns "2025-12-15T16:00:00-05:00", as the guide writes the hours of an exchange."""
    return None if moment is None else moment.astimezone(NEW_YORK).isoformat(timespec="seconds")


def date_or_none(day: date | None) -> str | None:
    """Returns "2025-12-19"; None leaves the field unset."""
    return None if day is None else day.isoformat()


def date_from(text: str, *, field: str = "expiration_date") -> date:
    """Returns the day that a request writes; raises InvalidDate, naming `field`."""
    # fromisoformat alone would take "20251219" and "2025-W51-5" as well.
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass

    raise InvalidDate(text, field)
