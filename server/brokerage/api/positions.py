"""What an account holds, and what it is worth at a given price.

`quantity` has no sign: `quantity_direction` has it. `mark` is the value of the whole position and
`mark_price` that of one unit; mixing the two up is off by the multiplier.
"""

from __future__ import annotations

__all__ = ["Position", "read_position"]

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader, Unreadable
from server.brokerage.instruments.symbols import occ_to_streamer, parse
from server.errors import InvalidField


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One open position, as the broker keeps it."""

    account_number: str
    symbol: str
    instrument_type: str
    underlying_symbol: str
    streamer_symbol: str | None
    quantity: Decimal
    quantity_direction: str
    multiplier: Decimal
    average_open_price: Decimal | None
    close_price: Decimal | None
    mark: Decimal | None
    mark_price: Decimal | None
    cost_effect: str | None
    realized_day_gain: Decimal | None
    realized_today: Decimal | None
    expires_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None

    @property
    def sign(self) -> int:
        """1 for long, -1 for short, 0 for what was closed today."""
        return {"Long": 1, "Short": -1}.get(self.quantity_direction, 0)

    @property
    def is_option(self) -> bool:
        return self.instrument_type in ("Equity Option", "Future Option")

    @property
    def units(self) -> Decimal:
        """The signed number of units of the underlying."""
        return self.sign * self.quantity * self.multiplier


def read_position(item: JsonReader) -> Position:
    symbol = item.identity("symbol")
    quantity = item.decimal("quantity")
    if quantity is None:
        raise Unreadable("quantity")

    return Position(
        account_number=item.text("account-number") or "",
        symbol=symbol,
        instrument_type=item.text("instrument-type") or "Unknown",
        underlying_symbol=item.text("underlying-symbol") or symbol,
        streamer_symbol=item.text("streamer-symbol") or _streamer_symbol(symbol),
        quantity=abs(quantity),
        quantity_direction=item.text("quantity-direction") or "Zero",
        multiplier=item.decimal("multiplier") or Decimal(1),
        average_open_price=item.decimal("average-open-price"),
        close_price=item.decimal("close-price"),
        mark=item.decimal("mark"),
        mark_price=item.decimal("mark-price"),
        cost_effect=item.text("cost-effect"),
        realized_day_gain=item.signed("realized-day-gain"),
        realized_today=item.signed("realized-today"),
        expires_at=item.moment("expires-at"),
        created_at=item.moment("created-at"),
        updated_at=item.moment("updated-at"),
    )


def _streamer_symbol(symbol: str) -> str | None:
    if option := occ_to_streamer(symbol):
        return option

    try:
        return parse(symbol).streamer_symbol
    except InvalidField:
        return None  # a warrant, a bond: held, but not quoted
