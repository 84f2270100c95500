"""What an account is worth and what it may spend, as the broker computed it."""

from __future__ import annotations

__all__ = ["Balances", "read_balances"]

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """The balances of one account in US dollars; None where the broker says nothing."""

    account_number: str
    cash_balance: Decimal | None
    net_liquidating_value: Decimal | None
    equity_buying_power: Decimal | None
    derivative_buying_power: Decimal | None
    day_trading_buying_power: Decimal | None
    margin_equity: Decimal | None
    available_trading_funds: Decimal | None
    maintenance_requirement: Decimal | None
    maintenance_excess: Decimal | None
    cash_available_to_withdraw: Decimal | None
    pending_cash: Decimal | None
    used_derivative_buying_power: Decimal | None
    updated_at: datetime | None


def read_balances(item: JsonReader) -> Balances:
    return Balances(
        account_number=item.text("account-number") or "",
        cash_balance=item.decimal("cash-balance"),
        net_liquidating_value=item.decimal("net-liquidating-value"),
        equity_buying_power=item.decimal("equity-buying-power"),
        derivative_buying_power=item.decimal("derivative-buying-power"),
        day_trading_buying_power=item.decimal("day-trading-buying-power"),
        margin_equity=item.decimal("margin-equity"),
        available_trading_funds=item.decimal("available-trading-funds"),
        maintenance_requirement=item.decimal("maintenance-requirement"),
        maintenance_excess=item.decimal("maintenance-excess"),
        cash_available_to_withdraw=item.decimal("cash-available-to-withdraw"),
        pending_cash=item.signed("pending-cash"),
        used_derivative_buying_power=item.decimal("used-derivative-buying-power"),
        updated_at=item.moment("updated-at"),
    )
