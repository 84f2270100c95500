"""Renders the margin report: the requirement of the account, by underlying and by position."""

from __future__ import annotations

__all__ = ["report_json"]

from datetime import datetime
from decimal import Decimal
from typing import Any

from server.simulator.exchange.account import Account
from server.simulator.exchange.balances import Balances, collect_exposures, select_margin_rates
from server.simulator.exchange.margin import UnderlyingRequirement, calculate_requirement
from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import format_decimal, with_effect
from server.simulator.exchange.positions import Position
from server.simulator.exchange.views.times import to_epoch_ms
from server.simulator.exchange.vocabulary import InstrumentType

_NAMES = {
    InstrumentType.EQUITY: "Equity",
    InstrumentType.INDEX: "Equity",
    InstrumentType.FUTURE: "Future",
    InstrumentType.CRYPTOCURRENCY: "Cryptocurrency",
}


def report_json(
    account: Account, balances: Balances, marks: Marks, *, at: datetime
) -> dict[str, Any]:
    """Returns the report; requirements are debits, buying power is a credit."""
    need = balances.requirement
    kind = "Reg T" if account.profile.margin else "Cash"
    return {
        "account-number": account.number,
        "description": "Total",
        "margin-calculation-type": kind,
        "option-level": account.profile.options_level,
        **with_effect("margin-requirement", -need.initial),
        **with_effect("initial-requirement", -need.initial),
        **with_effect("maintenance-requirement", -need.maintenance),
        **with_effect("margin-equity", balances.net_liquidating_value),
        **with_effect("option-buying-power", balances.option_buying_power),
        **with_effect("reg-t-margin-requirement", -need.initial),
        **with_effect("reg-t-option-buying-power", balances.option_buying_power),
        **with_effect("maintenance-excess", balances.maintenance_excess),
        "last-state-timestamp": to_epoch_ms(at),
        "groups": [_group(account, group, marks, kind) for group in need.groups],
    }


def _group(
    account: Account, group: UnderlyingRequirement, marks: Marks, kind: str
) -> dict[str, Any]:
    positions = [
        position
        for position in account.positions.values()
        if position.quantity and position.contract.underlying == group.underlying
    ]
    market_value = sum(
        (marks.market_value(position.contract, position.quantity) for position in positions),
        Decimal(0),
    )
    return {
        "description": group.underlying,
        "code": group.underlying,
        "underlying-symbol": group.underlying,
        "underlying-type": _NAMES.get(
            group.underlying_instrument_type, group.underlying_instrument_type.value
        ),
        "expected-price-range-up-percent": "0.15",
        "expected-price-range-down-percent": "0.15",
        "point-of-no-return-percent": "0.5",
        "margin-calculation-type": kind,
        **with_effect("margin-requirement", -group.initial),
        **with_effect("initial-requirement", -group.initial),
        **with_effect("maintenance-requirement", -group.maintenance),
        **with_effect("buying-power", market_value - group.initial),
        "groups": [_entry(account, position, marks) for position in positions],
        "price-increase-percent": "0.15",
        "price-decrease-percent": "-0.15",
    }


def _entry(account: Account, position: Position, marks: Marks) -> dict[str, Any]:
    contract = position.contract
    alone = calculate_requirement(
        collect_exposures([position], marks), select_margin_rates(account)
    )
    return {
        "description": contract.symbol,
        "code": contract.symbol,
        "instrument-type": contract.instrument_type.value,
        "quantity": format_decimal(position.quantity),
        **with_effect("margin-requirement", -alone.initial),
        **with_effect("maintenance-requirement", -alone.maintenance),
    }
