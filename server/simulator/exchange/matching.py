"""Decides whether an order is executed against a market, at which prices and how much of it.

Pure functions of an order and the tops of the book of its legs. The price of an order is per unit
and signed. Its *natural* price is what the opposite sides ask for, its *middle* the net of the
mids. An order at its natural price or better fills at once, at the market's prices; one at the
middle or better fills at its own price after it has waited; a worse one waits.
"""

from __future__ import annotations

__all__ = ["Execution", "is_triggered", "match_order"]

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from server.simulator.exchange.contracts import TopOfBook
from server.simulator.exchange.money import ZERO, round_cents
from server.simulator.exchange.orders import Order
from server.simulator.exchange.vocabulary import InstrumentType, OrderType

_SHARE_STEP = Decimal("0.00001")
_COIN_STEP = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Holds some units of an order and the price of each of its legs."""

    units: Decimal
    prices: tuple[Decimal, ...]


def is_triggered(order: Order, tops: Sequence[TopOfBook]) -> bool:
    """Tells whether the market has reached the trigger of a stop.

    A purchase is triggered when the market rises to the trigger, a sale when it falls to it. The
    price that counts is the last trade of a single leg, or the net middle of a spread.
    """
    trigger = order.ticket.stop_trigger
    if trigger is None:
        return False

    if len(order.legs) == 1:
        price = tops[0].last if tops[0].last is not None else tops[0].mark
        buys = order.legs[0].action.side > 0
    else:
        middle = _net_price(order, [top.mid for top in tops])
        price = None if middle is None else abs(middle)
        buys = (order.ticket.price or ZERO) < 0

    if price is None:
        return False

    return price >= trigger if buys else price <= trigger


def match_order(
    order: Order, tops: Sequence[TopOfBook], *, patient: bool, depth: Decimal = Decimal(1)
) -> Execution | None:
    """Returns what the market would execute of an order now, or None.

    `patient` says that the order has waited long enough to be filled at the middle, `depth` how
    many times the displayed size is available.
    """
    sides = [
        (top.ask if leg.action.side > 0 else top.bid)
        for leg, top in zip(order.legs, tops, strict=True)
    ]
    natural = _net_price(order, sides)
    if order.type is OrderType.NOTIONAL_MARKET:
        return _match_notional(order, sides[0])

    limit = order.ticket.price
    if natural is not None and (not _has_limit(order) or limit is None or natural >= limit):
        prices = tuple(side for side in sides if side is not None)
        return Execution(units=_available_units(order, tops, depth), prices=prices)

    middles = [top.mid for top in tops]
    middle = _net_price(order, middles)
    if limit is None or middle is None or not patient or middle < limit:
        return None

    met = _distribute_limit(order, limit, [mid for mid in middles if mid is not None])
    return (
        None if met is None else Execution(units=_available_units(order, tops, depth), prices=met)
    )


def _has_limit(order: Order) -> bool:
    return order.type.has_price


def _net_price(order: Order, prices: Sequence[Decimal | None]) -> Decimal | None:
    # Signed per unit, as order prices are: the proceeds of a sale are positive.
    total = ZERO
    for leg, price in zip(order.legs, prices, strict=True):
        if price is None:
            return None

        total -= leg.action.side * price * order.ratio(leg)

    return total


def _available_units(order: Order, tops: Sequence[TopOfBook], depth: Decimal) -> Decimal:
    """Returns the units that the displayed sizes allow: at least one, all if no size is shown."""
    units = order.open_units
    for leg, top in zip(order.legs, tops, strict=True):
        shown = top.ask_size if leg.action.side > 0 else top.bid_size
        if shown is not None and shown > 0:
            units = min(units, max(shown * depth // order.ratio(leg), Decimal(1)))

    return min(units, order.open_units)


def _match_notional(order: Order, price: Decimal | None) -> Execution | None:
    if not price:
        return None

    leg = order.legs[0]
    step = (
        _COIN_STEP if leg.contract.instrument_type is InstrumentType.CRYPTOCURRENCY else _SHARE_STEP
    )
    quantity = (abs(order.ticket.value or ZERO) / price).quantize(step, ROUND_DOWN)
    return Execution(units=quantity, prices=(price,)) if quantity else None


def _distribute_limit(
    order: Order, limit: Decimal, middles: Sequence[Decimal]
) -> tuple[Decimal, ...] | None:
    # Every leg is priced at its own middle in cents, and the leg with the smallest ratio takes the
    # rest, so that the legs add up to the limit exactly.
    prices = [middle.quantize(Decimal("0.01"), ROUND_HALF_EVEN) for middle in middles]
    if any(not leg.contract.instrument_type.is_option for leg in order.legs):
        prices = list(middles)

    lightest = min(range(len(order.legs)), key=lambda one: order.ratio(order.legs[one]))
    leg = order.legs[lightest]
    others = sum(
        (
            -other.action.side * price * order.ratio(other)
            for position, (other, price) in enumerate(zip(order.legs, prices, strict=True))
            if position != lightest
        ),
        ZERO,
    )
    prices[lightest] = -leg.action.side * (limit - others) / order.ratio(leg)
    if prices[lightest] <= 0 or prices[lightest] != round_cents(prices[lightest]):
        # A leg's price must be positive and in whole cents, unless it is the only leg.
        return (abs(limit),) if len(prices) == 1 else None

    return tuple(prices)
