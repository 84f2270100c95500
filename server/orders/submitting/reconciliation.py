"""Finds a change whose answer was lost among the orders that the broker shows.

An order matches if it carries our identifier, was received since we sent it, and has our symbols: a
name may have been used for another order of the same account, through another system.
"""

from __future__ import annotations

__all__ = ["ENDING", "find_order", "is_cancelled", "is_whole_ending"]

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.api.orders import TERMINAL_STATUSES
from server.orders.model.records import priced_of, symbols_of
from server.orders.submitting.journal import Entry

CLOCKS_APART = timedelta(minutes=10)
"""How far the broker's clock may be from ours."""

ENDING = frozenset({"Cancel Requested", "Cancelled", "Canceled", "Remove Pending", "Removed"})

Raw = Mapping[str, Any]


def find_order(entry: Entry, shown: Sequence[Raw]) -> Raw | None:
    """Returns the order that an entry became, as the broker writes it; None if it is not there."""
    for raw in shown:
        if raw.get("external-identifier") == entry.client_order_id and _may_be(entry, raw):
            return raw

    if entry.kind == "replace":
        return _by_link(entry, shown)

    return None


def is_cancelled(raw: Raw) -> bool:
    """Whether an order is cancelled, or being cancelled."""
    return raw.get("status") in ENDING


def is_whole_ending(whole: Raw) -> bool:
    """Whether nothing of a complex order can trade any more, or all of it is being cancelled."""
    if whole.get("terminal-at") is not None:
        return True

    parts = [each for each in [whole.get("trigger-order"), *whole.get("orders", ())] if each]
    return bool(parts) and all(
        is_cancelled(each) or each.get("status") in TERMINAL_STATUSES for each in parts
    )


def _by_link(entry: Entry, shown: Sequence[Raw]) -> Raw | None:
    """Follows the broker's own link from the old order, should it drop our identifier."""
    for raw in shown:
        links = str(raw.get("replaces-order-id", "")) == entry.target_id
        nameless = raw.get("external-identifier") is None
        if links and nameless and _price_of(raw) == priced_of(entry.request).price:
            return raw if _may_be(entry, raw) else None

    return None


def _may_be(entry: Entry, raw: Raw) -> bool:
    received = JsonReader(raw, ParseFaults()).moment("received-at")
    if received is not None and received < _earliest(entry):
        return False

    symbols = frozenset(
        leg.get("symbol") for leg in raw.get("legs", ()) if isinstance(leg, Mapping)
    )
    return not symbols or symbols <= symbols_of(entry.request)


def _earliest(entry: Entry) -> datetime:
    return (entry.sent_at or entry.recorded_at) - CLOCKS_APART


def _price_of(raw: Raw) -> Decimal | None:
    return JsonReader(raw, ParseFaults()).signed("price")
