"""Defines what the exchange needs to know about instruments and their market.

The exchange does not import the market: `Venue` is its interface and `market_venue.py` the adapter.
Prices of a `TopOfBook` are None where there is none (no bid, an index without quotes), never zero
or NaN.
"""

from __future__ import annotations

__all__ = ["Contract", "Publisher", "TickRule", "TopOfBook", "Venue"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from server.simulator.exchange.vocabulary import InstrumentType

TickRule = tuple[tuple[Decimal | None, Decimal], ...]
"""(below, tick) pairs in ascending order; the last has no threshold and holds for all higher
prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Describes one tradeable instrument."""

    symbol: str
    instrument_type: InstrumentType
    underlying: str
    """The stock, index or future of an option; for everything else, its own symbol."""

    underlying_instrument_type: InstrumentType
    """`Index` for an equity option on an index, which settles in cash and has an index fee."""

    multiplier: Decimal
    """Dollars per point of price and unit of quantity."""

    ticks: TickRule
    streamer_symbol: str | None = None
    call: bool | None = None
    strike: Decimal | None = None
    expires_at: datetime | None = None
    product: str = ""
    """Product code of a future (`ES`), or of the future under a future option."""

    closing_only: bool = False

    @property
    def pays_variation(self) -> bool:
        """Whether gains are paid daily as variation, instead of a price paid up front."""
        return self.instrument_type is InstrumentType.FUTURE

    @property
    def reported_underlying_type(self) -> InstrumentType:
        """Instrument type of the underlying in the broker's orders: an index is an equity there."""
        return (
            InstrumentType.EQUITY
            if self.underlying_instrument_type is InstrumentType.INDEX
            else self.underlying_instrument_type
        )

    @property
    def is_put(self) -> bool:
        return self.call is False

    def tick_at(self, price: Decimal) -> Decimal:
        """Returns the tick at a price: the tick of a threshold holds below it."""
        for below, tick in self.ticks:
            if below is None or abs(price) < below:
                return tick

        return self.ticks[-1][1]

    def is_on_tick(self, price: Decimal) -> bool:
        return price % self.tick_at(price) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopOfBook:
    """Holds the best bid and ask and the last price of one contract."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None = None
    bid_size: Decimal | None = None
    """Units at the bid; None where the market publishes no size."""

    ask_size: Decimal | None = None

    @property
    def mid(self) -> Decimal | None:
        """Middle of a two-sided market, not rounded."""
        if self.bid is None or self.ask is None:
            return None

        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """Best estimate of the value: the middle, else the last trade, else one side.

        A contract with an ask but no bid is worth half the ask, the middle of zero and the ask.
        """
        if self.mid is not None:
            return self.mid

        if self.last is not None:
            return self.last

        if self.ask is not None:
            return self.ask / 2

        return self.bid


class Venue(Protocol):
    """Provides the market to the exchange."""

    def find(self, symbol: str) -> Contract | None:
        """Returns the contract of a symbol, including expired contracts, or None."""

    def tops(self, contracts: Sequence[Contract]) -> Sequence[TopOfBook]:
        """Returns the current top of the book of each contract, all as of one instant."""

    def closes(self, contracts: Sequence[Contract]) -> Sequence[Decimal | None]:
        """Returns the last close before today of each contract; None where there is none."""

    def is_open(self, contract: Contract) -> bool:
        """Tells whether the contract trades now (hours, halts)."""

    def session_end(self, moment: datetime) -> datetime:
        """Returns the end of the session that `moment` belongs to, or of the next one."""

    def is_trading_day(self, day: date) -> bool:
        """Tells whether the stock exchange opens on a day."""

    def nearest_option(
        self, underlying: str, day: date, strike: Decimal, *, call: bool
    ) -> Contract | None:
        """Returns the listed option nearest to an expiration and a strike."""


class Publisher(Protocol):
    """Publishes changes to account streamers."""

    def publish(self, account_number: str, kind: str, data: dict[str, Any]) -> None:
        """Sends one whole object to the subscribers of an account; never blocks."""
