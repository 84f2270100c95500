"""Writes the descriptions of transactions: `Bought 1 SMCI 06/05/26 Call 45.00 @ 0.75`."""

from __future__ import annotations

__all__ = ["describe_delivery", "describe_removal", "describe_trade", "describe_variation"]

from decimal import Decimal

from server.simulator.exchange.clock import NEW_YORK
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import format_decimal, round_cents
from server.simulator.exchange.vocabulary import Action, InstrumentType


def describe_trade(contract: Contract, action: Action, quantity: Decimal, price: Decimal) -> str:
    """Describes a purchase or sale."""
    verb = "Bought" if action.side > 0 else "Sold"
    return (
        f"{verb} {_format_quantity(quantity)} {_contract_name(contract)} @ {_format_price(price)}"
    )


def describe_removal(contract: Contract, quantity: Decimal, sub_type: str) -> str:
    """Describes the removal of an expired, exercised or assigned contract."""
    name = _contract_name(contract)
    return f"Removal of {_format_quantity(quantity)} {name} due to {sub_type.lower()}"


def describe_delivery(contract: Contract, action: Action, quantity: Decimal, price: Decimal) -> str:
    """Describes shares received or delivered because of an option."""
    return f"{action.value} {_format_quantity(quantity)} {contract.symbol} @ {_format_price(price)}"


def describe_variation(contract: Contract, price: Decimal) -> str:
    """Describes the daily variation of a future."""
    return f"{contract.symbol} mark to market at {_format_price(price)}"


def _format_quantity(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _format_price(price: Decimal) -> str:
    return f"{price:.2f}" if price == round_cents(price) else format_decimal(price)


def _contract_name(contract: Contract) -> str:
    if contract.instrument_type is not InstrumentType.EQUITY_OPTION or contract.expires_at is None:
        return contract.symbol

    expires = contract.expires_at.astimezone(NEW_YORK)
    side = "Call" if contract.call else "Put"
    return f"{contract.underlying} {expires:%m/%d/%y} {side} {contract.strike:.2f}"
