"""Renders transactions as the broker does; a deposit has no instrument, fee or order keys."""

from __future__ import annotations

__all__ = ["external_transaction_json", "transaction_json", "year_gain_json"]

from typing import Any

from server.simulator.exchange.account import Account
from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import Fees
from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.money import format_decimal, with_effect
from server.simulator.exchange.views.times import format_zulu


def transaction_json(transaction: Transaction) -> dict[str, Any]:
    """Returns one transaction."""
    shown: dict[str, Any] = {
        "id": transaction.id,
        "account-number": transaction.account_number,
        "created-at": format_zulu(transaction.created_at),
        "currency": "USD",
        "description": transaction.description,
        "executed-at": format_zulu(transaction.executed_at),
        # Fees are estimates until the nightly clearing, which is not simulated.
        "is-estimated-fee": True,
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
            "instrument-type": contract.instrument_type.value,
            "underlying-symbol": contract.underlying,
        }

    if transaction.action is not None and transaction.quantity is not None:
        shown |= {
            "action": transaction.action.value,
            "quantity": format_decimal(transaction.quantity),
        }

    if transaction.price is not None:
        shown["price"] = format_decimal(transaction.price)

    if transaction.type == "Trade":
        shown |= _fees_json(transaction.fees)

    if (origin := transaction.origin) is not None:
        shown |= {
            "order-id": origin.order_id,
            "exec-id": origin.exec_id,
            "leg-count": origin.leg_count,
            "destination-venue": origin.venue,
        }

    return shown


def external_transaction_json(transaction: Transaction) -> dict[str, Any]:
    """Returns a deposit or withdrawal as the account streamer sends it."""
    day = transaction.day.isoformat()
    return {
        "id": transaction.id,
        "account-number": transaction.account_number,
        "amount": format_decimal(abs(transaction.value)),
        "bank-account-type": "Checking",
        "banking-date": day,
        "created-at": format_zulu(transaction.created_at),
        "direction": "Deposit" if transaction.value > 0 else "Withdrawal",
        "disbursement-type": "Other",
        "ext-transfer-id": f"transfer-{transaction.id}",
        "funds-available-date": day,
        "is-cancelable": False,
        "is-clearing-accepted": True,
        "state": "Completed",
        "transfer-method": "ACH",
        "updated-at": format_zulu(transaction.created_at),
    }


def year_gain_json(account: Account, contract: Contract, year: int) -> dict[str, Any]:
    """Returns the year's gain of an underlying as the account streamer sends it."""
    gain = account.gains.get(contract.underlying, year)
    return {
        "year": year,
        "account-number": account.number,
        "symbol": contract.underlying,
        "instrument-type": contract.reported_underlying_type.value,
        **with_effect("fees", -gain.other_fees),
        **with_effect("commissions", -gain.commission),
        **with_effect("yearly-realized-gain", gain.realized),
        **with_effect("realized-lot-gain", gain.realized),
    }


def _fees_json(fees: Fees) -> dict[str, Any]:
    return {
        **with_effect("commission", -fees.commission),
        **with_effect("clearing-fees", -fees.clearing),
        **with_effect("regulatory-fees", -fees.regulatory),
        **with_effect("proprietary-index-option-fees", -fees.index),
    }
