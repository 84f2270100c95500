"""Defines complex orders: OCO (one cancels the other), OTO (one triggers the others) and OTOCO.

Until the trigger is filled, its children are Contingent. The first fill of a child of an OCO, even
a partial one, cancels its siblings: together they could otherwise sell more than the account holds.
"""

from __future__ import annotations

__all__ = ["COMPLEX_TYPES", "ComplexOrder", "make_tag"]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from server.simulator.exchange.orders import Order

COMPLEX_TYPES = ("OCO", "OTO", "OTOCO")
"""The types that can be placed; the broker's PAIRS and BLAST are not supported."""


@dataclass(slots=True, kw_only=True)
class ComplexOrder:
    """Groups some orders under one id."""

    id: int
    account_number: str
    type: str
    orders: list[Order]
    trigger: Order | None
    received_at: datetime

    @property
    def terminal_at(self) -> datetime | None:
        """When the last of its orders ended; None while one is working."""
        ends = [order.terminal_at for order in self.all_orders()]
        return None if None in ends else max(end for end in ends if end is not None)

    @property
    def one_cancels_other(self) -> bool:
        return self.type in ("OCO", "OTOCO")

    def all_orders(self) -> Iterator[Order]:
        """Yields the trigger, if there is one, then the children."""
        if self.trigger is not None:
            yield self.trigger

        yield from self.orders


def make_tag(kind: str, *, trigger: bool = False, index: int = 0) -> str:
    """Returns the broker's `complex-order-tag` for the place of an order."""
    if trigger:
        return f"{kind}::trigger-order"

    return f"OTOCO::oco-{index + 1}-order" if kind == "OTOCO" else f"{kind}::order"
