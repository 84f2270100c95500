"""What an account was worth over time.

The broker's page documents camelCase names and bare numbers here, unlike everywhere else, while
the SDK expects dashes and refuses the rest; `JsonReader` reads both.
"""

from __future__ import annotations

__all__ = ["TIMES_BACK", "NetLiquidatingValue", "read_net_liquidating_value"]

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader, Unreadable

TIMES_BACK = ("1d", "1w", "1m", "3m", "6m", "1y", "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetLiquidatingValue:
    """The value during one interval."""

    time: datetime
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    pending_cash_open: Decimal | None
    pending_cash_high: Decimal | None
    pending_cash_low: Decimal | None
    pending_cash_close: Decimal | None
    total_open: Decimal | None
    total_high: Decimal | None
    total_low: Decimal | None
    total_close: Decimal | None


def read_net_liquidating_value(item: JsonReader) -> NetLiquidatingValue:
    time = item.moment("time")
    if time is None:
        raise Unreadable("time")

    return NetLiquidatingValue(
        time=time,
        open=item.decimal("open"),
        high=item.decimal("high"),
        low=item.decimal("low"),
        close=item.decimal("close"),
        pending_cash_open=item.decimal("pending-cash-open"),
        pending_cash_high=item.decimal("pending-cash-high"),
        pending_cash_low=item.decimal("pending-cash-low"),
        pending_cash_close=item.decimal("pending-cash-close"),
        total_open=item.decimal("total-open"),
        total_high=item.decimal("total-high"),
        total_low=item.decimal("total-low"),
        total_close=item.decimal("total-close"),
    )
