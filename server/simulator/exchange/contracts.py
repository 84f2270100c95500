"""What the exchange has to know of an instrument and of its market, whoever makes them.

`Venue` is the seam: the exchange never sees the market package, `venue.py` adapts it. Prices of a
`Top` are None where there is none (no bid, no quote of an index), never zero and never NaN.
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
"""(below, tick) pairs in rising order; the last has no threshold and holds from there on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One tradeable instrument."""

    symbol: str
    instrument_type: InstrumentType
    underlying: str
    """What an option is on: a stock, an index, a future; of everything else, its own symbol."""

    underlying_instrument_type: InstrumentType
    """An equity option on an index says `Index` here: it settles in cash and pays an index fee."""

    multiplier: Decimal
    """Money for one point of price and one unit of quantity."""

    ticks: TickRule
    streamer_symbol: str | None = None
    call: bool | None = None
    strike: Decimal | None = None
    expires_at: datetime | None = None
    product: str = ""
    """Product code of a future (`ES`) or of a future option's future."""

    closing_only: bool = False

    @property
    def pays_variation(self) -> bool:
        """Whether gains are paid in variation instead of a price paid up front."""
        return self.instrument_type is InstrumentType.FUTURE

    @property
    def reported_underlying_type(self) -> InstrumentType:
        """What the broker's orders call the underlying: an index is listed among the equities."""
        return (
            InstrumentType.EQUITY
            if self.underlying_instrument_type is InstrumentType.INDEX
            else self.underlying_instrument_type
        )

    @property
    def is_put(self) -> bool:
        return self.call is False

    def tick_at(self, price: Decimal) -> Decimal:
        """Returns the smallest price step at a price: a threshold's tick holds below it."""
        for below, tick in self.ticks:
            if below is None or abs(price) < below:
                return tick

        return self.ticks[-1][1]

    def is_on_tick(self, price: Decimal) -> bool:
        return price % self.tick_at(price) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopOfBook:
    """The top of the book of one contract."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None = None
    bid_size: Decimal | None = None
    """Units at the bid; None where the market publishes no size."""

    ask_size: Decimal | None = None

    @property
    def mid(self) -> Decimal | None:
        """The middle of a two-sided market, not rounded."""
        if self.bid is None or self.ask is None:
            return None

        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal | None:
        """The best single estimate of a value: the middle, else the last trade, else one side.

        A contract with an ask but no bid is worth half the ask: that is the middle of zero and it.
        """
        if self.mid is not None:
            return self.mid

        if self.last is not None:
            return self.last

        if self.ask is not None:
            return self.ask / 2

        return self.bid


class Venue(Protocol):
    """The market as the exchange needs it."""

    def find(self, symbol: str) -> Contract | None:
        """Returns the contract of a symbol, also of one that has expired, or None."""

    def tops(self, contracts: Sequence[Contract]) -> Sequence[TopOfBook]:
        """Returns the present tops of the books of some contracts, all of one instant."""

    def closes(self, contracts: Sequence[Contract]) -> Sequence[Decimal | None]:
        """Returns the last closes before today; None where there was none."""

    def is_open(self, contract: Contract) -> bool:
        """Tells whether the contract trades now (hours, halts)."""

    def session_end(self, moment: datetime) -> datetime:
        """Returns when the session that `moment` belongs to (or the next one) ends."""

    def is_trading_day(self, day: date) -> bool:
        """Tells whether the stock exchange opens on a day at all."""

    def nearest_option(
        self, underlying: str, day: date, strike: Decimal, *, call: bool
    ) -> Contract | None:
        """Returns the listed option that expires and is struck nearest to what is asked for."""


class Publisher(Protocol):
    """Where changes go: the account streamer."""

    def publish(self, account_number: str, kind: str, data: dict[str, Any]) -> None:
        """Sends one full object to whoever follows the account; never blocks."""
