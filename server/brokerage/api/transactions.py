"""What happened in an account: trades, fees, dividends, transfers; debits are negative."""

from __future__ import annotations

__all__ = ["Transaction", "read_transaction"]

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One booking."""

    id: str
    account_number: str | None
    transaction_type: str | None
    transaction_sub_type: str | None
    description: str | None
    executed_at: datetime | None
    transaction_date: date | None
    symbol: str | None
    instrument_type: str | None
    underlying_symbol: str | None
    action: str | None
    quantity: Decimal | None
    price: Decimal | None
    value: Decimal | None
    net_value: Decimal | None
    commission: Decimal | None
    clearing_fees: Decimal | None
    regulatory_fees: Decimal | None
    proprietary_index_option_fees: Decimal | None
    other_charge: Decimal | None
    is_estimated_fee: bool
    order_id: str | None
    currency: str | None


def read_transaction(item: JsonReader) -> Transaction:
    return Transaction(
        id=item.identity("id"),
        account_number=item.text("account-number"),
        transaction_type=item.text("transaction-type"),
        transaction_sub_type=item.text("transaction-sub-type"),
        description=item.text("description"),
        executed_at=item.moment("executed-at"),
        transaction_date=item.day("transaction-date"),
        symbol=item.text("symbol"),
        instrument_type=item.text("instrument-type"),
        underlying_symbol=item.text("underlying-symbol"),
        action=item.text("action"),
        quantity=item.decimal("quantity"),
        price=item.decimal("price"),
        value=item.signed("value"),
        net_value=item.signed("net-value"),
        commission=item.signed("commission"),
        clearing_fees=item.signed("clearing-fees"),
        regulatory_fees=item.signed("regulatory-fees"),
        proprietary_index_option_fees=item.signed("proprietary-index-option-fees"),
        other_charge=item.signed("other-charge"),
        is_estimated_fee=item.flag("is-estimated-fee") or False,
        order_id=item.text("order-id"),
        currency=item.text("currency"),
    )
