"""Defines positions and what a trade changes about them.

A position is a value: a trade returns a new one, so that "what if" costs nothing. The quantity is
signed here (short is negative) and never on the wire. Cost is relieved in proportion and in whole
cents, and the last unit closed takes the rest, so that no cost remains when a position is closed.
"""

from __future__ import annotations

__all__ = ["Position", "TradeOutcome", "apply_trade", "make_flat_position"]

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.money import ZERO, round_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Holds what an account has of one contract."""

    contract: Contract
    quantity: Decimal
    """Signed: long is positive."""

    cost: Decimal
    """Signed dollars: what a long cost, minus the proceeds of a short. For a future, the value from
    which its next variation is calculated; no money was paid for it."""

    points: Decimal
    """Sum of price times signed quantity of what is open: the numerator of the average open
    price."""

    day_cost: Decimal
    """`cost`, but with overnight positions valued at the last close, for the gain of the day."""

    opened_at: datetime
    updated_at: datetime
    order_id: int | None = None
    realized_today: Decimal = ZERO
    """Gain realized on the day `realized_on`, against the price paid."""

    realized_day_gain: Decimal = ZERO
    """Gain realized on that day, against the last close for overnight positions."""

    realized_on: date | None = None

    @property
    def average_open_price(self) -> Decimal:
        if not self.quantity:
            return ZERO

        return _trim(self.points / self.quantity)

    def mark_to_close(self, price: Decimal) -> Position:
        """Returns the position at the start of the next day, valued at the last close."""
        return replace(self, day_cost=round_cents(price * self.quantity * self.contract.multiplier))


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOutcome:
    """Describes how a trade changed a position."""

    opened: Decimal = ZERO
    """Units added (positive)."""

    closed: Decimal = ZERO
    """Units removed (positive)."""

    cost_change: Decimal = ZERO
    realized: Decimal = ZERO


def make_flat_position(contract: Contract, at: datetime) -> Position:
    """Returns an empty position in a contract."""
    return Position(
        contract=contract,
        quantity=ZERO,
        cost=ZERO,
        points=ZERO,
        day_cost=ZERO,
        opened_at=at,
        updated_at=at,
    )


def apply_trade(
    position: Position,
    change: Decimal,
    price: Decimal,
    *,
    at: datetime,
    day: date,
    order_id: int | None = None,
) -> tuple[Position, TradeOutcome]:
    """Returns the position after buying (`change` > 0) or selling units at a price.

    A trade may close a position and open the opposite one at once; the closing part comes first.
    """
    multiplier = position.contract.multiplier
    held = position.quantity
    closes = min(abs(change), abs(held)) if held * change < 0 else ZERO
    opens = abs(change) - closes
    side = 1 if change > 0 else -1

    value = round_cents(price * abs(change) * multiplier)
    closing_value = round_cents(price * closes * multiplier) if opens else value
    if not closes:
        closing_value = ZERO

    share = closes / abs(held) if closes else ZERO
    everything = closes == abs(held)
    relieved = position.cost if everything else round_cents(position.cost * share)
    day_relieved = position.day_cost if everything else round_cents(position.day_cost * share)
    # Proceeds of the closing part, signed as cash: positive for a sale, negative for a purchase.
    proceeds = -side * closing_value
    realized = proceeds - relieved if closes else ZERO
    day_gain = proceeds - day_relieved if closes else ZERO
    added = side * (value - closing_value) if opens else ZERO

    same_day = position.realized_on == day
    after = Position(
        contract=position.contract,
        quantity=held + change,
        cost=position.cost - (relieved if closes else ZERO) + added,
        points=(position.points * (1 - share) if not everything or not closes else ZERO)
        + side * opens * price,
        day_cost=position.day_cost - (day_relieved if closes else ZERO) + added,
        opened_at=at if not held or (closes and opens) else position.opened_at,
        updated_at=at,
        order_id=order_id if order_id is not None else position.order_id,
        realized_today=(position.realized_today if same_day else ZERO) + realized,
        realized_day_gain=(position.realized_day_gain if same_day else ZERO) + day_gain,
        realized_on=day if closes or same_day else position.realized_on,
    )
    return after, TradeOutcome(
        opened=opens,
        closed=closes,
        cost_change=after.cost - position.cost,
        realized=realized,
    )


def _trim(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.00000001")).normalize()
