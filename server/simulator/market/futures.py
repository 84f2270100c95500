"""Lists the futures of a day and calculates when they expire.

A contract has three names: `/ESZ6` in orders (one digit of the year), `/ESZ26:XCME` on dxLink (two
digits), `ESZ6` at the exchange. The next contract becomes the active one some days before the front
one expires.
"""

from __future__ import annotations

__all__ = ["FutureContract", "list_contracts", "parse_contract"]

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from server.simulator.market.calendar import (
    NEW_YORK,
    is_trading_day,
    nth_weekday,
    previous_trading_day,
    third_friday,
)
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.products import MONTHS, Product, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureContract:
    """Describes one future: a product in a delivery month."""

    product: Product
    year: int
    month: int
    expires_at: datetime

    @property
    def expiration(self) -> date:
        return self.expires_at.astimezone(NEW_YORK).date()

    @property
    def exchange_symbol(self) -> str:
        return f"{self.product.code}{MONTHS[self.month - 1]}{self.year % 10}"

    @property
    def symbol(self) -> str:
        return f"/{self.exchange_symbol}"

    @property
    def streamer_symbol(self) -> str:
        letter = MONTHS[self.month - 1]
        return f"/{self.product.code}{letter}{self.year % 100:02d}:{self.product.streamer_exchange}"

    @property
    def roll_on(self) -> date:
        """Day from which on the next contract is the active one."""
        return _business_days_before(self.expiration, self.product.roll_days)


@lru_cache(maxsize=256)
def list_contracts(product: Product, today: date) -> tuple[FutureContract, ...]:
    """Returns the contracts of a product that have not expired before `today`, by expiration."""
    found: list[FutureContract] = []
    year, month = today.year, today.month
    while len(found) < product.listed:
        if MONTHS[month - 1] in product.months:
            contract = _make_contract(product, year, month)
            if contract.expiration >= today:
                found.append(contract)

        year, month = (year + 1, 1) if month == 12 else (year, month + 1)

    return tuple(found)


def parse_contract(symbol: str, today: date) -> FutureContract | None:
    """Parses `/ESZ6` or `/ESZ26:XCME`; None unless it is listed or recently expired."""
    match = re.fullmatch(r"/([A-Z0-9]+?)([FGHJKMNQUVXZ])(\d{1,2})(?::([A-Z]+))?", symbol)
    product = PRODUCTS.get(match[1]) if match else None
    if match is None or product is None or match[2] not in product.months:
        return None

    month = MONTHS.index(match[2]) + 1
    if match[4] is not None and (len(match[3]) != 2 or match[4] != product.streamer_exchange):
        return None

    if match[4] is None and len(match[3]) != 1:
        return None

    # One digit may mean any of ten years: the one meant ended at most a year ago.
    base = today.year - 1
    span = 100 if match[4] else 10
    year = base + (int(match[3]) - base) % span
    contract = _make_contract(product, year, month)
    listed = list_contracts(product, today)
    return contract if contract.expiration <= listed[-1].expiration else None


@lru_cache(maxsize=1024)
def _make_contract(product: Product, year: int, month: int) -> FutureContract:
    return FutureContract(
        product=product, year=year, month=month, expires_at=_find_expiry(product.rule, year, month)
    )


def _find_expiry(rule: Rule, year: int, month: int) -> datetime:
    if rule == "index":
        day, clock = third_friday(year, month), time(9, 30)
    elif rule == "oil":
        # Three business days before the 25th of the month before delivery.
        before = date(year, month, 1) - timedelta(days=1)
        anchor = before.replace(day=25)
        anchor = anchor if is_trading_day(anchor) else previous_trading_day(anchor)
        day, clock = _business_days_before(anchor, 3), time(14, 30)
    elif rule == "gold":
        day, clock = _business_days_before(_month_end(year, month), 2), time(13, 30)
    elif rule == "bond":
        day, clock = _business_days_before(_month_end(year, month), 7), time(13, 1)
    elif rule == "currency":
        day, clock = _business_days_before(nth_weekday(year, month, 2, 3), 2), time(10, 16)
    elif rule == "volatility":
        # 30 days before the monthly expiration that follows.
        later = (year + 1, 1) if month == 12 else (year, month + 1)
        day, clock = nth_weekday(*later, 4, 3) - timedelta(days=30), time(9)
        day = day if is_trading_day(day) else previous_trading_day(day)
    else:
        day, clock = third_friday(year, month), time(16)

    return datetime.combine(day, clock, NEW_YORK)


def _business_days_before(day: date, count: int) -> date:
    for _ in range(count):
        day = previous_trading_day(day)

    return day


def _month_end(year: int, month: int) -> date:
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return previous_trading_day(following)
