"""Makes what a caller is told of a change: its receipt, or the error for a broker's refusal.

Both are made of the journal's row and nothing else, so that the first answer and each repeat agree.
"""

from __future__ import annotations

__all__ = ["UNKNOWN", "Receipt", "receipt_of", "refusal_of", "refusal_record"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.brokerage.api.json_reader import ParseFaults
from server.brokerage.api.order_api import placement_of
from server.brokerage.api.order_replies import Placement
from server.brokerage.transport.failures import answered
from server.errors import (
    ClientOrderIdRetired,
    ComplexOrderNotFound,
    ForbiddenByBroker,
    GatewayError,
    NotKnownToBroker,
    OrderNotFound,
    OrderRefused,
)
from server.orders.model.records import Priced, priced_of
from server.orders.submitting.journal import Entry, State

UNKNOWN = "Unknown"
"""The status of what only the broker knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of an order, as far as it is known."""

    client_order_id: str
    status: str
    placement: Placement
    priced: Priced
    dry_run: bool = False
    replaced_order_id: str = ""
    replayed: bool = False

    @property
    def order_id(self) -> str:
        order, whole = self.placement.order, self.placement.complex_order
        return order.id if order is not None else whole.id if whole is not None else ""


def receipt_of(entry: Entry, *, replayed: bool = False) -> Receipt:
    """Returns what is known; raises the broker's refusal, or ClientOrderIdRetired."""
    if entry.state in (State.ACCEPTED, State.REFUSED) and entry.answer is None:
        raise ClientOrderIdRetired(entry.client_order_id, entry.day.isoformat())
    if entry.state is State.REFUSED and entry.answer is not None:
        raise refusal_of(entry)

    placement = Placement()
    status = UNKNOWN
    if entry.state is State.ACCEPTED:
        placement = placement_of(entry.answer, ParseFaults())
        if placement.order is not None:
            status = placement.order.status
        elif placement.complex_order is not None:
            status = "Placed"

    return Receipt(
        client_order_id=entry.client_order_id,
        status=status,
        placement=placement,
        priced=priced_of(entry.request),
        replaced_order_id=(entry.target_id or "") if entry.kind == "replace" else "",
        replayed=replayed,
    )


def refusal_of(entry: Entry) -> GatewayError:
    """Returns the error for a change that the broker refused, whatever kind of change it was."""
    kept = entry.answer or {}
    words, codes = kept.get("words", ""), kept.get("codes", ())
    match kept.get("reason"):
        case ForbiddenByBroker.reason:
            return ForbiddenByBroker(words)
        case NotKnownToBroker.reason:
            return NotKnownToBroker(words)
        case OrderNotFound.reason:
            return OrderNotFound(entry.target_id or "")
        case ComplexOrderNotFound.reason:
            return ComplexOrderNotFound(entry.target_id or "")
        case _:
            return OrderRefused(words, codes)


def refusal_record(failure: GatewayError) -> Mapping[str, Any]:
    """Returns what is kept of the broker's refusal."""
    refusal = answered(failure)
    return {
        "reason": failure.reason,
        "words": str(failure) if refusal is None else refusal.words,
        "codes": [] if refusal is None else list(refusal.codes),
    }
