"""How an order whose answer was lost is recognised among those that the broker shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from server.orders.submitting.journal import Entry, State
from server.orders.submitting.reconciliation import find_order

NOW = datetime(2026, 11, 27, 15, tzinfo=UTC)


def change(price: str) -> Entry:
    """Returns a replacement of order 7 that is on its way."""
    spec = {"legs": [{"symbol": "KO"}], "price": price}
    return Entry(
        id="row",
        account_number="5WT00001",
        client_order_id="mine",
        tenant_id="tenant",
        kind="replace",
        digest="d",
        state=State.SENDING,
        day=date(2026, 11, 27),
        target_id="7",
        request={"spec": spec},
        answer=None,
        order_id=None,
        looks=0,
        first_look_at=None,
        recorded_at=NOW,
        sent_at=NOW,
    )


def shown(price: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": 8,
        "replaces-order-id": 7,
        "price": price,
        "price-effect": "Debit",
        "received-at": "2026-11-27T15:00:01.000+00:00",
        "legs": [{"symbol": "KO"}],
        **fields,
    }


@pytest.mark.parametrize("price", ["-1.5", "-1.50"])
def test_a_replacement_without_our_name_is_known_by_its_link_and_price(price: str) -> None:
    for text in ("1.5", "1.50"):
        assert find_order(change(price), [shown(text)]) is not None, "a price is no text"

    assert find_order(change(price), [shown("1.51")]) is None
    assert find_order(change(price), [shown("1.5", **{"external-identifier": "theirs"})]) is None
    assert find_order(change(price), [shown("1.5", **{"replaces-order-id": 6})]) is None
