"""Defines the guard that decides about orders of models before they are sent."""

from __future__ import annotations

__all__ = ["Guard", "Weighed", "larger", "taken_by"]

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from server.brokerage.api.order_replies import Placement
from server.orders.placing.order_preparer import Prepared

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """An order that is ready to be sent, with what it weighs in dollars."""

    parts: Sequence[Prepared]
    """The orders of which it consists."""
    opening: Decimal | None
    """What it commits; at least what it takes of the buying power. None where nobody knows."""
    closing: Decimal | None
    """What it closes is worth; None where no price is known."""


class Guard(Protocol):
    """Decides about one order before it is sent."""

    def admit(self, order: Weighed) -> None:
        """Counts the order; raises NotAllowed where it may not be sent."""


def taken_by(placement: Placement) -> Decimal | None:
    """Returns what a dry run says that an order takes of the buying power."""
    power = placement.buying_power
    change = None if power is None else power.change_in_buying_power
    return None if change is None else max(-change, ZERO)


def larger(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Returns the larger of two amounts, of which either may not be known."""
    known = [each for each in (one, other) if each is not None]
    return max(known) if known else None
