"""Tests the life of an order: its statuses, their times and what is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.simulator.envelope import BrokerError
from server.simulator.exchange.contracts import TopOfBook
from server.simulator.exchange.order_entry import make_remaining_ticket
from server.simulator.exchange.orders import Order, Script
from server.simulator.exchange.tickets import amend_ticket, parse_ticket
from server.simulator.exchange.views.orders import order_json
from server.simulator.exchange.vocabulary import Status
from tests.unit.simulator.exchange.conftest import ExchangeHarness, leg, request

CALL = "AAPL  260417C00250000"


def place(harness: ExchangeHarness, body: dict[str, Any]) -> Order:
    return harness.exchange.order_entry.place(harness.margin, parse_ticket(body)).order


def change(harness: ExchangeHarness, order: Order, body: dict[str, Any]) -> Order:
    ticket = amend_ticket(make_remaining_ticket(order), body)
    return harness.exchange.order_entry.replace(harness.margin, order, ticket)


def buy(quantity: int = 10, price: str = "-260", **fields: Any) -> dict[str, Any]:
    return request(leg("AAPL", "Buy to Open", quantity), price=price, **fields)


def statuses(harness: ExchangeHarness, order: Order) -> list[str]:
    seen = [each["status"] for each in harness.recorder.of("Order") if each["id"] == order.id]
    return [word for place, word in enumerate(seen) if place == 0 or seen[place - 1] != word]


def test_a_marketable_order_goes_through_every_stage(harness: ExchangeHarness) -> None:
    order = place(harness, buy())
    assert order.status is Status.ROUTED
    harness.run(1)
    assert statuses(harness, order) == ["Routed", "In Flight", "Live", "Filled"]
    shown = order_json(order)
    stamps = [shown[name] for name in ("received-at", "in-flight-at", "live-at", "terminal-at")]
    assert stamps == sorted(stamps)
    assert shown["legs"][0]["remaining-quantity"] == 0
    assert shown["updated-at"] >= int(order.received_at.timestamp() * 1000)
    assert not shown["cancellable"]


def test_it_fills_at_the_market_and_not_at_its_limit(harness: ExchangeHarness) -> None:
    order = place(harness, buy(price="-260"))
    harness.run(1)
    assert order.legs[0].fills[0].price == Decimal("250.05")


def test_an_order_away_from_the_market_waits_and_fills_when_it_comes(
    harness: ExchangeHarness,
) -> None:
    order = place(harness, buy(price="-240"))
    harness.run(5)
    assert order.status is Status.LIVE
    harness.venue.quote("AAPL", "239.90")
    harness.run(1)
    assert order.status is Status.FILLED


def test_an_order_at_the_middle_is_met_after_its_patience(harness: ExchangeHarness) -> None:
    order = place(harness, buy(price="-250.00"))
    harness.run(1)
    assert order.status is Status.LIVE
    harness.run(2)
    assert order.legs[0].fills[0].price == Decimal("250.00")


def test_a_displayed_size_cuts_an_order_into_parts(
    make_harness: Callable[..., ExchangeHarness],
) -> None:
    harness = make_harness(depth=Decimal(1))
    harness.venue.books["AAPL"] = replace(harness.venue.books["AAPL"], ask_size=Decimal(40))
    order = place(harness, buy(100))
    harness.run(1)
    assert [fill.quantity for fill in order.legs[0].fills] == [40, 40, 20]
    partial = [
        each["legs"][0]["remaining-quantity"]
        for each in harness.recorder.of("Order")
        if each["id"] == order.id and each["status"] == "Live"
    ]
    assert partial == [100, 60, 20]


def test_a_closed_market_keeps_it_received_until_it_opens(harness: ExchangeHarness) -> None:
    harness.venue.closed.add("AAPL")
    check = harness.exchange.order_entry.place(harness.margin, parse_ticket(buy()))
    harness.run(2)
    assert check.order.status is Status.RECEIVED
    assert [problem.code for problem in check.problems] == ["tif.next_valid_session"]
    harness.venue.closed.clear()
    harness.run(1)
    assert check.order.status is Status.FILLED


def test_an_illegal_increment_is_found_at_the_exchange_only(harness: ExchangeHarness) -> None:
    body = buy(price="-249.123")
    assert not harness.exchange.order_entry.check(harness.margin, parse_ticket(body)).problems
    order = place(harness, body)
    harness.run(1)
    assert order.status is Status.REJECTED
    assert "increment" in order_json(order)["reject-reason"]
    assert "cancelled-at" not in order_json(order)


def test_a_threshold_tick_holds_below_it(harness: ExchangeHarness) -> None:
    body = {"price": "2.97", "price-effect": "Debit"}
    order = place(harness, request(leg("SPX   260320P05900000", "Buy to Open")) | body)
    harness.run(1)
    assert order.status is Status.REJECTED


def test_a_day_order_expires_at_the_close_and_a_gtc_order_does_not(
    harness: ExchangeHarness,
) -> None:
    day = place(harness, buy(price="-100"))
    gtc = place(harness, buy(price="-100", time_in_force="GTC"))
    harness.clock.forward(hours=6)
    harness.exchange.step()
    assert (day.status, gtc.status) == (Status.EXPIRED, Status.LIVE)
    assert day.terminal_at == datetime(2026, 3, 10, 20, 0, tzinfo=UTC)


def test_a_gtd_order_expires_on_its_day(harness: ExchangeHarness) -> None:
    order = place(harness, buy(price="-100", time_in_force="GTD", gtc_date="2026-03-12"))
    harness.clock.forward(days=1)
    harness.exchange.step()
    assert order.status is Status.LIVE
    harness.clock.forward(days=1, hours=7)
    harness.exchange.step()
    assert order.status is Status.EXPIRED


def test_what_an_ioc_order_cannot_get_at_once_is_cancelled(
    make_harness: Callable[..., ExchangeHarness],
) -> None:
    harness = make_harness(depth=Decimal(1))
    harness.venue.books["AAPL"] = replace(harness.venue.books["AAPL"], ask_size=Decimal(40))
    order = place(harness, buy(100, time_in_force="IOC"))
    harness.run(1)
    assert order.status is Status.CANCELLED
    assert order.legs[0].filled == 40


def test_an_order_on_an_option_ends_with_it(harness: ExchangeHarness) -> None:
    body = request(leg("AAPL  260320C00250000", "Buy to Open"), price="-0.01", time_in_force="GTC")
    order = place(harness, body)
    harness.clock.forward(days=12)
    harness.exchange.step()
    assert order.status is Status.EXPIRED


def test_a_market_order_takes_the_other_side(harness: ExchangeHarness) -> None:
    order = place(harness, request(leg("AAPL", "Sell to Close", 10), order_type="Market"))
    harness.run(1)
    assert order.legs[0].fills[0].price == Decimal("249.95")


def test_a_market_order_without_a_bid_waits(harness: ExchangeHarness) -> None:
    harness.venue.books["AAPL"] = TopOfBook(bid=None, ask=Decimal(250))
    order = place(harness, request(leg("AAPL", "Sell to Close", 10), order_type="Market"))
    harness.run(3)
    assert order.status is Status.LIVE


def test_a_stop_sale_waits_for_the_market_to_fall(harness: ExchangeHarness) -> None:
    body = request(leg("AAPL", "Sell to Close", 10), order_type="Stop", stop_trigger="245")
    order = place(harness, body)
    harness.run(3)
    assert order.status is Status.LIVE
    assert "price" not in order_json(order)
    harness.venue.quote("AAPL", "244")
    harness.run(1)
    assert order.legs[0].fills[0].price == Decimal("243.95")


def test_a_stop_purchase_waits_for_the_market_to_rise(harness: ExchangeHarness) -> None:
    body = request(leg("AAPL", "Buy to Open", 1), order_type="Stop", stop_trigger="255")
    order = place(harness, body)
    harness.run(3)
    assert order.status is Status.LIVE
    harness.venue.quote("AAPL", "256")
    harness.run(1)
    assert order.status is Status.FILLED


def test_a_stop_limit_keeps_its_limit_once_triggered(harness: ExchangeHarness) -> None:
    sale = leg("AAPL", "Sell to Close", 10)
    order = place(
        harness, request(sale, order_type="Stop Limit", price="244.50", stop_trigger="245")
    )
    harness.venue.quote("AAPL", "240")
    harness.run(3)
    assert (order.status, order.triggered) == (Status.LIVE, True)
    harness.venue.quote("AAPL", "246")
    harness.run(1)
    assert order.status is Status.FILLED


def test_a_notional_order_buys_for_its_value(harness: ExchangeHarness) -> None:
    body = request(
        leg("BTC/USD", "Buy to Open", None, "Cryptocurrency"),
        order_type="Notional Market",
        value="1000",
        value_effect="Debit",
    )
    order = place(harness, body)
    assert "quantity" not in order_json(order)["legs"][0]
    harness.run(1)
    assert order.status is Status.FILLED
    assert order.legs[0].fills[0].quantity == Decimal("0.01666665")
    assert harness.margin.held("BTC/USD") == Decimal("0.01666665")


def test_a_spread_fills_at_its_net_natural_price(harness: ExchangeHarness) -> None:
    body = request(
        leg("AAPL  260417C00250000", "Buy to Open", 2),
        leg("AAPL  260417C00260000", "Sell to Open", 2),
        price="-9.00",
    )
    order = place(harness, body)
    harness.run(1)
    assert order.status is Status.FILLED
    bought, sold = (each.fills[0].price for each in order.legs)
    assert bought == harness.venue.books["AAPL  260417C00250000"].ask
    assert sold == harness.venue.books["AAPL  260417C00260000"].bid


def test_a_spread_at_its_middle_fills_at_exactly_its_price(harness: ExchangeHarness) -> None:
    long, short = "AAPL  260417C00250000", "AAPL  260417C00260000"
    harness.venue.quote(long, "7.33", "0.20")
    harness.venue.quote(short, "5.10", "0.10")
    order = place(
        harness, request(leg(long, "Buy to Open"), leg(short, "Sell to Open"), price="-2.25")
    )
    harness.run(3)
    bought, sold = (each.fills[0].price for each in order.legs)
    assert bought - sold == Decimal("2.25")


def test_legs_are_told_one_after_the_other(harness: ExchangeHarness) -> None:
    body = request(
        leg("AAPL  260417C00250000", "Buy to Open"),
        leg("AAPL  260417C00260000", "Sell to Open"),
        price="-9.00",
    )
    order = place(harness, body)
    harness.run(1)
    fills = [
        [len(each["fills"]) for each in notice["legs"]]
        for notice in harness.recorder.of("Order")
        if notice["id"] == order.id and notice["status"] == "Filled"
    ]
    assert fills == [[1, 0], [1, 1]]


def test_cancelling_takes_a_moment(harness: ExchangeHarness) -> None:
    order = place(harness, buy(price="-100"))
    harness.run(1)
    harness.exchange.order_entry.cancel(order, "me")
    shown = order_json(order)
    assert (shown["status"], shown["cancellable"], shown["editable"]) == (
        "Cancel Requested",
        False,
        False,
    )
    harness.run(1)
    assert order.status is Status.CANCELLED
    assert order.cancelled_at == order.terminal_at


def test_a_fill_may_come_before_the_cancel(harness: ExchangeHarness) -> None:
    order = place(harness, buy(price="-100"))
    harness.run(1)
    harness.exchange.order_entry.cancel(order, "me")
    harness.venue.quote("AAPL", "99")
    order.ready_at = harness.clock.now()
    harness.exchange.step()
    assert order.status is Status.FILLED


@pytest.mark.parametrize("end", [Status.FILLED, Status.CANCELLED])
def test_what_has_ended_cannot_be_cancelled_or_replaced(
    harness: ExchangeHarness, end: Status
) -> None:
    order = place(harness, buy(price="-260" if end is Status.FILLED else "-100"))
    harness.run(1)
    if end is Status.CANCELLED:
        harness.exchange.order_entry.cancel(order, "me")
        harness.run(1)

    assert order.status is end
    for attempt in (
        lambda: harness.exchange.order_entry.cancel(order, "me"),
        lambda: change(harness, order, {"price": "1", "price-effect": "Debit"}),
    ):
        with pytest.raises(BrokerError) as refused:
            attempt()

        assert (refused.value.status, refused.value.code) == (422, "cannot_update_order")


def test_replacing_cancels_the_old_one_before_the_new_one_is_routed(
    harness: ExchangeHarness,
) -> None:
    old = place(harness, buy(price="-100", time_in_force="GTC"))
    harness.run(1)
    new = change(harness, old, {"price": "101", "price-effect": "Debit"})
    assert (old.status, new.status) == (Status.REPLACE_REQUESTED, Status.CONTINGENT)
    harness.run(1)
    assert (old.status, new.status) == (Status.CANCELLED, Status.LIVE)
    shown_old, shown_new = order_json(old), order_json(new)
    assert shown_old["replacing-order-id"] == new.id
    assert shown_new["replaces-order-id"] == old.id
    assert (shown_old["edited"], shown_new["edited"]) == (True, False)
    assert (shown_new["time-in-force"], shown_new["price"]) == ("GTC", "101.0")


def test_a_fill_that_slips_in_aborts_the_replacement(harness: ExchangeHarness) -> None:
    old = place(harness, buy(price="-100"))
    harness.run(1)
    new = change(harness, old, {"price": "101", "price-effect": "Debit"})
    harness.venue.quote("AAPL", "99")
    old.ready_at = harness.clock.now()
    harness.exchange.step()
    assert (old.status, new.status) == (Status.FILLED, Status.REJECTED)
    harness.run(1)
    assert harness.margin.held("AAPL") == 110


def test_a_part_that_slips_in_leaves_the_old_one_working(harness: ExchangeHarness) -> None:
    old = place(harness, buy(price="-100"))
    harness.run(1)
    new = change(harness, old, {"price": "101", "price-effect": "Debit"})
    assert harness.exchange.fill(old, units=Decimal(4), price=None)
    harness.run(1)
    assert (old.status, new.status) == (Status.LIVE, Status.REJECTED)
    assert order_json(old)["edited"] is False


def test_a_partly_filled_order_is_replaced_for_the_rest(harness: ExchangeHarness) -> None:
    old = place(harness, buy(price="-100"))
    harness.run(1)
    harness.exchange.fill(old, units=Decimal(4), price=None)
    new = change(harness, old, {"price": "101", "price-effect": "Debit"})
    harness.run(1)
    assert new.legs[0].quantity == 6
    assert new.status is Status.LIVE


def test_replacing_may_change_the_type(harness: ExchangeHarness) -> None:
    old = place(harness, buy(price="-100"))
    harness.run(1)
    new = change(harness, old, {"order-type": "Market"})
    harness.run(1)
    assert "price" not in order_json(new)
    assert new.status is Status.FILLED


def test_buying_power_is_not_bound_twice_by_a_replacement(harness: ExchangeHarness) -> None:
    old = place(harness, buy(300, price="-200"))
    harness.run(1)
    bound = harness.exchange.registry.reserved(harness.margin.number)
    new = change(harness, old, {"price": "200.5", "price-effect": "Debit"})
    harness.run(1)
    assert new.status is Status.LIVE
    now = harness.exchange.registry.reserved(harness.margin.number)
    assert now - bound == Decimal("75.00")


@pytest.mark.parametrize("behaviour", ["never", "reject", "delayed", "partial"])
def test_scripts_do_what_their_table_says(harness: ExchangeHarness, behaviour: str) -> None:
    order = place(harness, buy(behavior=behaviour, delay=2))
    harness.run(1)
    early = order.status, order.legs[0].filled
    harness.run(3)
    late = order.status, order.legs[0].filled
    assert (early, late) == {
        "never": ((Status.LIVE, 0), (Status.LIVE, 0)),
        "reject": ((Status.REJECTED, 0), (Status.REJECTED, 0)),
        "delayed": ((Status.LIVE, 0), (Status.FILLED, 10)),
        "partial": ((Status.LIVE, 5), (Status.FILLED, 10)),
    }[behaviour]


def test_a_scheduled_order_waits_for_its_instant(harness: ExchangeHarness) -> None:
    due = harness.clock.now() + timedelta(seconds=10)
    order = place(harness, buy(behavior="scheduled", schedule=due.isoformat()))
    harness.run(9)
    assert order.status is Status.LIVE
    harness.run(2)
    assert order.status is Status.FILLED


def test_a_script_laid_ready_takes_the_next_order_of_its_account(harness: ExchangeHarness) -> None:
    harness.exchange.script(harness.margin.number, Script(behaviour="reject", reason="Halted"))
    first, second = place(harness, buy()), place(harness, buy())
    harness.run(1)
    assert (first.status, first.reject_reason) == (Status.REJECTED, "Halted")
    assert second.status is Status.FILLED


def test_the_same_request_twice_is_two_orders(harness: ExchangeHarness) -> None:
    body = buy(external_identifier="mine")
    first, second = place(harness, body), place(harness, body)
    harness.run(1)
    assert first.id != second.id
    assert harness.margin.held("AAPL") == 120
    assert order_json(second)["external-identifier"] == "mine"


def test_strict_closing_is_checked_again_when_the_fill_comes(harness: ExchangeHarness) -> None:
    strict = {"advanced-instructions": {"strict-position-effect-validation": True}}
    sale = request(leg("AAPL", "Sell to Close", 100), price="200") | strict
    first, second = place(harness, sale), place(harness, sale)
    harness.run(1)
    assert (first.status, second.status) == (Status.FILLED, Status.REJECTED)
    assert harness.margin.held("AAPL") == 0


def test_loose_closing_opens_the_opposite_when_the_position_is_gone(
    harness: ExchangeHarness,
) -> None:
    sale = request(leg("AAPL", "Sell to Close", 100), price="200")
    place(harness, sale)
    second = place(harness, sale)
    harness.run(1)
    assert harness.margin.held("AAPL") == -100
    assert second.legs[0].action == "Sell to Open"
