"""Futures products, the contracts listed on a day, and the option products on them.

A contract has three names: `/ESZ6` in orders (one digit of the year), `/ESZ26:XCME` on DXLink
(two), `ESZ6` at the exchange. Which contract is active rolls some days before the front one ends.
"""

from __future__ import annotations

__all__ = [
    "MONTHS",
    "OPTION_PRODUCTS",
    "PRODUCTS",
    "Contract",
    "OptionProduct",
    "Product",
    "contracts",
    "parse_contract",
]

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from server.simulator.market.calendar import (
    NEW_YORK,
    is_trading_day,
    nth_weekday,
    previous_trading_day,
    third_friday,
)
from server.simulator.market.instrument import TickSize

MONTHS = "FGHJKMNQUVXZ"
"""The letters of January to December."""

Rule = Literal["index", "oil", "gold", "bond", "currency", "volatility", "small"]

Weekday = Literal[0, 1, 2, 3, 4]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionProduct:
    """One family of options on a product's futures: `EW3`, the third Friday's weekly of /ES."""

    root: str
    schedule: Literal["quarterly", "monthly", "week", "month-end"]
    week: int = 0
    """Which week of the month, 1 to 5, of a weekly."""

    weekday: Weekday = 4
    am_settled: bool = False
    clearing_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """A family of futures; there is one object of each, compared by identity."""

    code: str
    description: str
    exchange: str
    """The broker's word: all of CME Group is `CME`."""

    streamer_exchange: str
    price: float
    """Of the spot, where it follows no other listing."""

    leader: str = ""
    """The stock index that it is a future on; its path is that index's."""

    volatility: float = 0.0
    carry: float = 0.0
    """Yearly rate at which later contracts cost more (an index future's comes from its index)."""

    tick: Decimal
    multiplier: Decimal
    """Dollars a point."""

    display_factor: Decimal
    months: str
    listed: int
    """How many contracts are listed at once."""

    rule: Rule
    sector: str
    option_ticks: tuple[tuple[str | None, str], ...] = ()
    """(threshold, value), as strings."""

    spread_tick: Decimal | None = None
    options: tuple[OptionProduct, ...] = ()
    strike_step: float = 0.0
    identifier: str = ""
    """The index that it is written on."""

    etf: tuple[str, int] | None = None
    """The fund that moves alike, and the shares that weigh as much."""

    roll_days: int = 4
    cash_settled: bool = True
    small: bool = False
    main_fraction: Decimal = Decimal(0)
    volume: float = 0.0
    """Contracts a day of the active contract, in thousands."""

    @property
    def root(self) -> str:
        return f"/{self.code}"

    @property
    def tick_sizes(self) -> tuple[TickSize, ...]:
        return (TickSize(value=self.tick),)

    @property
    def option_tick_sizes(self) -> tuple[TickSize, ...]:
        return tuple(
            TickSize(value=Decimal(value), threshold=None if below is None else Decimal(below))
            for below, value in self.option_ticks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One future: a product in a delivery month."""

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
        """The day from which the next contract is the active one."""
        return _business_days_before(self.expiration, self.product.roll_days)


@lru_cache(maxsize=256)
def contracts(product: Product, today: date) -> tuple[Contract, ...]:
    """Returns the contracts of a product that have not expired before `today`, by expiration."""
    found: list[Contract] = []
    year, month = today.year, today.month
    while len(found) < product.listed:
        if MONTHS[month - 1] in product.months:
            contract = _contract(product, year, month)
            if contract.expiration >= today:
                found.append(contract)

        year, month = (year + 1, 1) if month == 12 else (year, month + 1)

    return tuple(found)


def parse_contract(symbol: str, today: date) -> Contract | None:
    """Returns the contract named `/ESZ6` or `/ESZ26:XCME`, if it is listed or lately expired."""
    match = re.fullmatch(r"/([A-Z0-9]+?)([FGHJKMNQUVXZ])(\d{1,2})(?::([A-Z]+))?", symbol)
    product = PRODUCTS.get(match[1]) if match else None
    if match is None or product is None or match[2] not in product.months:
        return None

    month = MONTHS.index(match[2]) + 1
    if match[4] is not None and (len(match[3]) != 2 or match[4] != product.streamer_exchange):
        return None

    if match[4] is None and len(match[3]) != 1:
        return None

    # One digit names ten years: the one that is meant ended at most a year ago.
    base = today.year - 1
    span = 100 if match[4] else 10
    year = base + (int(match[3]) - base) % span
    contract = _contract(product, year, month)
    listed = contracts(product, today)
    return contract if contract.expiration <= listed[-1].expiration else None


@lru_cache(maxsize=1024)
def _contract(product: Product, year: int, month: int) -> Contract:
    return Contract(
        product=product, year=year, month=month, expires_at=_expiry(product.rule, year, month)
    )


def _expiry(rule: Rule, year: int, month: int) -> datetime:
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


_WEEKDAYS: tuple[Weekday, ...] = (0, 1, 2, 3)


def _es_options() -> tuple[OptionProduct, ...]:
    fridays = (
        OptionProduct(root=f"EW{week}", schedule="week", week=week, clearing_code=f"W{week}")
        for week in (1, 2, 3, 4)
    )
    others = (
        OptionProduct(
            root=f"E{week}{'ABCD'[weekday]}",
            schedule="week",
            week=week,
            weekday=weekday,
            clearing_code=f"{'ABCD'[weekday]}{week}",
        )
        for week in (1, 2, 3, 4, 5)
        for weekday in _WEEKDAYS
    )
    return (
        OptionProduct(root="ES", schedule="quarterly", am_settled=True, clearing_code="ES"),
        OptionProduct(root="EW", schedule="month-end", clearing_code="EW"),
        *fridays,
        *others,
    )


def _weeklies(prefix: str, weeks: int = 4) -> tuple[OptionProduct, ...]:
    return tuple(
        OptionProduct(
            root=f"{prefix}{week}", schedule="week", week=week, clearing_code=f"{prefix[0]}{week}"
        )
        for week in range(1, weeks + 1)
    )


_INDEX_TICKS: tuple[tuple[str | None, str], ...] = (
    ("5.0", "0.05"),
    ("20.0", "0.1"),
    ("100.0", "0.25"),
    (None, "0.5"),
)
_EVEN, _QUARTERS, _ALL = "GJMQVZ", "HMUZ", MONTHS
_CENT = Decimal("0.01")
_POINT_32 = Decimal("0.03125")


def _index(
    code: str,
    description: str,
    leader: str,
    multiplier: str,
    volume: float,
    *,
    tick: str = "0.25",
    options: tuple[OptionProduct, ...] = (),
    step: float = 0.0,
    etf: tuple[str, int] | None = None,
    price: float = 0.0,
    volatility: float = 0.0,
    exchange: str = "XCME",
    small: bool = False,
    identifier: str = "",
) -> Product:
    return Product(
        code=code,
        description=description,
        exchange="CME",
        streamer_exchange=exchange,
        price=price,
        leader=leader,
        volatility=volatility,
        tick=Decimal(tick),
        multiplier=Decimal(multiplier),
        display_factor=_CENT,
        months=_QUARTERS,
        listed=8,
        rule="index",
        sector="Equity Index",
        option_ticks=_INDEX_TICKS,
        spread_tick=Decimal("0.05"),
        options=options,
        strike_step=step,
        identifier=identifier or leader,
        etf=etf,
        small=small,
        volume=volume,
    )


PRODUCTS: dict[str, Product] = {
    product.code: product
    for product in (
        _index(
            "ES", "E Mini S&P", "SPX", "50", 1400, options=_es_options(), step=10, etf=("SPY", 500)
        ),
        _index(
            "NQ",
            "E Mini Nasdaq 100",
            "NDX",
            "20",
            600,
            options=(
                OptionProduct(root="NQ", schedule="quarterly", am_settled=True, clearing_code="NQ"),
                OptionProduct(root="QNE", schedule="month-end", clearing_code="QN"),
                *_weeklies("QN"),
            ),
            step=50,
            etf=("QQQ", 800),
        ),
        _index("MES", "Micro E Mini S&P", "SPX", "5", 1100, small=True, etf=("SPY", 50)),
        _index("MNQ", "Micro E Mini Nasdaq 100", "NDX", "2", 1500, small=True, etf=("QQQ", 80)),
        _index("RTY", "E Mini Russell 2000", "RUT", "50", 180, tick="0.1", etf=("IWM", 500)),
        _index(
            "YM",
            "E Mini Dow ($5)",
            "SPX",
            "5",
            110,
            tick="1",
            price=47_000,
            exchange="XCBT",
            etf=("DIA", 500),
            identifier="DJX",
        ),
        Product(
            code="CL",
            description="Crude Oil",
            exchange="CME",
            streamer_exchange="XNYM",
            price=62,
            volatility=0.34,
            carry=-0.015,
            tick=_CENT,
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_ALL,
            listed=18,
            rule="oil",
            sector="Energy",
            option_ticks=((None, "0.01"),),
            spread_tick=_CENT,
            options=(
                OptionProduct(root="LO", schedule="monthly", clearing_code="LO"),
                *_weeklies("LO", 5),
            ),
            strike_step=0.5,
            etf=("USO", 900),
            roll_days=2,
            cash_settled=False,
            volume=350,
        ),
        Product(
            code="GC",
            description="Gold",
            exchange="CME",
            streamer_exchange="XCEC",
            price=4100,
            volatility=0.18,
            carry=0.04,
            tick=Decimal("0.1"),
            multiplier=Decimal(100),
            display_factor=Decimal("0.1"),
            months=_EVEN,
            listed=9,
            rule="gold",
            sector="Metals",
            option_ticks=((None, "0.1"),),
            spread_tick=Decimal("0.1"),
            options=(
                OptionProduct(root="OG", schedule="monthly", clearing_code="OG"),
                *_weeklies("OG", 5),
            ),
            strike_step=10,
            etf=("GLD", 1080),
            roll_days=20,
            cash_settled=False,
            volume=200,
        ),
        Product(
            code="ZB",
            description="US 30 Year Treasury Bond",
            exchange="CME",
            streamer_exchange="XCBT",
            price=117,
            volatility=0.11,
            tick=_POINT_32,
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_QUARTERS,
            listed=3,
            rule="bond",
            sector="Interest Rates",
            option_ticks=((None, "0.015625"),),
            spread_tick=_POINT_32,
            options=(
                OptionProduct(root="OZB", schedule="monthly", clearing_code="17"),
                *_weeklies("ZB", 5),
            ),
            strike_step=0.5,
            etf=("TLT", 1300),
            roll_days=17,
            cash_settled=False,
            main_fraction=_POINT_32,
            volume=320,
        ),
        Product(
            code="6E",
            description="Euro FX",
            exchange="CME",
            streamer_exchange="XCME",
            price=1.155,
            volatility=0.075,
            carry=0.018,
            tick=Decimal("0.00005"),
            multiplier=Decimal(125_000),
            display_factor=Decimal("0.0001"),
            months=_QUARTERS,
            listed=4,
            rule="currency",
            sector="FX",
            roll_days=2,
            cash_settled=False,
            volume=190,
        ),
        Product(
            code="VX",
            description="CBOE Volatility Index Futures",
            exchange="CFE",
            streamer_exchange="XCBF",
            price=17,
            leader="VIX",
            tick=Decimal("0.05"),
            multiplier=Decimal(1000),
            display_factor=_CENT,
            months=_ALL,
            listed=8,
            rule="volatility",
            sector="Volatility",
            spread_tick=_CENT,
            identifier="VIX",
            roll_days=2,
            volume=120,
        ),
        Product(
            code="S5C",
            description="Smalls Liquidity Allocation",
            exchange="SMALLS",
            streamer_exchange="SMFE",
            price=42,
            leader="SPX",
            tick=_CENT,
            multiplier=Decimal(100),
            display_factor=Decimal(1),
            months=_ALL,
            listed=2,
            rule="small",
            sector="Equity Index",
            roll_days=2,
            small=True,
            volume=1,
        ),
    )
}

OPTION_PRODUCTS: dict[str, tuple[Product, OptionProduct]] = {
    option.root: (product, option) for product in PRODUCTS.values() for option in product.options
}
