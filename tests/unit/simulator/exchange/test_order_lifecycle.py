"""The life of an order: its statuses, their stamps and what is published on the way."""

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

from .conftest import Bench, leg, request

CALL = "AAPL  260417C00250000"


def place(bench: Bench, body: dict[str, Any]) -> Order:
    return bench.exchange.order_entry.place(bench.margin, parse_ticket(body)).order


def change(bench: Bench, order: Order, body: dict[str, Any]) -> Order:
    ticket = amend_ticket(make_remaining_ticket(order), body)
    return bench.exchange.order_entry.replace(bench.margin, order, ticket)


def buy(quantity: int = 10, price: str = "-260", **fields: Any) -> dict[str, Any]:
    return request(leg("AAPL", "Buy to Open", quantity), price=price, **fields)


def statuses(bench: Bench, order: Order) -> list[str]:
    seen = [each["status"] for each in bench.recorder.of("Order") if each["id"] == order.id]
    return [word for place, word in enumerate(seen) if place == 0 or seen[place - 1] != word]


def test_a_marketable_order_goes_through_every_stage(bench: Bench) -> None:
    order = place(bench, buy())
    assert order.status is Status.ROUTED
    bench.run(1)
    assert statuses(bench, order) == ["Routed", "In Flight", "Live", "Filled"]
    shown = order_json(order)
    stamps = [shown[name] for name in ("received-at", "in-flight-at", "live-at", "terminal-at")]
    assert stamps == sorted(stamps)
    assert shown["legs"][0]["remaining-quantity"] == 0
    assert shown["updated-at"] >= int(order.received_at.timestamp() * 1000)
    assert not shown["cancellable"]


def test_it_fills_at_the_market_and_not_at_its_limit(bench: Bench) -> None:
    order = place(bench, buy(price="-260"))
    bench.run(1)
    assert order.legs[0].fills[0].price == Decimal("250.05")


def test_an_order_away_from_the_market_waits_and_fills_when_it_comes(bench: Bench) -> None:
    order = place(bench, buy(price="-240"))
    bench.run(5)
    assert order.status is Status.LIVE
    bench.venue.quote("AAPL", "239.90")
    bench.run(1)
    assert order.status is Status.FILLED


def test_an_order_at_the_middle_is_met_after_its_patience(bench: Bench) -> None:
    order = place(bench, buy(price="-250.00"))
    bench.run(1)
    assert order.status is Status.LIVE
    bench.run(2)
    assert order.legs[0].fills[0].price == Decimal("250.00")


