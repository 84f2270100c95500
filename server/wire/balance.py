"""Balances to messages."""

from __future__ import annotations

__all__ = ["balances_response", "balances_to"]

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tasty.v1 import account_service_pb2, balance_pb2

from server.brokerage.api.balances import Balances
from server.wire.numbers import money
from server.wire.times import timestamp


def balances_response(balances: Balances) -> account_service_pb2.GetBalancesResponse:
    """Returns the answer of GetBalances, which has the fields of Balances at its top level."""
    return account_service_pb2.GetBalancesResponse(**_fields(balances))


def balances_to(balances: Balances) -> balance_pb2.Balances:
    """Returns the balances as a part of another message."""
    return balance_pb2.Balances(**_fields(balances))


def _fields(balances: Balances) -> Mapping[str, Any]:
    return {
        "cash": _text(balances.cash_balance),
        "net_liquidating_value": _text(balances.net_liquidating_value),
        "buying_power": _text(balances.derivative_buying_power),
        "equity": _text(balances.margin_equity),
        "day_trading_buying_power": _text(balances.day_trading_buying_power),
        "account_number": balances.account_number,
        "cash_balance": _text(balances.cash_balance),
        "equity_buying_power": _text(balances.equity_buying_power),
        "derivative_buying_power": _text(balances.derivative_buying_power),
        "available_trading_funds": _text(balances.available_trading_funds),
        "maintenance_requirement": _text(balances.maintenance_requirement),
        "maintenance_excess": _text(balances.maintenance_excess),
        "cash_available_to_withdraw": _text(balances.cash_available_to_withdraw),
        "pending_cash": _text(balances.pending_cash),
        "used_derivative_buying_power": _text(balances.used_derivative_buying_power),
        "updated_at": timestamp(balances.updated_at),
    }


def _text(amount: Decimal | None) -> str:
    # Empty is "not known", which "0.00" would hide.
    return "" if amount is None else money(amount)
