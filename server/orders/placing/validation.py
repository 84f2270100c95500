"""What an order must keep before anybody is asked: shape, words, quantities, signs.

The broker checks most of this too, but later, in other words, and not all of it: an off-tick price
dies at the exchange, a closing leg without a position opens one. What needs the account (buying
power, permissions, positions) stays the broker's to decide.
"""

from __future__ import annotations

__all__ = ["ACTIONS", "check_contracts", "check_draft", "check_prices", "sides"]

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from server.brokerage.instruments.contracts import Contract
from server.brokerage.instruments.symbols import InstrumentKind
from server.errors import InvalidField, NothingGiven, OffTick, TooManyGiven, WrongSign
from server.errors.families import shortened
from server.orders.model.drafts import LegDraft, OrderDraft
from server.orders.model.ticks import Grid

ACTIONS = ("Buy to Open", "Buy to Close", "Sell to Open", "Sell to Close", "Buy", "Sell")
TIMES = ("Day", "GTC", "IOC")
TYPES = ("Limit", "Market", "Stop", "Stop Limit", "Notional Market")
PRICED = frozenset({"Limit", "Stop Limit"})
TRIGGERED = frozenset({"Stop", "Stop Limit"})
AT_MARKET = frozenset({"Market", "Notional Market"})
MOST_LEGS = 4
LARGEST = Decimal(1_000_000)
"""Units or dollars beyond which an order is a slip of the finger, whatever the account holds."""
MOST_DIGITS = 18
"""Digits of a price; it is written down as it came, so it must have an end."""


def check_draft(draft: OrderDraft, *, where: str = "", priced: bool = False) -> None:
    """Raises BadInput for what cannot be right, whatever the instruments are.

    `priced` says that a limit must have its price: nothing will be made of quotes.
    """
    if not draft.legs:
        raise NothingGiven("leg")
    if len(draft.legs) > MOST_LEGS:
        raise TooManyGiven("legs", given=len(draft.legs), allowed=MOST_LEGS)

    _word(f"{where}time_in_force", draft.time_in_force, TIMES)
    _word(f"{where}order_type", draft.order_type, TYPES)
    _check_amounts(draft, where, priced)
    if draft.order_type in AT_MARKET and len(draft.legs) > 1:
        raise InvalidField(
            f"{where}legs", len(draft.legs), f"one leg in a {draft.order_type} order"
        )
    if draft.order_type in AT_MARKET and draft.time_in_force == "GTC":
        expected = f"Day or IOC for a {draft.order_type} order"
        raise InvalidField(f"{where}time_in_force", draft.time_in_force, expected)

    for index, leg in enumerate(draft.legs):
        _check_leg(leg, f"{where}legs[{index}]", notional=draft.order_type == "Notional Market")


def check_contracts(
    draft: OrderDraft, contracts: Sequence[Contract], now: datetime, *, where: str = ""
) -> None:
    """Raises InvalidField for instruments that cannot be traded, or not together."""
    seen: set[str] = set()
    for index, (leg, contract) in enumerate(zip(draft.legs, contracts, strict=True)):
        place = f"{where}legs[{index}]"
        symbol = contract.symbol
        if contract.kind is InstrumentKind.INDEX:
            expected = "something that can be bought: an index cannot, options on it can"
            raise InvalidField(f"{place}.symbol", symbol, expected)
        if symbol in seen:
            raise InvalidField(f"{place}.symbol", symbol, "a symbol that no other leg has")
        if contract.expires_at is not None and contract.expires_at <= now:
            raise InvalidField(f"{place}.symbol", symbol, "a contract that has not expired")

        seen.add(symbol)
        _check_action(leg.action, contract, place)
        _check_quantity(leg.quantity, contract, place)

    first = contracts[0]
    if len({contract.kind for contract in contracts}) > 1:
        raise InvalidField(f"{where}legs", _kinds(contracts), "instruments of one kind")
    if len({contract.underlying_symbol for contract in contracts}) > 1 and first.is_option:
        underlyings = ", ".join(contract.underlying_symbol for contract in contracts)
        raise InvalidField(f"{where}legs", underlyings, "options on one underlying")
    if len(contracts) > 1 and not first.is_option:
        raise InvalidField(f"{where}legs", len(contracts), f"one leg in {first.kind.value}")
    if draft.order_type == "Notional Market" and first.kind not in (
        InstrumentKind.EQUITY,
        InstrumentKind.CRYPTOCURRENCY,
    ):
        expected = "Limit, Market, Stop or Stop Limit: only stock and crypto have notional orders"
        raise InvalidField(f"{where}order_type", draft.order_type, expected)


