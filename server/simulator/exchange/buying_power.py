"""Calculates what an order would do to an account's buying power.

The order is applied to a copy of the positions; the effect is the difference of the buying power
before and after. A profit that only the order's own price promises is not counted: an offer to sell
an option for a million adds nothing.
"""

from __future__ import annotations

__all__ = ["BuyingPowerEffect", "calculate_buying_power_effect", "calculate_order_fees"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from server.simulator.exchange.account import Account
from server.simulator.exchange.balances import (
    calculate_balances,
    collect_exposures,
    select_margin_rates,
)
from server.simulator.exchange.fees import Fees, calculate_fees
from server.simulator.exchange.margin import calculate_requirement
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, effect_of, format_decimal, with_effect
from server.simulator.exchange.orders import Leg, Order
from server.simulator.exchange.positions import Position, apply_trade, make_flat_position
from server.simulator.exchange.vocabulary import CLOSING, InstrumentType, OrderType

PLACES = 6
"""The broker shows fees, and so effects, in millionths of a dollar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyingPowerEffect:
    """Holds the effect of an order on the buying power; a debit is negative."""

    margin_change: Decimal
    """Change of the margin requirement; an increase is positive."""

    change: Decimal
    current: Decimal
    isolated: Decimal
    is_spread: bool
    positions: Mapping[str, Position]
    """Positions after the order."""

    cash: Decimal
    """Cash after the order."""

    @property
    def new(self) -> Decimal:
        return self.current + self.change

    @property
    def refused(self) -> bool:
        """Whether the account cannot afford the order; an order that frees buying power passes."""
        return self.change < 0 and self.new < 0

    def body(self) -> dict[str, Any]:
        """Returns the broker's `buying-power-effect`."""
        return {
            **with_effect("change-in-margin-requirement", -self.margin_change),
            **with_effect("change-in-buying-power", self.change),
            **with_effect("current-buying-power", self.current),
            **with_effect("new-buying-power", self.new),
            **with_effect("isolated-order-margin-requirement", -self.isolated),
            "is-spread": self.is_spread,
            "impact": format_decimal(abs(self.change)),
            "effect": effect_of(self.change).value,
        }


def calculate_buying_power_effect(
    account: Account,
    order: Order,
    marks: Marks,
    *,
    at: datetime,
    day: date,
    reserved: Decimal,
    positions: Mapping[str, Position] | None = None,
    cash: Decimal | None = None,
) -> BuyingPowerEffect:
    """Returns the effect of filling the whole order, starting from the given positions."""
    before = account.positions if positions is None else positions
    money = account.ledger.cash if cash is None else cash
    prices = [_assume_price(order, leg, marks) for leg in order.legs]
    quantities = [
        _assume_quantity(order, leg, price) for leg, price in zip(order.legs, prices, strict=True)
    ]
    fees = _calculate_fees(order, prices, quantities)

    after = dict(before)
    for leg, price, quantity in zip(order.legs, prices, quantities, strict=True):
        held = after.get(leg.contract.symbol) or make_flat_position(leg.contract, at)
        position, _ = apply_trade(held, leg.action.side * quantity, price, at=at, day=day)
        after[leg.contract.symbol] = position

    rates = select_margin_rates(account)
    bound_before = calculate_requirement(collect_exposures(before.values(), marks), rates).initial
    bound_after = calculate_requirement(collect_exposures(after.values(), marks), rates).initial
    bound = bound_after - bound_before
    cash_change = _calculate_cash_change(order, prices, quantities)
    if order.legs[0].contract.instrument_type.is_option:
        # Relative to the marks, which the requirement is calculated with.
        edge = cash_change + sum(
            (
                leg.action.side * marks.market_value(leg.contract, quantity)
                for leg, quantity in zip(order.legs, quantities, strict=True)
            ),
            ZERO,
        )
        change = (edge if cash_change < 0 else min(edge, ZERO)) - bound
    else:
        # A share bought below the market reserves its price, not its value.
        leg, mark = order.legs[0], marks.mark(order.legs[0].contract)
        opens_long = leg.action.side > 0 and leg.action not in CLOSING
        change = -bound * (prices[0] / mark if opens_long and mark else 1)
        bound = -change

    isolated = calculate_requirement(
        collect_exposures(
            [
                replace(make_flat_position(leg.contract, at), quantity=leg.action.side * quantity)
                for leg, quantity in zip(order.legs, quantities, strict=True)
            ],
            marks,
        ),
        rates,
    ).initial
    spendable = calculate_balances(account, marks, positions=before, cash=money, reserved=reserved)
    return BuyingPowerEffect(
        margin_change=round(bound, PLACES),
        change=round(change - fees.total, PLACES),
        current=spendable.option_buying_power,
        isolated=isolated,
        is_spread=len(order.legs) > 1,
        positions=after,
        cash=money + cash_change - fees.total,
    )


def _calculate_fees(order: Order, prices: Sequence[Decimal], quantities: Sequence[Decimal]) -> Fees:
    """Returns the fees of filling the whole order, in full precision."""
    total = Fees()
    for leg, price, quantity in zip(order.legs, prices, quantities, strict=True):
        total += calculate_fees(
            leg.contract,
            quantity,
            buys=leg.action.side > 0,
            opens=leg.action not in CLOSING,
            value=price * quantity * leg.contract.multiplier,
        )

    return total


def calculate_order_fees(order: Order, marks: Marks) -> Fees:
    """Returns the fees that the answer to a placement shows."""
    prices = [_assume_price(order, leg, marks) for leg in order.legs]
    quantities = [
        _assume_quantity(order, leg, price) for leg, price in zip(order.legs, prices, strict=True)
    ]
    return _calculate_fees(order, prices, quantities)


def _assume_price(order: Order, leg: Leg, marks: Marks) -> Decimal:
    # The price at which one leg is assumed to trade.
    if len(order.legs) == 1:
        if order.ticket.price is not None:
            return abs(order.ticket.price)

        if order.type is OrderType.STOP and order.ticket.stop_trigger is not None:
            return order.ticket.stop_trigger

    top = marks.top(leg.contract)
    side = top.ask if leg.action.side > 0 else top.bid
    return marks.mark(leg.contract) if side is None or len(order.legs) > 1 else side


def _assume_quantity(order: Order, leg: Leg, price: Decimal) -> Decimal:
    if leg.quantity is not None:
        return leg.quantity

    return abs(order.ticket.value or ZERO) / price if price else ZERO


def _calculate_cash_change(
    order: Order, prices: Sequence[Decimal], quantities: Sequence[Decimal]
) -> Decimal:
    first = order.legs[0].contract
    if first.instrument_type is InstrumentType.FUTURE:
        return ZERO

    if order.ticket.price is not None:
        return order.ticket.price * order.size * first.multiplier

    return sum(
        (
            -leg.action.side * price * quantity * leg.contract.multiplier
            for leg, price, quantity in zip(order.legs, prices, quantities, strict=True)
        ),
        ZERO,
    )
