"""Lists when contracts expire: the listing cycles of stock, index and future options.

A contract is listed once it expires within a number of days, so it stays listed until it expires.
The day that counts is the chain's day: today, and from the close on already tomorrow.
"""

from __future__ import annotations

__all__ = ["Expiration", "list_future_option_expirations", "list_stock_option_expirations"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from server.simulator.market.calendar import (
    NEW_YORK,
    is_half_day,
    is_trading_day,
    nth_weekday,
    previous_trading_day,
    third_friday,
    trading_days,
)
from server.simulator.market.futures import FutureContract, list_contracts
from server.simulator.market.products import MONTHS, OptionProduct, Product
from server.simulator.market.stocks import STOCKS, Stock


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiration:
    """Describes all contracts of one root that expire together."""

    root: str
    """For example `SPXW`, `BRKB` or `EW3`."""

    day: date
    kind: str
    """Weekly, Regular, Quarterly or End-Of-Month."""

    settlement: str
    """AM or PM."""

    expires_at: datetime
    stops_trading_at: datetime
    underlying: FutureContract | None = None
    """The future under an option on a future; else None."""

    option_product: OptionProduct | None = None
    contract_code: str = ""
    """For example `EW3U6`; for an option on a future only."""


@lru_cache(maxsize=1024)
def list_stock_option_expirations(symbol: str, day: date) -> tuple[Expiration, ...]:
    """Returns the expirations of a stock, fund or index on a chain's day, by date, AM first."""
    stock = STOCKS[symbol]
    root = symbol.replace("/", "")
    found: dict[tuple[str, date], Expiration] = {}
    # The first rule that yields a date decides its kind: a third Friday is Regular, not Weekly.
    if stock.kind == "index":
        listed = _index_cycle(stock, day)
    elif stock.cycle == "none":
        return ()
    else:
        listed = ((root, expiry, kind, "PM") for expiry, kind in _stock_cycle(stock, day))

    for name, expiry, kind, settlement in listed:
        if expiry > day or (expiry == day and settlement == "PM"):
            found.setdefault((name, expiry), _make_expiration(name, expiry, kind, settlement))

    return tuple(sorted(found.values(), key=lambda item: (item.day, item.settlement, item.root)))


@lru_cache(maxsize=256)
def list_future_option_expirations(product: Product, day: date) -> tuple[Expiration, ...]:
    """Returns the expirations of a product's futures on a chain's day, by date."""
    found = [
        expiration
        for option in product.options
        for expiration in _future_cycle(product, option, day)
        if expiration.day >= day
    ]
    return tuple(sorted(found, key=lambda item: (item.day, item.root)))


def _stock_cycle(stock: Stock, day: date) -> Iterator[tuple[date, str]]:
    yield from ((expiry, "Regular") for expiry in _monthlies(day, 190))
    leaps = (1, 6, 12) if stock.cycle == "weekly" else (1, 3, 6, 9, 12)
    yield from ((expiry, "Regular") for expiry in _monthlies(day, 800, leaps))
    if stock.cycle == "monthly":
        return

    if stock.cycle == "daily":
        yield from ((expiry, "Quarterly") for expiry in _month_ends(day, 365, (3, 6, 9, 12)))

    yield from ((expiry, "Weekly") for expiry in _fridays(day, 45))
    if stock.cycle == "daily":
        yield from ((expiry, "Weekly") for expiry in trading_days(day, day + _days(14)))

    if stock.cycle == "thrice":
        days = trading_days(day, day + _days(14))
        yield from ((expiry, "Weekly") for expiry in days if expiry.weekday() in {0, 2})


def _index_cycle(stock: Stock, day: date) -> Iterator[tuple[str, date, str, str]]:
    if stock.symbol == "VIX":
        yield from (("VIX", expiry, "Regular", "AM") for expiry in _vix_days(day, 200))
        for expiry in trading_days(day, day + _days(35)):
            if expiry.weekday() == 2 and expiry not in set(_vix_days(day, 200)):
                yield "VIXW", expiry, "Weekly", "AM"

        return

    weekly = {"SPX": "SPXW", "NDX": "NDXP", "RUT": "RUTW"}[stock.symbol]
    long = stock.symbol == "SPX"
    yield from ((stock.symbol, expiry, "Regular", "AM") for expiry in _monthlies(day, 190))
    for expiry in _monthlies(day, 1500 if long else 800, (6, 12)):
        yield stock.symbol, expiry, "Regular", "AM"

    for expiry in _month_ends(day, 190 if long else 100):
        kind = "Quarterly" if expiry.month in {3, 6, 9, 12} else "End-Of-Month"
        yield weekly, expiry, kind, "PM"

    yield from ((weekly, expiry, "Weekly", "PM") for expiry in _fridays(day, 63 if long else 45))
    for expiry in trading_days(day, day + _days(24 if long else 10)):
        yield weekly, expiry, "Weekly", "PM"


def _future_cycle(product: Product, option: OptionProduct, day: date) -> Iterator[Expiration]:
    if option.schedule == "quarterly":
        for contract in list_contracts(product, day)[:5]:
            yield _on_future(contract, option, contract.expires_at, "Regular", contract.month)

    elif option.schedule == "month-end":
        for expiry in _month_ends(day, 100):
            yield from _on_first_future(product, option, expiry, "End-Of-Month")

    elif option.schedule == "monthly":
        for year, month in _months(day, 190):
            expiry = _monthly_of(product, year, month)
            yield from _on_first_future(product, option, expiry, "Regular", month=(year, month))

    else:
        ahead = 35 if option.weekday == 4 else 14
        for year, month in _months(day, ahead):
            expiry = nth_weekday(year, month, option.weekday, option.week)
            if expiry.month != month or expiry > day + _days(ahead):
                continue

            if is_trading_day(expiry):
                yield from _on_first_future(product, option, expiry, "Weekly")


def _on_first_future(
    product: Product,
    option: OptionProduct,
    day: date,
    kind: str,
    *,
    month: tuple[int, int] | None = None,
) -> Iterator[Expiration]:
    """Yields the expiration on the first future that outlives it (in its month, if given)."""
    at = datetime.combine(day, time(13, 30) if product.rule == "gold" else time(16), NEW_YORK)
    if product.rule == "oil":
        at = at.replace(hour=14, minute=30)

    for contract in list_contracts(product, day):
        if contract.expires_at > at and (not month or (contract.year, contract.month) >= month):
            letter = day.month if month is None else month[1]
            yield _on_future(contract, option, at, kind, letter)
            return


def _on_future(
    contract: FutureContract, option: OptionProduct, at: datetime, kind: str, month: int
) -> Expiration:
    day = at.astimezone(NEW_YORK).date()
    # A monthly option for January that expires in December has January's year.
    year = day.year + (1 if month < day.month else 0)
    return Expiration(
        root=option.root,
        day=day,
        kind=kind,
        settlement="AM" if option.am_settled else "PM",
        expires_at=at,
        stops_trading_at=at,
        underlying=contract,
        option_product=option,
        contract_code=f"{option.root}{MONTHS[month - 1]}{year % 10}",
    )


def _make_expiration(root: str, day: date, kind: str, settlement: str) -> Expiration:
    closes = time(13) if is_half_day(day) else time(16)
    at = datetime.combine(day, closes if settlement == "PM" else time(9, 30), NEW_YORK)
    stops = at
    if settlement == "AM":
        before = previous_trading_day(day)
        last = time(13) if is_half_day(before) else time(16)
        stops = datetime.combine(before, last, NEW_YORK)

    return Expiration(
        root=root,
        day=day,
        kind=kind,
        settlement=settlement,
        expires_at=at,
        stops_trading_at=stops,
    )


def _monthly_of(product: Product, year: int, month: int) -> date:
    """Returns the day on which the options named after a delivery month expire."""
    before = date(year, month, 1) - timedelta(days=1)
    if product.rule == "oil":
        anchor = before.replace(day=25)
        anchor = anchor if is_trading_day(anchor) else previous_trading_day(anchor)
        return _step_back(anchor, 6)

    last = before if is_trading_day(before) else previous_trading_day(before)
    if product.rule == "gold":
        return _step_back(last, 3)

    # For bonds, the last Friday at least two business days before the month's last business day.
    day = _step_back(last, 2)
    while day.weekday() != 4:
        day -= timedelta(days=1)

    return day if is_trading_day(day) else previous_trading_day(day)


def _months(day: date, ahead: int) -> Iterator[tuple[int, int]]:
    # Two months beyond the window: an option expires in the month before the one in its name.
    end = day + _days(ahead + 62)
    year, month = day.year, day.month
    while (year, month) <= (end.year, end.month):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _monthlies(day: date, ahead: int, months: tuple[int, ...] = tuple(range(1, 13))) -> list[date]:
    days = [third_friday(year, month) for year, month in _months(day, ahead) if month in months]
    return [expiry for expiry in days if day <= expiry <= day + _days(ahead)]


def _month_ends(day: date, ahead: int, months: tuple[int, ...] = tuple(range(1, 13))) -> list[date]:
    ends = []
    for year, month in _months(day, ahead):
        following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
        end = previous_trading_day(following)
        if month in months and day <= end <= day + _days(ahead):
            ends.append(end)

    return ends


def _fridays(day: date, ahead: int) -> list[date]:
    friday = day + _days((4 - day.weekday()) % 7)
    days = (friday + _days(7 * week) for week in range(ahead // 7 + 1))
    days_kept = (end if is_trading_day(end) else previous_trading_day(end) for end in days)
    return [end for end in days_kept if day <= end <= day + _days(ahead)]


def _vix_days(day: date, ahead: int) -> list[date]:
    days = []
    for year, month in _months(day, ahead):
        later = (year + 1, 1) if month == 12 else (year, month + 1)
        expiry = nth_weekday(*later, 4, 3) - _days(30)
        expiry = expiry if is_trading_day(expiry) else previous_trading_day(expiry)
        if day <= expiry <= day + _days(ahead):
            days.append(expiry)

    return days


def _step_back(day: date, count: int) -> date:
    for _ in range(count):
        day = previous_trading_day(day)

    return day


def _days(count: int) -> timedelta:
    return timedelta(days=count)
