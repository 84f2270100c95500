"""The sentences of the account's history: `Bought 1 SMCI 06/05/26 Call 45.00 @ 0.75`."""

from __future__ import annotations

__all__ = ["delivered", "marked", "removed", "traded"]

from decimal import Decimal

from server.simulator.exchange.clock import NEW_YORK
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import cents, text
from server.simulator.exchange.vocabulary import Action, Kind


def traded(contract: Contract, action: Action, quantity: Decimal, price: Decimal) -> str:
    """Describes a purchase or sale."""
    verb = "Bought" if action.side > 0 else "Sold"
    return f"{verb} {_plain(quantity)} {_name(contract)} @ {_price(price)}"


def removed(contract: Contract, quantity: Decimal, sub_type: str) -> str:
    """Describes a contract that has come to its end."""
    return f"Removal of {_plain(quantity)} {_name(contract)} due to {sub_type.lower()}"


def delivered(contract: Contract, action: Action, quantity: Decimal, price: Decimal) -> str:
    """Describes shares that an option brought or took."""
    return f"{action.value} {_plain(quantity)} {contract.symbol} @ {_price(price)}"


def marked(contract: Contract, price: Decimal) -> str:
    """Describes the variation of a future."""
    return f"{contract.symbol} mark to market at {_price(price)}"


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _price(price: Decimal) -> str:
    return f"{price:.2f}" if price == cents(price) else text(price)


def _name(contract: Contract) -> str:
    if contract.kind is not Kind.EQUITY_OPTION or contract.expires_at is None:
        return contract.symbol

    expires = contract.expires_at.astimezone(NEW_YORK)
    side = "Call" if contract.call else "Put"
    return f"{contract.underlying} {expires:%m/%d/%y} {side} {contract.strike:.2f}"