def check_prices(draft: OrderDraft, contracts: Sequence[Contract], *, where: str = "") -> None:
    """Raises OffTick or WrongSign for prices that cannot be those of these instruments."""
    grid = Grid(tuple(contract.ticks for contract in contracts))
    for name, value in (("price", draft.price), ("stop_trigger", draft.stop_trigger)):
        if value is not None and grid.known and not grid.holds(value):
            raise OffTick(
                f"{where}{name}",
                given=f"{value:f}",
                tick=f"{grid.tick_at(value).normalize():f}",
                below=f"{grid.below(value):f}",
                above=f"{grid.above(value):f}",
            )

    sided = sides(draft)
    for name, value in (("price", draft.price), ("value", draft.value)):
        if value is None:
            continue
        if sided == {"Buy"} and value > 0:
            raise WrongSign(f"{where}{name}", given=f"{value:f}", market="the order buys")
        if sided == {"Sell"} and value < 0:
            raise WrongSign(f"{where}{name}", given=f"{value:f}", market="the order sells")


def sides(draft: OrderDraft) -> set[str]:
    """Returns "Buy", "Sell" or both: what the legs do."""
    return {leg.action.split()[0] for leg in draft.legs}


def _check_amounts(draft: OrderDraft, where: str, priced: bool) -> None:
    kind = draft.order_type
    given = {"price": draft.price, "stop_trigger": draft.stop_trigger, "value": draft.value}
    allowed = {
        "price": kind in PRICED,
        "stop_trigger": kind in TRIGGERED,
        "value": kind == "Notional Market",
    }
    needed = {
        # A limit behind a trigger is for a market that is not there yet: no quote can make it.
        "price": kind == "Stop Limit" or (priced and kind == "Limit"),
        "stop_trigger": kind in TRIGGERED,
        "value": kind == "Notional Market",
    }
    for name, value in given.items():
        if value is None:
            if needed[name]:
                raise InvalidField(f"{where}{name}", "", f"a number: a {kind} order needs it")
            continue
        if not allowed[name]:
            raise InvalidField(f"{where}{name}", f"{value:f}", f"nothing there in a {kind} order")
        if not value.is_finite() or _digits(value) > MOST_DIGITS:
            expected = f"a number of at most {MOST_DIGITS} digits"
            raise InvalidField(f"{where}{name}", shortened(f"{value}"), expected)
        if not value or abs(value) > LARGEST:
            raise InvalidField(f"{where}{name}", f"{value:f}", "a number that is not 0, in dollars")

    if draft.stop_trigger is not None and draft.stop_trigger < 0:
        raise InvalidField(f"{where}stop_trigger", f"{draft.stop_trigger:f}", "a price above 0")


def _digits(value: Decimal) -> int:
    """Returns how many digits it takes to write a number without an exponent."""
    _, digits, exponent = value.as_tuple()
    return max(len(digits), -int(exponent))


def _check_leg(leg: LegDraft, place: str, *, notional: bool) -> None:
    _word(f"{place}.action", leg.action, ACTIONS)
    if notional:
        if leg.quantity is not None:
            expected = "nothing there: the value says how much"
            raise InvalidField(f"{place}.quantity", f"{leg.quantity:f}", expected)
        return

    if leg.quantity is None:
        raise InvalidField(f"{place}.quantity", "", "a number above 0")
    if not leg.quantity.is_finite() or not 0 < leg.quantity <= LARGEST:
        raise InvalidField(f"{place}.quantity", f"{leg.quantity:f}", "a number above 0")


def _check_action(action: str, contract: Contract, place: str) -> None:
    if contract.is_option and action in ("Buy", "Sell"):
        expected = f"{action} to Open or {action} to Close for an option"
        raise InvalidField(f"{place}.action", action, expected)
    if contract.kind is InstrumentKind.FUTURE and action not in ("Buy", "Sell"):
        raise InvalidField(f"{place}.action", action, "Buy or Sell for a future")


def _check_quantity(quantity: Decimal | None, contract: Contract, place: str) -> None:
    if quantity is None:
        return

    step = Decimal(1).scaleb(-contract.decimals)
    if quantity % step:
        expected = (
            f"a number of at most {contract.decimals} decimal places"
            if contract.decimals
            else "a whole number"
        )
        raise InvalidField(f"{place}.quantity", f"{quantity:f}", expected)


def _word(field: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise InvalidField(field, given, f"one of {', '.join(allowed)}")


def _kinds(contracts: Sequence[Contract]) -> str:
    return ", ".join(contract.kind.value for contract in contracts)