def test_a_displayed_size_cuts_an_order_into_parts(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(depth=Decimal(1))
    bench.venue.books["AAPL"] = replace(bench.venue.books["AAPL"], ask_size=Decimal(40))
    order = place(bench, buy(100))
    bench.run(1)
    assert [fill.quantity for fill in order.legs[0].fills] == [40, 40, 20]
    partial = [
        each["legs"][0]["remaining-quantity"]
        for each in bench.recorder.of("Order")
        if each["id"] == order.id and each["status"] == "Live"
    ]
    assert partial == [100, 60, 20]


def test_a_closed_market_keeps_it_received_until_it_opens(bench: Bench) -> None:
    bench.venue.closed.add("AAPL")
    check = bench.exchange.order_entry.place(bench.margin, parse_ticket(buy()))
    bench.run(2)
    assert check.order.status is Status.RECEIVED
    assert [problem.code for problem in check.problems] == ["tif.next_valid_session"]
    bench.venue.closed.clear()
    bench.run(1)
    assert check.order.status is Status.FILLED


def test_an_illegal_increment_is_found_at_the_exchange_only(bench: Bench) -> None:
    body = buy(price="-249.123")
    assert not bench.exchange.order_entry.check(bench.margin, parse_ticket(body)).problems
    order = place(bench, body)
    bench.run(1)
    assert order.status is Status.REJECTED
    assert "increment" in order_json(order)["reject-reason"]
    assert "cancelled-at" not in order_json(order)


def test_a_threshold_tick_holds_below_it(bench: Bench) -> None:
    body = {"price": "2.97", "price-effect": "Debit"}
    order = place(bench, request(leg("SPX   260320P05900000", "Buy to Open")) | body)
    bench.run(1)
    assert order.status is Status.REJECTED


def test_a_day_order_expires_at_the_close_and_a_gtc_order_does_not(bench: Bench) -> None:
    day = place(bench, buy(price="-100"))
    gtc = place(bench, buy(price="-100", time_in_force="GTC"))
    bench.clock.move(hours=6)
    bench.exchange.step()
    assert (day.status, gtc.status) == (Status.EXPIRED, Status.LIVE)
    assert day.terminal_at == datetime(2026, 3, 10, 20, 0, tzinfo=UTC)


def test_a_gtd_order_expires_on_its_day(bench: Bench) -> None:
    order = place(bench, buy(price="-100", time_in_force="GTD", gtc_date="2026-03-12"))
    bench.clock.move(days=1)
    bench.exchange.step()
    assert order.status is Status.LIVE
    bench.clock.move(days=1, hours=7)
    bench.exchange.step()
    assert order.status is Status.EXPIRED


def test_what_an_ioc_order_cannot_get_at_once_is_cancelled(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(depth=Decimal(1))
    bench.venue.books["AAPL"] = replace(bench.venue.books["AAPL"], ask_size=Decimal(40))
    order = place(bench, buy(100, time_in_force="IOC"))
    bench.run(1)
    assert order.status is Status.CANCELLED
    assert order.legs[0].filled == 40


def test_an_order_on_an_option_ends_with_it(bench: Bench) -> None:
    body = request(leg("AAPL  260320C00250000", "Buy to Open"), price="-0.01", time_in_force="GTC")
    order = place(bench, body)
    bench.clock.move(days=12)
    bench.exchange.step()
    assert order.status is Status.EXPIRED


def test_a_market_order_takes_the_other_side(bench: Bench) -> None:
    order = place(bench, request(leg("AAPL", "Sell to Close", 10), order_type="Market"))
    bench.run(1)
    assert order.legs[0].fills[0].price == Decimal("249.95")


def test_a_market_order_without_a_bid_waits(bench: Bench) -> None:
    bench.venue.books["AAPL"] = TopOfBook(bid=None, ask=Decimal(250))
    order = place(bench, request(leg("AAPL", "Sell to Close", 10), order_type="Market"))
    bench.run(3)
    assert order.status is Status.LIVE


def test_a_stop_sale_waits_for_the_market_to_fall(bench: Bench) -> None:
    body = request(leg("AAPL", "Sell to Close", 10), order_type="Stop", stop_trigger="245")
    order = place(bench, body)
    bench.run(3)
    assert order.status is Status.LIVE
    assert "price" not in order_json(order)
    bench.venue.quote("AAPL", "244")
    bench.run(1)
    assert order.legs[0].fills[0].price == Decimal("243.95")


def test_a_stop_purchase_waits_for_the_market_to_rise(bench: Bench) -> None:
    body = request(leg("AAPL", "Buy to Open", 1), order_type="Stop", stop_trigger="255")
    order = place(bench, body)
    bench.run(3)
    assert order.status is Status.LIVE
    bench.venue.quote("AAPL", "256")
    bench.run(1)
    assert order.status is Status.FILLED


def test_a_stop_limit_keeps_its_limit_once_triggered(bench: Bench) -> None:
    sale = leg("AAPL", "Sell to Close", 10)
    order = place(bench, request(sale, order_type="Stop Limit", price="244.50", stop_trigger="245"))
    bench.venue.quote("AAPL", "240")
    bench.run(3)
    assert (order.status, order.triggered) == (Status.LIVE, True)
    bench.venue.quote("AAPL", "246")
    bench.run(1)
    assert order.status is Status.FILLED


def test_a_notional_order_buys_for_its_value(bench: Bench) -> None:
    body = request(
        leg("BTC/USD", "Buy to Open", None, "Cryptocurrency"),
        order_type="Notional Market",
        value="1000",
        value_effect="Debit",
    )
    order = place(bench, body)
    assert "quantity" not in order_json(order)["legs"][0]
    bench.run(1)
    assert order.status is Status.FILLED
    assert order.legs[0].fills[0].quantity == Decimal("0.01666665")
    assert bench.margin.held("BTC/USD") == Decimal("0.01666665")


def test_a_spread_fills_at_its_net_natural_price(bench: Bench) -> None:
    body = request(
        leg("AAPL  260417C00250000", "Buy to Open", 2),
        leg("AAPL  260417C00260000", "Sell to Open", 2),
        price="-9.00",
    )
    order = place(bench, body)
    bench.run(1)
    assert order.status is Status.FILLED
    bought, sold = (each.fills[0].price for each in order.legs)
    assert bought == bench.venue.books["AAPL  260417C00250000"].ask
    assert sold == bench.venue.books["AAPL  260417C00260000"].bid


def test_a_spread_at_its_middle_fills_at_exactly_its_price(bench: Bench) -> None:
    long, short = "AAPL  260417C00250000", "AAPL  260417C00260000"
    bench.venue.quote(long, "7.33", "0.20")
    bench.venue.quote(short, "5.10", "0.10")
    order = place(
        bench, request(leg(long, "Buy to Open"), leg(short, "Sell to Open"), price="-2.25")
    )
    bench.run(3)
    bought, sold = (each.fills[0].price for each in order.legs)
    assert bought - sold == Decimal("2.25")


def test_legs_are_told_one_after_the_other(bench: Bench) -> None:
    body = request(
        leg("AAPL  260417C00250000", "Buy to Open"),
        leg("AAPL  260417C00260000", "Sell to Open"),
        price="-9.00",
    )
    order = place(bench, body)
    bench.run(1)
    fills = [
        [len(each["fills"]) for each in notice["legs"]]
        for notice in bench.recorder.of("Order")
        if notice["id"] == order.id and notice["status"] == "Filled"
    ]
    assert fills == [[1, 0], [1, 1]]


def test_cancelling_takes_a_moment(bench: Bench) -> None:
    order = place(bench, buy(price="-100"))
    bench.run(1)
    bench.exchange.order_entry.cancel(order, "me")
    shown = order_json(order)
    assert (shown["status"], shown["cancellable"], shown["editable"]) == (
        "Cancel Requested",
        False,
        False,
    )
    bench.run(1)
    assert order.status is Status.CANCELLED
    assert order.cancelled_at == order.terminal_at


def test_a_fill_may_come_before_the_cancel(bench: Bench) -> None:
    order = place(bench, buy(price="-100"))
    bench.run(1)
    bench.exchange.order_entry.cancel(order, "me")
    bench.venue.quote("AAPL", "99")
    order.ready_at = bench.clock.now()
    bench.exchange.step()
    assert order.status is Status.FILLED


@pytest.mark.parametrize("end", [Status.FILLED, Status.CANCELLED])
def test_what_has_ended_cannot_be_cancelled_or_replaced(bench: Bench, end: Status) -> None:
    order = place(bench, buy(price="-260" if end is Status.FILLED else "-100"))
    bench.run(1)
    if end is Status.CANCELLED:
        bench.exchange.order_entry.cancel(order, "me")
        bench.run(1)

    assert order.status is end
    for attempt in (
        lambda: bench.exchange.order_entry.cancel(order, "me"),
        lambda: change(bench, order, {"price": "1", "price-effect": "Debit"}),
    ):
        with pytest.raises(BrokerError) as refused:
            attempt()

        assert (refused.value.status, refused.value.code) == (422, "cannot_update_order")


def test_replacing_cancels_the_old_one_before_the_new_one_is_routed(bench: Bench) -> None:
    old = place(bench, buy(price="-100", time_in_force="GTC"))
    bench.run(1)
    new = change(bench, old, {"price": "101", "price-effect": "Debit"})
    assert (old.status, new.status) == (Status.REPLACE_REQUESTED, Status.CONTINGENT)
    bench.run(1)
    assert (old.status, new.status) == (Status.CANCELLED, Status.LIVE)
    shown_old, shown_new = order_json(old), order_json(new)
    assert shown_old["replacing-order-id"] == new.id
    assert shown_new["replaces-order-id"] == old.id
    assert (shown_old["edited"], shown_new["edited"]) == (True, False)
    assert (shown_new["time-in-force"], shown_new["price"]) == ("GTC", "101.0")


def test_a_fill_that_slips_in_aborts_the_replacement(bench: Bench) -> None:
    old = place(bench, buy(price="-100"))
    bench.run(1)
    new = change(bench, old, {"price": "101", "price-effect": "Debit"})
    bench.venue.quote("AAPL", "99")
    old.ready_at = bench.clock.now()
    bench.exchange.step()
    assert (old.status, new.status) == (Status.FILLED, Status.REJECTED)
    bench.run(1)
    assert bench.margin.held("AAPL") == 110


def test_a_part_that_slips_in_leaves_the_old_one_working(bench: Bench) -> None:
    old = place(bench, buy(price="-100"))
    bench.run(1)
    new = change(bench, old, {"price": "101", "price-effect": "Debit"})
    assert bench.exchange.fill(old, units=Decimal(4), price=None)
    bench.run(1)
    assert (old.status, new.status) == (Status.LIVE, Status.REJECTED)
    assert order_json(old)["edited"] is False


def test_a_partly_filled_order_is_replaced_for_the_rest(bench: Bench) -> None:
    old = place(bench, buy(price="-100"))
    bench.run(1)
    bench.exchange.fill(old, units=Decimal(4), price=None)
    new = change(bench, old, {"price": "101", "price-effect": "Debit"})
    bench.run(1)
    assert new.legs[0].quantity == 6
    assert new.status is Status.LIVE


def test_replacing_may_change_the_type(bench: Bench) -> None:
    old = place(bench, buy(price="-100"))
    bench.run(1)
    new = change(bench, old, {"order-type": "Market"})
    bench.run(1)
    assert "price" not in order_json(new)
    assert new.status is Status.FILLED


def test_buying_power_is_not_bound_twice_by_a_replacement(bench: Bench) -> None:
    old = place(bench, buy(300, price="-200"))
    bench.run(1)
    bound = bench.exchange.registry.reserved(bench.margin.number)
    new = change(bench, old, {"price": "200.5", "price-effect": "Debit"})
    bench.run(1)
    assert new.status is Status.LIVE
    now = bench.exchange.registry.reserved(bench.margin.number)
    assert now - bound == Decimal("75.00")


@pytest.mark.parametrize("behaviour", ["never", "reject", "delayed", "partial"])
def test_scripts_do_what_their_table_says(bench: Bench, behaviour: str) -> None:
    order = place(bench, buy(behavior=behaviour, delay=2))
    bench.run(1)
    early = order.status, order.legs[0].filled
    bench.run(3)
    late = order.status, order.legs[0].filled
    assert (early, late) == {
        "never": ((Status.LIVE, 0), (Status.LIVE, 0)),
        "reject": ((Status.REJECTED, 0), (Status.REJECTED, 0)),
        "delayed": ((Status.LIVE, 0), (Status.FILLED, 10)),
        "partial": ((Status.LIVE, 5), (Status.FILLED, 10)),
    }[behaviour]


def test_a_scheduled_order_waits_for_its_instant(bench: Bench) -> None:
    due = bench.clock.now() + timedelta(seconds=10)
    order = place(bench, buy(behavior="scheduled", schedule=due.isoformat()))
    bench.run(9)
    assert order.status is Status.LIVE
    bench.run(2)
    assert order.status is Status.FILLED


def test_a_script_laid_ready_takes_the_next_order_of_its_account(bench: Bench) -> None:
    bench.exchange.script(bench.margin.number, Script(behaviour="reject", reason="Halted"))
    first, second = place(bench, buy()), place(bench, buy())
    bench.run(1)
    assert (first.status, first.reject_reason) == (Status.REJECTED, "Halted")
    assert second.status is Status.FILLED


def test_the_same_request_twice_is_two_orders(bench: Bench) -> None:
    body = buy(external_identifier="mine")
    first, second = place(bench, body), place(bench, body)
    bench.run(1)
    assert first.id != second.id
    assert bench.margin.held("AAPL") == 120
    assert order_json(second)["external-identifier"] == "mine"


def test_strict_closing_is_checked_again_when_the_fill_comes(bench: Bench) -> None:
    strict = {"advanced-instructions": {"strict-position-effect-validation": True}}
    sale = request(leg("AAPL", "Sell to Close", 100), price="200") | strict
    first, second = place(bench, sale), place(bench, sale)
    bench.run(1)
    assert (first.status, second.status) == (Status.FILLED, Status.REJECTED)
    assert bench.margin.held("AAPL") == 0


def test_loose_closing_opens_the_opposite_when_the_position_is_gone(bench: Bench) -> None:
    sale = request(leg("AAPL", "Sell to Close", 100), price="200")
    place(bench, sale)
    second = place(bench, sale)
    bench.run(1)
    assert bench.margin.held("AAPL") == -100
    assert second.legs[0].action == "Sell to Open"
