"""Tests complex orders: OCO, OTO, OTOCO, their cancels and their replacements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from server.simulator.envelope import BrokerError
from server.simulator.exchange.complex_orders import ComplexOrder
from server.simulator.exchange.order_entry import make_remaining_ticket
from server.simulator.exchange.tickets import amend_ticket, parse_ticket
from server.simulator.exchange.views.orders import complex_order_json
from server.simulator.exchange.vocabulary import Status
from tests.unit.simulator.exchange.conftest import ExchangeHarness, leg, request

HELD = {"time_in_force": "GTC"}


def sale(price: str = "300", quantity: int = 10) -> dict[str, Any]:
    return request(leg("AAPL", "Sell to Close", quantity), price=price, **HELD)


def stop(trigger: str = "200", quantity: int = 10) -> dict[str, Any]:
    sell = leg("AAPL", "Sell to Close", quantity)
    return request(sell, order_type="Stop", stop_trigger=trigger, **HELD)


def entry(price: str = "-390") -> dict[str, Any]:
    return request(leg("MSFT", "Buy to Open", 10), price=price)


def exits() -> list[dict[str, Any]]:
    sell = leg("MSFT", "Sell to Close", 10)
    return [
        request(sell, price="450", **HELD),
        request(sell, order_type="Stop", stop_trigger="200", **HELD),
    ]


def place(
    harness: ExchangeHarness,
    kind: str,
    *orders: dict[str, Any],
    trigger: dict[str, Any] | None = None,
) -> ComplexOrder:
    first = None if trigger is None else parse_ticket(trigger)
    tickets = [parse_ticket(order) for order in orders]
    return harness.exchange.order_entry.place_complex(harness.margin, kind, first, tickets)[0]


def states(whole: ComplexOrder) -> list[Status]:
    return [order.status for order in whole.all_orders()]


def test_both_orders_of_an_oco_work_at_once(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    assert states(whole) == [Status.LIVE, Status.LIVE]
    assert [order.complex_tag for order in whole.orders] == ["OCO::order", "OCO::order"]
    assert whole.terminal_at is None


@pytest.mark.parametrize(("market", "filled"), [("301", 0), ("199", 1)])
def test_the_fill_of_one_cancels_the_other(
    harness: ExchangeHarness, market: str, filled: int
) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    harness.venue.quote("AAPL", market)
    harness.run(1)
    assert whole.orders[filled].status is Status.FILLED
    assert whole.orders[1 - filled].status is Status.CANCELLED
    assert harness.margin.held("AAPL") == 90
    assert whole.terminal_at is not None


def test_a_partial_fill_ends_the_other_one_too(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    harness.exchange.fill(whole.orders[0], units=Decimal(3), price=None)
    harness.run(1)
    assert states(whole) == [Status.LIVE, Status.CANCELLED]


def test_an_oco_never_sells_more_than_one_of_its_orders(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(quantity=100), stop(quantity=100))
    harness.run(1)
    harness.venue.quote("AAPL", "199")
    for order in whole.orders:
        order.ready_at = harness.clock.now()

    harness.run(1)
    assert harness.margin.held("AAPL") == 0


def test_children_wait_for_their_trigger(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTOCO", *exits(), trigger=entry())
    harness.run(1)
    assert states(whole) == [Status.LIVE, Status.CONTINGENT, Status.CONTINGENT]
    assert [order.complex_tag for order in whole.all_orders()] == [
        "OTOCO::trigger-order",
        "OTOCO::oco-1-order",
        "OTOCO::oco-2-order",
    ]
    assert complex_order_json(whole)["orders"][0]["contingent-status"] == "Pending Order"
    harness.venue.quote("MSFT", "389")
    harness.run(1)
    assert states(whole) == [Status.FILLED, Status.LIVE, Status.LIVE]
    harness.venue.quote("MSFT", "451")
    harness.run(1)
    assert states(whole) == [Status.FILLED, Status.FILLED, Status.CANCELLED]
    assert harness.margin.held("MSFT") == 0


def test_an_oto_triggers_all_its_orders(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTO", *exits()[:1], trigger=entry("-500"))
    harness.run(1)
    assert states(whole) == [Status.FILLED, Status.LIVE]


def test_children_go_with_a_trigger_that_never_filled(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTOCO", *exits(), trigger=entry())
    harness.run(1)
    assert whole.trigger is not None
    harness.exchange.order_entry.cancel(whole.trigger, "me")
    assert states(whole) == [Status.CANCEL_REQUESTED, Status.CONTINGENT, Status.CONTINGENT]
    harness.run(1)
    assert set(states(whole)) == {Status.CANCELLED}


def test_cancelling_the_whole_ends_dormant_children_at_once(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTOCO", *exits(), trigger=entry())
    harness.run(1)
    harness.exchange.order_entry.cancel_complex(whole, "me")
    assert states(whole) == [Status.CANCEL_REQUESTED, Status.CANCELLED, Status.CANCELLED]
    harness.run(1)
    assert set(states(whole)) == {Status.CANCELLED}
    with pytest.raises(BrokerError) as refused:
        harness.exchange.order_entry.cancel_complex(whole, "me")

    assert refused.value.code == "cannot_update_order"


def test_the_children_of_a_cancelled_oco_end_one_after_the_other(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    harness.exchange.order_entry.cancel(whole.orders[0], "me")
    harness.run(1)
    assert set(states(whole)) == {Status.CANCELLED}
    first, second = (order.cancelled_at for order in whole.orders)
    assert first is not None
    assert second is not None
    assert first < second


def test_a_day_trigger_takes_its_children_with_it_at_the_close(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTOCO", *exits(), trigger=entry())
    harness.clock.forward(hours=8)
    harness.exchange.step()
    assert states(whole) == [Status.EXPIRED, Status.CANCELLED, Status.CANCELLED]


def test_a_child_can_be_replaced_and_keeps_its_place(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    old = whole.orders[0]
    ticket = amend_ticket(make_remaining_ticket(old), {"price": "310", "price-effect": "Credit"})
    new = harness.exchange.order_entry.replace(harness.margin, old, ticket)
    harness.run(1)
    assert whole.orders[0] is new
    assert states(whole) == [Status.LIVE, Status.LIVE]
    harness.venue.quote("AAPL", "199")
    harness.run(1)
    assert states(whole) == [Status.CANCELLED, Status.FILLED]


def test_a_fill_while_a_sibling_is_being_replaced_ends_both_of_its_versions(
    harness: ExchangeHarness,
) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    old = whole.orders[0]
    ticket = amend_ticket(make_remaining_ticket(old), {"price": "310", "price-effect": "Credit"})
    new = harness.exchange.order_entry.replace(harness.margin, old, ticket)
    harness.exchange.fill(whole.orders[1], units=None, price=Decimal(199))
    harness.run(1)
    assert (old.status, new.status) == (Status.CANCELLED, Status.REJECTED)
    assert harness.margin.held("AAPL") == 90


def test_a_waiting_child_is_replaced_where_it_waits(harness: ExchangeHarness) -> None:
    whole = place(harness, "OTO", *exits()[:1], trigger=entry())
    harness.run(1)
    old = whole.orders[0]
    ticket = amend_ticket(make_remaining_ticket(old), {"price": "460", "price-effect": "Credit"})
    new = harness.exchange.order_entry.replace(harness.margin, old, ticket)
    assert (old.status, new.status) == (Status.CANCELLED, Status.CONTINGENT)
    harness.venue.quote("MSFT", "389")
    harness.run(1)
    assert states(whole) == [Status.FILLED, Status.LIVE]


def test_children_are_checked_against_what_the_trigger_brings(harness: ExchangeHarness) -> None:
    body = exits()
    strict = {"advanced-instructions": {"strict-position-effect-validation": True}}
    tickets = [parse_ticket(each | strict) for each in body]
    checks = harness.exchange.order_entry.check_complex(
        harness.margin, "OTOCO", parse_ticket(entry("-390")), tickets
    )
    assert [problem for check in checks for problem in check.problems] == []


def test_one_bad_child_refuses_the_whole(harness: ExchangeHarness) -> None:
    before = len(harness.exchange.registry.orders)
    with pytest.raises(BrokerError) as refused:
        place(harness, "OCO", sale(quantity=1000), stop())

    assert refused.value.code == "preflight_check_failure"
    assert len(harness.exchange.registry.orders) == before


def test_every_change_is_published_with_the_whole(harness: ExchangeHarness) -> None:
    whole = place(harness, "OCO", sale(), stop())
    harness.run(1)
    harness.venue.quote("AAPL", "301")
    harness.run(1)
    told = [one for one in harness.recorder.of("ComplexOrder") if one["id"] == whole.id]
    assert told[-1] == complex_order_json(whole)
