"""Transactions to messages."""

from __future__ import annotations

__all__ = ["transaction_to"]

from tasty.v1 import transaction_pb2

from server.brokerage.api.transactions import Transaction
from server.wire.numbers import decimal_or_none, money_or_none
from server.wire.times import date_or_none, timestamp


def transaction_to(transaction: Transaction) -> transaction_pb2.Transaction:
    return transaction_pb2.Transaction(
        id=transaction.id,
        account_number=transaction.account_number or "",
        transaction_type=transaction.transaction_type or "",
        transaction_sub_type=transaction.transaction_sub_type or "",
        description=transaction.description or "",
        executed_at=timestamp(transaction.executed_at),
        transaction_date=date_or_none(transaction.transaction_date) or "",
        symbol=transaction.symbol,
        instrument_type=transaction.instrument_type,
        underlying_symbol=transaction.underlying_symbol,
        action=transaction.action,
        quantity=decimal_or_none(transaction.quantity),
        price=money_or_none(transaction.price),
        value=money_or_none(transaction.value) or "",
        net_value=money_or_none(transaction.net_value) or "",
        commission=money_or_none(transaction.commission),
        clearing_fees=money_or_none(transaction.clearing_fees),
        regulatory_fees=money_or_none(transaction.regulatory_fees),
        proprietary_index_option_fees=money_or_none(transaction.proprietary_index_option_fees),
        other_charge=money_or_none(transaction.other_charge),
        is_estimated_fee=transaction.is_estimated_fee,
        order_id=transaction.order_id,
        currency=transaction.currency or "",
    )
