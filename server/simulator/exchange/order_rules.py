"""Checks an order's shape, price and time in force, whatever the account holds."""

from __future__ import annotations

__all__ = ["find_broken_rules"]

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from server.simulator.exchange import problems
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.orders import Ticket
from server.simulator.exchange.problems import Problem
from server.simulator.exchange.vocabulary import Action, InstrumentType, OrderType, TimeInForce

LAST_HALF_HOUR = timedelta(minutes=30)
_EXTENDED = frozenset(
    {TimeInForce.EXT, TimeInForce.OVERNIGHT, TimeInForce.GTC_EXT, TimeInForce.GTC_OVERNIGHT}
)


def find_broken_rules(
    ticket: Ticket, contracts: Sequence[Contract | None], *, now: datetime, today: date
) -> list[Problem]:
    """Returns every rule that an order breaks; `contracts` has None for an unknown symbol."""
    unknown = [
        problems.invalid_instrument(leg.symbol, "it does not exist")
        for leg, contract in zip(ticket.legs, contracts, strict=True)
        if contract is None
    ]
    known = [contract for contract in contracts if contract is not None]
    if unknown:
        return unknown

    return [
        *_check_instruments(ticket, known, now),
        *_check_shape(ticket, known),
        *_check_quantities(ticket, known),
        *_check_prices(ticket),
        *_check_time_in_force(ticket, known, today),
        *_check_last_half_hour(ticket, known, now),
    ]


def _check_instruments(
    ticket: Ticket, contracts: Sequence[Contract], now: datetime
) -> Iterator[Problem]:
    for leg, contract in zip(ticket.legs, contracts, strict=True):
        if contract.instrument_type is InstrumentType.INDEX:
            yield problems.invalid_instrument(leg.symbol, "an index is not for sale")
        elif contract.instrument_type != leg.instrument_type:
            yield problems.invalid_instrument(leg.symbol, f"it is no {leg.instrument_type}")
        elif contract.expires_at is not None and contract.expires_at <= now:
            yield problems.invalid_instrument(leg.symbol, "it has expired")


def _check_shape(ticket: Ticket, contracts: Sequence[Contract]) -> Iterator[Problem]:
    kinds = {contract.instrument_type for contract in contracts}
    first = contracts[0]
    if len(kinds) > 1:
        yield problems.mixed_legs("instrument type")
    elif len({contract.underlying for contract in contracts}) > 1:
        yield problems.mixed_legs("underlying")

    most = min(kind.max_legs for kind in kinds)
    if ticket.type in (OrderType.MARKET, OrderType.NOTIONAL_MARKET):
        most = 1

    if len(contracts) > most:
        yield problems.too_many_legs(len(contracts), most, first.instrument_type.value)

    seen: set[str] = set()
    for leg, contract in zip(ticket.legs, contracts, strict=True):
        if contract.symbol in seen:
            yield problems.same_symbol(contract.symbol)

        seen.add(contract.symbol)
        if (
            leg.action in (Action.BUY, Action.SELL)
            and contract.instrument_type is not InstrumentType.FUTURE
        ):
            yield problems.invalid_action(leg.action.value, contract.instrument_type.value)


def _check_quantities(ticket: Ticket, contracts: Sequence[Contract]) -> Iterator[Problem]:
    notional = ticket.type is OrderType.NOTIONAL_MARKET
    for leg, contract in zip(ticket.legs, contracts, strict=True):
        if notional:
            if leg.quantity is not None:
                yield problems.invalid_quantity(
                    contract.symbol, "must be left out of a notional order"
                )

            if contract.instrument_type not in (
                InstrumentType.EQUITY,
                InstrumentType.CRYPTOCURRENCY,
            ):
                yield problems.invalid_instrument(contract.symbol, "it has no notional orders")
        elif leg.quantity is None:
            yield problems.invalid_quantity(contract.symbol, "is missing")
        elif leg.quantity <= 0:
            yield problems.invalid_quantity(contract.symbol, "must be positive")
        elif contract.instrument_type is not InstrumentType.CRYPTOCURRENCY and leg.quantity != int(
            leg.quantity
        ):
            yield problems.invalid_quantity(contract.symbol, "must be a whole number")


def _check_prices(ticket: Ticket) -> Iterator[Problem]:
    if ticket.price is not None and not ticket.type.has_price:
        yield problems.must_omit_price()

    if ticket.price is None and ticket.type.has_price:
        yield problems.must_include("price")

    if ticket.type.has_trigger and ticket.stop_trigger is None:
        yield problems.must_include("stop-trigger")

    if not ticket.type.has_trigger and ticket.stop_trigger is not None:
        yield problems.must_omit("stop-trigger")

    notional = ticket.type is OrderType.NOTIONAL_MARKET
    if notional and not ticket.value:
        yield problems.must_include("value")

    if not notional and ticket.value is not None:
        yield problems.must_omit("value")

    amount = ticket.value if notional else ticket.price
    if amount is not None:
        yield from _check_sign(ticket, amount)


def _check_sign(ticket: Ticket, amount: Decimal) -> Iterator[Problem]:
    sides = {leg.action.side for leg in ticket.legs}
    if amount == 0 and len(sides) == 1:
        yield problems.invalid_price("must be positive")
    elif sides == {1} and amount > 0:
        yield problems.cant_buy_for_credit()
    elif sides == {-1} and amount < 0:
        yield problems.cant_sell_for_debit()


def _check_time_in_force(
    ticket: Ticket, contracts: Sequence[Contract], today: date
) -> Iterator[Problem]:
    force = ticket.time_in_force
    opens = any(leg.action in (Action.BUY_TO_OPEN, Action.SELL_TO_OPEN) for leg in ticket.legs)
    if force.outlives_the_day and ticket.type in (OrderType.MARKET, OrderType.NOTIONAL_MARKET):
        yield problems.invalid_time_in_force(
            "invalid_for_order_type", f"A {ticket.type.value} order cannot be {force.value}."
        )

    if force is TimeInForce.GTC and ticket.type is OrderType.STOP and opens:
        yield problems.invalid_time_in_force(
            "invalid_for_order_type", "An opening Stop order cannot be GTC."
        )

    if force is TimeInForce.GTD and ticket.gtc_date is None:
        yield problems.must_include("gtc-date")

    if ticket.gtc_date is not None and ticket.gtc_date < today:
        yield problems.invalid_time_in_force("gtc_date_in_the_past", "The gtc-date has passed.")

    single_stock = len(contracts) == 1 and contracts[0].instrument_type is InstrumentType.EQUITY
    if force in _EXTENDED and not (single_stock and ticket.type is OrderType.LIMIT):
        yield problems.invalid_time_in_force(
            "invalid_for_instrument", f"{force.value} is for limit orders of one equity leg."
        )


def _check_last_half_hour(
    ticket: Ticket, contracts: Sequence[Contract], now: datetime
) -> Iterator[Problem]:
    for leg, contract in zip(ticket.legs, contracts, strict=True):
        if leg.action is not Action.SELL_TO_OPEN or contract.expires_at is None:
            continue

        if contract.expires_at - LAST_HALF_HOUR <= now < contract.expires_at:
            yield problems.too_close_to_expiration()
            return
