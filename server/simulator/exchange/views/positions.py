"""Renders positions as the broker does: positive quantities with a direction and an effect."""

from __future__ import annotations

__all__ = ["position_json"]

from datetime import date
from typing import Any

from server.simulator.exchange.marks import Marks
from server.simulator.exchange.money import ZERO, format_decimal, round_cents, with_effect
from server.simulator.exchange.positions import Position
from server.simulator.exchange.views.times import format_zulu


def position_json(
    account_number: str, position: Position, marks: Marks, *, today: date, with_marks: bool
) -> dict[str, Any]:
    """Returns one position; marks are included only on request."""
    contract = position.contract
    long = position.quantity > 0
    direction = "Long" if long else "Short" if position.quantity else "Zero"
    same_day = position.realized_on == today
    day = (position.realized_on or today).isoformat()
    shown: dict[str, Any] = {
        "account-number": account_number,
        "symbol": contract.symbol,
        "instrument-type": contract.instrument_type.value,
        "underlying-symbol": contract.underlying,
        "quantity": format_decimal(abs(position.quantity)),
        "quantity-direction": direction,
        "close-price": format_decimal(marks.close(contract)),
        "average-open-price": format_decimal(position.average_open_price),
        "average-yearly-market-close-price": format_decimal(position.average_open_price),
        "average-daily-market-close-price": format_decimal(marks.close(contract)),
        "multiplier": int(contract.multiplier),
        "cost-effect": {"Long": "Credit", "Short": "Debit", "Zero": "None"}[direction],
        "is-suppressed": False,
        "is-frozen": False,
        "restricted-quantity": "0.0",
        **with_effect("realized-day-gain", position.realized_day_gain if same_day else ZERO),
        "realized-day-gain-date": day,
        **with_effect("realized-today", position.realized_today if same_day else ZERO),
        "realized-today-date": day,
        "created-at": format_zulu(position.opened_at),
        "updated-at": format_zulu(position.updated_at),
    }
    if contract.streamer_symbol:
        shown["streamer-symbol"] = contract.streamer_symbol

    if contract.expires_at is not None:
        shown["expires-at"] = format_zulu(contract.expires_at)

    if position.order_id is not None:
        shown["order-id"] = position.order_id

    if with_marks:
        shown["mark"] = format_decimal(
            round_cents(abs(marks.market_value(contract, position.quantity)))
        )
        shown["mark-price"] = format_decimal(marks.mark(contract))

    return shown
