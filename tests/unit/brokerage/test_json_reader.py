"""Reading the broker's JSON: an odd value costs itself, and is counted."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.brokerage.api.balances import read_balances
from server.brokerage.api.history import read_net_liquidating_value
from server.brokerage.api.hours import read_hours
from server.brokerage.api.json_reader import (
    JsonReader,
    ParseFaults,
    Unreadable,
    items_of,
    read_all,
    read_listing,
)
from server.brokerage.api.metrics import read_market_metrics
from server.brokerage.api.orders import read_order
from server.brokerage.api.positions import read_position
from server.brokerage.api.transactions import read_transaction
from server.brokerage.api.watchlists import read_watchlist
from server.errors import BrokerUnreadable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *("id", "symbol", "name", "time", "account-number", "instrument-collection"),
        *("status", "state", "legs", "fills", "watchlist-entries", "next-session", "earnings"),
        *("price", "price-effect", "quantity", "multiplier", "market-cap", "total-close"),
        *("updated-at", "executed-at", "liquidity-rating", "is-estimated-fee"),
    ]
)
READERS = (
    read_balances,
    read_hours,
    read_market_metrics,
    read_net_liquidating_value,
    read_order,
    read_position,
    read_transaction,
    read_watchlist,
)


def item(**values: Any) -> JsonReader:
    return JsonReader(
        {name.replace("_", "-"): value for name, value in values.items()}, ParseFaults()
    )


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@given(raw=st.dictionaries(KEYS, JSON))
def test_no_value_whatever_breaks_a_reader(reader: Any, raw: dict[str, Any]) -> None:
    with suppress(Unreadable):  # the one thing it may say
        reader(JsonReader(raw, ParseFaults()))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_a_decimal_is_exact_as_text_and_as_a_bare_number(value: Decimal) -> None:
    assert item(price=str(value)).decimal("price") == value
    (bare,) = json.loads(f"[{value.normalize()}]")
    assert item(price=bare).decimal("price") == value


def test_a_debit_is_negative() -> None:
    faults = ParseFaults()
    raw = {"price": "1.02", "price-effect": "Debit", "value": "-5", "value-effect": "Credit"}
    assert JsonReader(raw, faults).signed("price") == Decimal("-1.02")
    assert JsonReader(raw, faults).signed("value") == Decimal(5)
    assert JsonReader({"price": "-3"}, faults).signed("price") == Decimal(-3)


def test_what_means_nothing_is_absent_and_not_a_fault() -> None:
    faults = ParseFaults()
    values = JsonReader(
        {"mark": "NaN", "day": "", "at": 0, "inf": "Infinity", "none": None}, faults
    )
    assert values.decimal("mark") is None
    assert values.decimal("inf") is None
    assert values.day("day") is None
    assert values.moment("at") is None
    assert values.text("none") is None
    assert faults.total == 0


def test_what_cannot_be_read_is_counted_by_its_name() -> None:
    faults = ParseFaults()
    values = JsonReader(
        {"price": "dear", "at": "yesterday", "n": "1.5", "legs": 7}, faults, "order"
    )
    assert values.decimal("price") is None
    assert values.moment("at") is None
    assert values.integer("n") is None
    assert values.items("legs", read_order) == ()
    assert dict(faults.counts) == {"order.price": 1, "order.at": 1, "order.n": 1, "order.legs": 1}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-06-12T19:33:51.327+00:00", datetime(2026, 6, 12, 19, 33, 51, 327000, UTC)),
        ("2026-06-05T13:30:00.707Z", datetime(2026, 6, 5, 13, 30, 0, 707000, UTC)),
        (1781292831405, datetime(2026, 6, 12, 19, 33, 51, 405000, UTC)),
        ("2026-06-05T13:30:00", datetime(2026, 6, 5, 13, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_aware(given: object, expected: datetime) -> None:
    assert item(at=given).moment("at") == expected


def test_an_item_without_its_identity_is_left_out_and_counted() -> None:
    faults = ParseFaults()
    raw = [{"id": 1, "status": "Dead"}, {"status": "Live"}, "not an object", {"id": 2}]
    listing = read_listing(raw, read_order, faults, "order")

    assert [order.id for order in listing.items] == ["1", "2"]
    assert listing.skipped == 2
    assert faults.total == 2


def test_an_unknown_status_costs_nothing_and_counts_as_working() -> None:
    (order,) = read_all([{"id": 1, "status": "Pondering"}], read_order, ParseFaults(), "order")
    assert order.status == "Pondering"
    assert not order.is_terminal


def test_net_liq_history_is_read_in_camel_case_with_bare_numbers() -> None:
    raw = {"time": "2026-06-12T00:00:00Z", "totalClose": 100000.1, "pending-cash-open": "1.0"}
    value = read_net_liquidating_value(JsonReader(raw, ParseFaults()))
    assert value.total_close == Decimal("100000.1")
    assert value.pending_cash_open == Decimal("1.0")


def test_dates_are_read_from_moments_too() -> None:
    assert item(day="2026-06-12T19:33:51Z").day("day") == date(2026, 6, 12)


@pytest.mark.parametrize("data", [{"items": {}}, "text", 7, None])
def test_a_list_that_is_none_is_unreadable(data: object) -> None:
    with pytest.raises(BrokerUnreadable):
        items_of(data)


def test_a_list_that_is_left_out_is_empty() -> None:
    assert items_of({}) == []
    assert items_of([1]) == [1]
