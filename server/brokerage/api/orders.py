"""Orders as the broker shows them: what was asked for, what became of it, leg by leg.

A status stays the broker's own word, since the broker has more of them than the SDK knows (`Dead`,
`Remove Pending`); one that we do not know counts as still working, because an order that is shown
needlessly harms nobody and one that is hidden may.
"""

from __future__ import annotations

__all__ = ["TERMINAL_STATUSES", "Fill", "Order", "OrderLeg", "read_dry_run", "read_order"]

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader

TERMINAL_STATUSES = frozenset(
    {
        "Filled",
        "Cancelled",
        "Canceled",
        "Rejected",
        "Expired",
        "Removed",
        "Partially Removed",
        "Dead",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution of a leg."""

    fill_id: str | None
    quantity: Decimal | None
    fill_price: Decimal | None
    """Per unit, without sign."""
    filled_at: datetime | None
    destination_venue: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLeg:
    """One instrument of an order."""

    symbol: str
    instrument_type: str | None
    action: str | None
    quantity: Decimal | None
    remaining_quantity: Decimal | None
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order."""

    id: str
    """Empty for a dry run: the broker gives it no number."""
    account_number: str | None
    status: str
    order_type: str | None
    time_in_force: str | None
    price: Decimal | None
    """Per unit, a debit negative."""
    stop_trigger: Decimal | None
    value: Decimal | None
    size: Decimal | None
    underlying_symbol: str | None
    underlying_instrument_type: str | None
    legs: tuple[OrderLeg, ...]
    cancellable: bool
    editable: bool
    edited: bool
    received_at: datetime | None
    live_at: datetime | None
    cancelled_at: datetime | None
    terminal_at: datetime | None
    updated_at: datetime | None
    reject_reason: str | None
    complex_order_id: str | None
    complex_order_tag: str | None
    replaces_order_id: str | None
    replacing_order_id: str | None
    gtc_date: date | None
    external_identifier: str | None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in TERMINAL_STATUSES


def read_order(item: JsonReader) -> Order:
    """Returns a placed order."""
    return _order(item, item.identity("id"))


def read_dry_run(item: JsonReader) -> Order:
    """Returns an order that was only tried, and so has no number."""
    return _order(item, "")


def _order(item: JsonReader, order_id: str) -> Order:
    return Order(
        id=order_id,
        account_number=item.text("account-number"),
        status=item.text("status") or "Unknown",
        order_type=item.text("order-type"),
        time_in_force=item.text("time-in-force"),
        price=item.signed("price"),
        stop_trigger=item.decimal("stop-trigger"),
        value=item.signed("value"),
        size=item.decimal("size"),
        underlying_symbol=item.text("underlying-symbol"),
        underlying_instrument_type=item.text("underlying-instrument-type"),
        legs=item.items("legs", _leg),
        cancellable=item.flag("cancellable") or False,
        editable=item.flag("editable") or False,
        edited=item.flag("edited") or False,
        received_at=item.moment("received-at"),
        live_at=item.moment("live-at"),
        cancelled_at=item.moment("cancelled-at"),
        terminal_at=item.moment("terminal-at"),
        updated_at=item.moment("updated-at"),
        reject_reason=item.text("reject-reason"),
        complex_order_id=item.text("complex-order-id"),
        complex_order_tag=item.text("complex-order-tag"),
        replaces_order_id=item.text("replaces-order-id"),
        replacing_order_id=item.text("replacing-order-id"),
        gtc_date=item.day("gtc-date"),
        external_identifier=item.text("external-identifier"),
    )


def _leg(item: JsonReader) -> OrderLeg:
    return OrderLeg(
        symbol=item.text("symbol") or "",
        instrument_type=item.text("instrument-type"),
        action=item.text("action"),
        quantity=item.decimal("quantity"),
        remaining_quantity=item.decimal("remaining-quantity"),
        fills=item.items("fills", _fill),
    )


def _fill(item: JsonReader) -> Fill:
    return Fill(
        fill_id=item.text("fill-id"),
        quantity=item.decimal("quantity"),
        fill_price=item.decimal("fill-price"),
        filled_at=item.moment("filled-at"),
        destination_venue=item.text("destination-venue"),
    )
