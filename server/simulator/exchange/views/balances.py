"""Renders balances and their snapshots as the broker does: every figure is a decimal string."""

from __future__ import annotations

__all__ = ["balance_json", "snapshot_json"]

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from server.simulator.exchange.balances import Balances
from server.simulator.exchange.money import ZERO, format_decimal, round_cents, with_effect
from server.simulator.exchange.views.times import format_zulu

_NEVER = (
    "maintenance-call-value",
    "reg-t-call-value",
    "day-trading-call-value",
    "day-equity-call-value",
    "equity-offering-margin-requirement",
    "fixed-income-security-margin-requirement",
    "long-bond-value",
    "long-fixed-income-security-value",
    "bond-margin-requirement",
    "pending-margin-interest",
    "total-pending-liquidity-pool-rebate",
    "closed-loop-available-balance",
    "special-memorandum-account-apex-adjustment",
)
"""Fields of what the simulator does not have: bonds, calls, offerings, interest."""

_WITHOUT_SNAPSHOT = ("futures-overnight-margin-requirement", "futures-intraday-margin-requirement")


def balance_json(
    account_number: str, balances: Balances, *, at: datetime, day: date
) -> dict[str, Any]:
    """Returns the current balance."""
    return {
        **_figures(account_number, balances),
        "snapshot-date": day.isoformat(),
        "intraday-equities-cash-effective-date": day.isoformat(),
        "intraday-futures-cash-effective-date": day.isoformat(),
        "previous-date-cryptocurrency-fiat-effective-date": day.isoformat(),
        "updated-at": format_zulu(at),
    }


def snapshot_json(
    account_number: str, balances: Balances, *, day: date, time_of_day: str
) -> dict[str, Any]:
    """Returns the balance at the beginning or the end of a day."""
    figures = _figures(account_number, balances)
    for name in _WITHOUT_SNAPSHOT:
        del figures[name]

    return {**figures, "snapshot-date": day.isoformat(), "time-of-day": time_of_day}


def _figures(account_number: str, balances: Balances) -> dict[str, Any]:
    need = balances.requirement
    net = balances.net_liquidating_value
    spendable = balances.option_buying_power
    excess = balances.maintenance_excess
    amounts: dict[str, Decimal] = {
        "cash-balance": balances.cash,
        "long-equity-value": balances.long.get("equity", ZERO),
        "short-equity-value": balances.short.get("equity", ZERO),
        "long-derivative-value": balances.long.get("derivative", ZERO),
        "short-derivative-value": balances.short.get("derivative", ZERO),
        "long-index-derivative-value": balances.long.get("index-derivative", ZERO),
        "short-index-derivative-value": balances.short.get("index-derivative", ZERO),
        "long-futures-value": balances.long.get("futures", ZERO),
        "short-futures-value": balances.short.get("futures", ZERO),
        "long-futures-derivative-value": balances.long.get("futures-derivative", ZERO),
        "short-futures-derivative-value": balances.short.get("futures-derivative", ZERO),
        "long-margineable-value": balances.long.get("margineable", ZERO),
        "short-margineable-value": balances.short.get("margineable", ZERO),
        "long-cryptocurrency-value": balances.long.get("cryptocurrency", ZERO),
        "short-cryptocurrency-value": balances.short.get("cryptocurrency", ZERO),
        "cryptocurrency-margin-requirement": need.crypto,
        "margin-equity": net,
        "equity-buying-power": balances.equity_buying_power,
        "derivative-buying-power": spendable,
        "used-derivative-buying-power": need.initial + balances.reserved,
        "sma-equity-option-buying-power": spendable,
        "day-trading-buying-power": balances.day_trading_buying_power,
        "effective-cryptocurrency-buying-power": max(ZERO, spendable),
        "available-trading-funds": max(ZERO, spendable),
        "futures-margin-requirement": need.futures,
        "futures-overnight-margin-requirement": need.futures,
        "futures-intraday-margin-requirement": need.futures,
        "maintenance-requirement": need.maintenance,
        "maintenance-excess": excess,
        "reg-t-margin-requirement": need.initial,
        "day-trade-excess": excess,
        "net-liquidating-value": net,
        "cash-available-to-withdraw": balances.withdrawable,
        "cash-settle-balance": balances.cash if not balances.margin else ZERO,
        "margin-settle-balance": balances.cash if balances.margin else ZERO,
        "total-settle-balance": balances.cash,
        "apex-starting-day-margin-equity": net,
        "special-memorandum-account-value": max(ZERO, spendable),
    }
    return {
        "account-number": account_number,
        "currency": "USD",
        **{name: format_decimal(round_cents(amount)) for name, amount in amounts.items()},
        **dict.fromkeys(_NEVER, format_decimal(ZERO)),
        **with_effect("pending-cash", ZERO),
        **with_effect("buying-power-adjustment", ZERO),
        "intraday-equities-cash-amount": format_decimal(ZERO),
        "intraday-equities-cash-effect": "None",
        "intraday-futures-cash-amount": format_decimal(ZERO),
        "intraday-futures-cash-effect": "None",
        "unsettled-cryptocurrency-fiat-amount": format_decimal(ZERO),
        "unsettled-cryptocurrency-fiat-effect": "None",
        "previous-day-cryptocurrency-fiat-amount": format_decimal(ZERO),
        "previous-day-cryptocurrency-fiat-effect": "None",
    }
