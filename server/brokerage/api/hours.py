"""When an exchange is open: its session now, the next one, and its holidays.

The SDK knows neither every state (`Pre-Market`, `After-Hours`) nor `Smalls`; a state is the
broker's word in lower case, and an exchange without hours is a plain "unsupported".
"""

from __future__ import annotations

__all__ = [
    "EXCHANGES",
    "UNSUPPORTED",
    "ExchangeHours",
    "Holidays",
    "read_holidays",
    "read_hours",
]

from dataclasses import dataclass
from datetime import date, datetime

from server.brokerage.api.json_reader import JsonReader

EXCHANGES = ("Equity", "CME", "CFE", "Smalls")
UNSUPPORTED = frozenset({"Smalls"})
"""Documented here, but the broker gives hours for the other three only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeHours:
    """The session of one exchange at the moment, and the next one."""

    exchange: str
    status: str
    """`open`, `closed`, `pre-market`, `extended`, or another word of the broker."""
    open_at: datetime | None
    close_at: datetime | None
    next_open_at: datetime | None
    """When the next session opens, which is not today's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """The days on which an exchange is closed, or closes early."""

    holidays: frozenset[date]
    half_days: frozenset[date]


def read_hours(item: JsonReader) -> ExchangeHours:
    following = item.item("next-session")
    return ExchangeHours(
        exchange=item.identity("instrument-collection"),
        status=(item.text("state") or "unknown").lower(),
        open_at=item.moment("open-at"),
        close_at=item.moment("close-at"),
        next_open_at=following.moment("open-at") if following else None,
    )


def read_holidays(item: JsonReader) -> Holidays:
    return Holidays(
        holidays=frozenset(item.days("market-holidays")),
        half_days=frozenset(item.days("market-half-days")),
    )
