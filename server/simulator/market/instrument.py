"""Defines instruments as the broker lists them, and their quotes.

Prices are `Decimal` here and floats only on dxLink's wire: an order is checked against
`Instrument.tick_at`, and a float may lie off its tick.
"""

from __future__ import annotations

__all__ = ["Clock", "Instrument", "Quote", "TickSize"]

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol


class Clock(Protocol):
    """Tells the time to the market."""

    def now(self) -> datetime:
        """Returns the current instant, aware, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSize:
    """Holds one row of a tick table: `value` holds below `threshold`; the last row has none."""

    value: Decimal
    threshold: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Describes one instrument that can be quoted, in the broker's words."""

    symbol: str
    """As orders and positions name it: `SPY`, `SPY   261218P00685000`, `/ESZ6`, `BTC/USD`."""

    streamer_symbol: str
    """As dxLink names it: `SPY`, `.SPY261218P685`, `/ESZ26:XCME`, `BTC/USD:CXTALP`."""

    instrument_type: str
    """Equity, Equity Option, Future, Future Option, Cryptocurrency, Index or Warrant.

    An index is `Index` here; the broker's REST lists it among the equities with `is-index`.
    """

    description: str
    underlying_symbol: str
    """The equity, index or future under an option (`/ESZ6`); for everything else, its own
    symbol."""

    multiplier: Decimal
    """Value of one point of price for a quantity of one."""

    tick_sizes: tuple[TickSize, ...]
    """Tick table by ascending thresholds; for an option, the one of its underlying's options."""

    row: int
    """Number of its row in the market; it never changes while the market exists."""

    exchange: str = ""
    product_code: str = ""
    """`ES`, for a future and its options."""

    root_symbol: str = ""
    """`SPXW` or `EW4`, for an option."""

    expiration_date: date | None = None
    expires_at: datetime | None = None
    stops_trading_at: datetime | None = None
    strike_price: Decimal | None = None
    option_type: Literal["C", "P"] | None = None
    settlement: Literal["AM", "PM"] | None = None
    expiration_type: str = ""
    exercise_style: str = ""
    is_index: bool = False
    is_etf: bool = False
    is_tradeable: bool = True
    """False for an index, which has a price but cannot be traded."""

    is_closing_only: bool = False
    is_halted: bool = False
    is_fractional: bool = False
    """Fractions of a unit may be traded."""

    quantity_precision: int = 0
    """Decimals that a quantity may have."""

    lendability: str = ""

    @property
    def is_option(self) -> bool:
        return self.option_type is not None

    def tick_at(self, price: Decimal) -> Decimal:
        """Returns the tick at a price, whatever its sign."""
        size = abs(price)

        for row in self.tick_sizes:
            if row.threshold is not None and size < row.threshold:
                return row.value

        return self.tick_sizes[-1].value

    def is_on_tick(self, price: Decimal) -> bool:
        """Tells whether an order may have that price."""
        return price % self.tick_at(price) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Holds the market of one instrument at one instant; a missing side is `None`."""

    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal
    ask_size: Decimal
    last: Decimal | None
    time: datetime

    @property
    def mid(self) -> Decimal | None:
        if self.bid is None or self.ask is None:
            return None

        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """Price that positions are valued at: mid, else last price, else the one side there is."""
        for price in (self.mid, self.last, self.ask, self.bid):
            if price is not None:
                return price

        return None
