"""Transactions as the broker writes them; a deposit has no instrument, fee or order keys."""

from __future__ import annotations

__all__ = ["transaction_json"]

from typing import Any

from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.money import text, with_effect
from server.simulator.exchange.views.times import zulu


def transaction_json(transaction: Transaction) -> dict[str, Any]:
    """Returns one line of the history."""
    shown: dict[str, Any] = {
        "id": transaction.id,
        "account-number": transaction.account_number,
        "created-at": zulu(transaction.created_at),
        "currency": "USD",
        "description": transaction.description,
        "executed-at": zulu(transaction.executed_at),
        "is-estimated-fee": transaction.estimated,
        **with_effect("net-value", transaction.net_value),
        "transaction-date": transaction.day.isoformat(),
        "transaction-sub-type": transaction.sub_type,
        "transaction-type": transaction.type,
        **with_effect("value", transaction.value),
    }
    contract = transaction.contract
    if contract is not None:
        shown |= {
            "symbol": contract.symbol,
            "instrument-type": contract.kind.value,
            "underlying-symbol": contract.underlying,
        }

    if transaction.action is not None and transaction.quantity is not None:
        shown |= {"action": transaction.action.value, "quantity": text(transaction.quantity)}

    if transaction.price is not None:
        shown["price"] = text(transaction.price)

    if transaction.type == "Trade":
        fees = transaction.fees
        shown |= {
            **with_effect("commission", -fees.commission),
            **with_effect("clearing-fees", -fees.clearing),
            **with_effect("regulatory-fees", -fees.regulatory),
            **with_effect("proprietary-index-option-fees", -fees.index),
            "destination-venue": transaction.venue or "MARKET_SIMULATOR",
            "exec-id": transaction.exec_id,
            "leg-count": transaction.leg_count,
        }

    if transaction.order_id is not None:
        shown["order-id"] = transaction.order_id

    return {name: value for name, value in shown.items() if value is not None}
