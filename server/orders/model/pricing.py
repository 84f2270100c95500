"""The prices that an order could have now: pure arithmetic over the quotes of its legs.

Per unit: the quantities are divided by their greatest common divisor, so 100 shares cost one
share's price and a 2 by 4 spread is two units of 1 by 2. Signed: what a purchase pays is negative.
"""

from __future__ import annotations

__all__ = ["LegQuote", "PricedLeg", "Pricing", "flaw_of", "price", "units_of"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from server.orders.model.ticks import Grid

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegQuote:
    """What is known of the market of one leg."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    received_at: datetime
    age: timedelta
    """How old it was when the order was priced."""
    source: str
    """`stream`, or `rest` for the broker's snapshot."""
    stale: bool
    """Whether it may be out of date: the feed is down, went silent, or was not the source."""

    @property
    def mid(self) -> Decimal | None:
        """The middle of a two-sided market, not rounded."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLeg:
    """One leg, as pricing sees it."""

    buys: bool
    quantity: Decimal
    quote: LegQuote


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """The prices of an order at one moment, and the quotes behind them."""

    natural: Decimal
    """Buying at the offer and selling at the bid."""
    mid: Decimal
    passive: Decimal
    """Buying at the bid and selling at the offer."""
    tick: Decimal
    quotes: tuple[LegQuote, ...]


def units_of(quantities: Sequence[Decimal]) -> Decimal:
    """Returns the number of equal units in an order; of a fraction of a coin, the fraction."""
    if any(quantity != int(quantity) for quantity in quantities):
        return quantities[0] if len(quantities) == 1 else Decimal(1)

    return Decimal(math.gcd(*(int(quantity) for quantity in quantities)))


def flaw_of(quote: LegQuote) -> str | None:
    """Returns why a quote cannot price an order, with its numbers; None if it can."""
    age = f"{quote.age.total_seconds():.1f} s old"
    bid, ask = quote.bid, quote.ask
    if bid is None or bid <= 0:
        shown = f"ask {ask}, {age}" if ask is not None else "nothing is quoted"
        return f"{quote.symbol} has no bid ({shown})"

    if ask is None or ask <= 0:
        return f"{quote.symbol} has no offer (bid {bid}, {age})"

    shown = f"bid {bid}, ask {ask}, {age}"
    if bid > ask:
        return f"the market of {quote.symbol} is crossed ({shown})"

    return f"the quote of {quote.symbol} is stale ({shown})" if quote.stale else None


def price(legs: Sequence[PricedLeg], grid: Grid) -> Pricing | None:
    """Returns the prices; None unless every leg has a bid and an offer above zero.

    Rounded so that the natural price still reaches the market and the passive one still waits.
    """
    units = units_of([leg.quantity for leg in legs])
    natural = mid = passive = ZERO
    for leg in legs:
        bid, ask = leg.quote.bid, leg.quote.ask
        if bid is None or ask is None or bid <= 0 or ask <= 0:
            return None

        ratio = leg.quantity / units
        near, far = (ask, bid) if leg.buys else (bid, ask)
        sign = -1 if leg.buys else 1
        natural += sign * near * ratio
        mid += sign * (bid + ask) / 2 * ratio
        passive += sign * far * ratio

    found = grid.nearest(mid)
    return Pricing(
        natural=grid.below(natural),
        mid=found,
        passive=grid.above(passive),
        tick=grid.tick_at(found),
        quotes=tuple(leg.quote for leg in legs),
    )
