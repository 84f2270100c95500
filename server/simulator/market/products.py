"""Defines futures products and the option products on them."""

from __future__ import annotations

__all__ = ["MONTHS", "OptionProduct", "Product", "Rule", "Weekday"]

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from server.simulator.market.instrument import TickSize

MONTHS = "FGHJKMNQUVXZ"
"""Month codes of January to December."""

Rule = Literal["index", "oil", "gold", "bond", "currency", "volatility", "small"]

Weekday = Literal[0, 1, 2, 3, 4]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionProduct:
    """Describes a family of options on a product's futures: `EW3` expires on third Fridays."""

    root: str
    schedule: Literal["quarterly", "monthly", "week", "month-end"]
    week: int = 0
    """Week of the month, 1 to 5, of a weekly."""

    weekday: Weekday = 4
    am_settled: bool = False
    clearing_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """Describes a family of futures; there is one object of each, compared by identity."""

    code: str
    description: str
    exchange: str
    """The broker's name: all of CME Group is `CME`."""

    streamer_exchange: str
    price: float
    """Price of the spot, unless it follows another listing."""

    leader: str = ""
    """Stock index under the future, whose path it follows."""

    volatility: float = 0.0
    carry: float = 0.0
    """Yearly rate by which later contracts cost more (an index future derives it from its
    index)."""

    tick: Decimal
    multiplier: Decimal
    """Dollars per point."""

    display_factor: Decimal
    months: str
    listed: int
    """Number of contracts listed at once."""

    rule: Rule
    sector: str
    option_ticks: tuple[tuple[str | None, str], ...] = ()
    """Tick table of its options: (threshold, value), as strings."""

    spread_tick: Decimal | None = None
    options: tuple[OptionProduct, ...] = ()
    strike_step: float = 0.0
    identifier: str = ""
    """The index under it."""

    etf: tuple[str, int] | None = None
    """Fund that tracks the same price, and its number of shares of equal value."""

    roll_days: int = 4
    cash_settled: bool = True
    small: bool = False
    main_fraction: Decimal = Decimal(0)
    volume: float = 0.0
    """Contracts per day of the active contract, in thousands."""

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
