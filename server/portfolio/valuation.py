"""Values a position at a price: profit and loss, market value, signed greeks.

The greeks of a contract are as quoted, the same for its buyer and its seller; those of a position
(`position_...`) are negated for a short one and count every unit.
"""

from __future__ import annotations

__all__ = ["NO_GREEKS", "GreekValues", "Price", "ValuedPosition", "value"]

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.positions import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Holds the price of one unit, and its source."""

    value: Decimal
    source: str
    """`quote` (the mid), `trade`, `mark` (the broker's) or `close` (of the previous session)."""
    time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GreekValues:
    """Holds the greeks of one contract; None while they are not known."""

    delta: Decimal | None = None
    gamma: Decimal | None = None
    theta: Decimal | None = None
    vega: Decimal | None = None


NO_GREEKS = GreekValues()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuedPosition:
    """Holds a position with its price, profit and greeks at one moment."""

    position: Position
    price: Price | None
    unrealized_pnl: Decimal | None
    greeks: GreekValues
    position_greeks: GreekValues

    @property
    def market_value(self) -> Decimal | None:
        """What the whole position is worth, negative for a short one."""
        return None if self.price is None else self.price.value * self.position.units


def value(
    position: Position, live: Price | None = None, greeks: GreekValues = NO_GREEKS
) -> ValuedPosition:
    """Returns the position at the live price, else at the broker's own mark or last close."""
    price = live or _own_price(position)
    profit = None
    if price is not None and position.average_open_price is not None:
        profit = (price.value - position.average_open_price) * position.units

    return ValuedPosition(
        position=position,
        price=price,
        unrealized_pnl=profit,
        greeks=greeks,
        position_greeks=_times(greeks, position.units)
        if position.is_option
        else GreekValues(delta=position.units),
    )


def _own_price(position: Position) -> Price | None:
    if position.mark_price is not None:
        return Price(value=position.mark_price, source="mark", time=position.updated_at)

    if position.close_price is not None:
        return Price(value=position.close_price, source="close")

    return None


def _times(greeks: GreekValues, units: Decimal) -> GreekValues:
    return GreekValues(
        delta=None if greeks.delta is None else greeks.delta * units,
        gamma=None if greeks.gamma is None else greeks.gamma * units,
        theta=None if greeks.theta is None else greeks.theta * units,
        vega=None if greeks.vega is None else greeks.vega * units,
    )
