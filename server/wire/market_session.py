"""The hours of exchanges to messages, with the time until they open in words."""

from __future__ import annotations

__all__ = ["exchanges_from", "market_session_to", "unsupported", "until"]

from datetime import datetime, timedelta

from tasty.v1 import market_session_pb2, reference_service_pb2

from server.brokerage.api.hours import EXCHANGES, ExchangeHours, Holidays
from server.clock import NEW_YORK
from server.errors import InvalidField
from server.wire.times import new_york_text

OPEN = "open"
DEFAULT_EXCHANGES = ("Equity",)


def exchanges_from(request: reference_service_pb2.GetMarketStatusRequest) -> tuple[str, ...]:
    """Returns the exchanges that are asked for, each once; they may share an element by commas."""
    given = [name.strip() for each in request.exchanges for name in each.split(",")]
    spelled = {each.lower(): each for each in EXCHANGES}
    for name in given:
        if name.lower() not in spelled:
            raise InvalidField("exchanges", name, f"one of {', '.join(EXCHANGES)}")

    return tuple(dict.fromkeys(spelled[name.lower()] for name in given)) or DEFAULT_EXCHANGES


def market_session_to(
    hours: ExchangeHours, holidays: Holidays | None, now: datetime
) -> market_session_pb2.MarketSession:
    today = now.astimezone(NEW_YORK).date()
    is_open = hours.status == OPEN
    # Before the opening the broker still calls today's session the current one.
    opens = hours.open_at if hours.open_at and hours.open_at > now else hours.next_open_at
    return market_session_pb2.MarketSession(
        exchange=hours.exchange,
        status=hours.status,
        close_at=new_york_text(hours.close_at) if is_open else None,
        next_open=None if is_open else new_york_text(opens),
        time_until_open=None if is_open or opens is None else until(opens - now),
        is_holiday=today in holidays.holidays if holidays else None,
        is_half_day=today in holidays.half_days if holidays else None,
    )


def unsupported(exchange: str) -> market_session_pb2.MarketSession:
    """Returns the entry of an exchange of which the broker gives no hours."""
    return market_session_pb2.MarketSession(exchange=exchange, status="unsupported")


def until(wait: timedelta) -> str:
    """Returns "2 days, 3 hours", "2 hours, 5 minutes" or "less than a minute"."""
    minutes = max(0, int(wait.total_seconds() // 60))
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    counts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    words = [f"{count} {unit}{'s' * (count != 1)}" for count, unit in counts if count]
    return ", ".join(words[:2]) or "less than a minute"
