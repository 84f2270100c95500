"""Tests every way in which an order is refused: unreadable, against a rule, not affordable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from server.simulator.envelope import BrokerError
from server.simulator.exchange.problems import Problem
from server.simulator.exchange.tickets import parse_ticket
from tests.unit.simulator.exchange.conftest import ExchangeHarness, leg, option, request

CALL = "AAPL  260417C00250000"
PUT = "AAPL  260417P00250000"
FUTURE = ("/ESH6", "Future")
COIN = ("BTC/USD", "Cryptocurrency")
STRICT = {"advanced-instructions": {"strict-position-effect-validation": True}}
VERTICAL = [
    leg(f"AAPL  260417C00{strike}000", "Buy to Open") for strike in (230, 235, 240, 245, 250)
]


def shares(action: str = "Buy to Open", quantity: Any = 1, **fields: Any) -> dict[str, Any]:
    return request(leg("AAPL", action, quantity), **{"price": "-200", **fields})


def refused(harness: ExchangeHarness, body: Any, *, cash: bool = False) -> BrokerError:
    account = harness.cash if cash else harness.margin
    with pytest.raises(BrokerError) as error:
        harness.exchange.order_entry.place(account, parse_ticket(body))

    return error.value


def found(harness: ExchangeHarness, body: dict[str, Any]) -> list[Problem]:
    return list(harness.exchange.order_entry.check(harness.margin, parse_ticket(body)).problems)


UNREADABLE: dict[str, tuple[Any, str]] = {
    "no object": ([], "body"),
    "no legs": (request(), "legs"),
    "legs that are no list": (request() | {"legs": "AAPL"}, "legs"),
    "a leg that is no object": (request() | {"legs": ["AAPL"]}, "legs[0]"),
    "no symbol": (request({"action": "Buy to Open"}), "legs[0][symbol]"),
    "unknown action": (shares("Acquire"), "legs[0][action]"),
    "unknown instrument type": (request(leg("AAPL", "Buy to Open", 1, "Stock")), "legs[0][instr"),
    "unknown order type": (shares(order_type="Iceberg"), "order-type"),
    "no order type": ({"time-in-force": "Day", "legs": [leg("AAPL", "Buy to Open")]}, "order-type"),
    "unknown time in force": (shares(time_in_force="FOK"), "time-in-force"),
    "quantity that is no number": (shares(quantity="ten"), "legs[0][quantity]"),
    "quantity that is true": (shares(quantity=True), "legs[0][quantity]"),
    "quantity NaN": (shares(quantity="NaN"), "legs[0][quantity]"),
    "price NaN": (shares() | {"price": "NaN"}, "price"),
    "price 1e400": (shares() | {"price": "1e400"}, "price"),
    "negative price": (shares() | {"price": "-200"}, "price"),
    "no effect": ({**shares(), "price-effect": None}, "price-effect"),
    "unknown effect": (shares() | {"price-effect": "Minus"}, "price-effect"),
    "trigger 0": (shares(order_type="Stop Limit", stop_trigger="0"), "stop-trigger"),
    "gtc-date that is none": (shares(time_in_force="GTD", gtc_date="soon"), "gtc-date"),
    "gtc-date without a morrow": (shares(time_in_force="GTD", gtc_date="9999-12-31"), "gtc-date"),
    "unknown behavior": (shares(behavior="maybe"), "behavior"),
    "endless delay": (shares(behavior="delayed", delay="1e9"), "delay"),
    "schedule without offset": (shares(schedule="2026-03-10T12:00:00"), "schedule"),
    "instructions that are no object": (shares(advanced_instructions=True), "advanced-instruct"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_names_the_field(harness: ExchangeHarness, name: str) -> None:
    body, domain = UNREADABLE[name]
    error = refused(harness, body)
    assert (error.status, error.code) == (400, "validation_error")
    assert error.errors[0]["domain"].startswith(domain)
    assert error.errors[0]["reason"]


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown symbol": (request(leg("NOPE", "Buy to Open"), price="-1"), "instrument_validation"),
    "unlisted strike": (
        request(leg("AAPL  260417C00250500", "Buy to Open"), price="-1"),
        "instrument_validation",
    ),
    "an index": (request(leg("SPX", "Buy to Open"), price="-1"), "instrument_validation"),
    "another type than it is": (
        request(leg("AAPL", "Buy to Open", 1, "Equity Option"), price="-1"),
        "instrument_validation",
    ),
    "five legs": (request(*VERTICAL, price="-1"), "too_many_legs"),
    "two stocks": (
        request(leg("AAPL", "Buy to Open"), leg("SPY", "Buy to Open"), price="-1"),
        "too_many_legs",
    ),
    "stock beside option": (
        request(leg("AAPL", "Buy to Open", 100), leg(CALL, "Sell to Open"), price="-1"),
        "invalid_leg_combination",
    ),
    "two underlyings": (
        request(leg(CALL, "Buy to Open"), leg("SPY   260417C00600000", "Sell to Open"), price="-1"),
        "invalid_leg_combination",
    ),
    "a symbol twice": (
        request(leg(CALL, "Buy to Open"), leg(CALL, "Sell to Open"), price="-1"),
        "duplicate_leg_symbol",
    ),
    "Buy of a stock": (shares("Buy"), "invalid_action"),
    "quantity 0": (shares(quantity=0), "invalid_quantity"),
    "negative quantity": (shares(quantity=-1), "invalid_quantity"),
    "half a share": (shares(quantity="0.5"), "invalid_quantity"),
    "half a contract": (request(leg(CALL, "Buy to Open", 1.5), price="-1"), "invalid_quantity"),
    "no quantity": (shares(quantity=None), "invalid_quantity"),
    "market with a price": (shares(order_type="Market"), "order_must_omit_price"),
    "marketable limit with a price": (
        shares(order_type="Marketable Limit"),
        "order_must_omit_price",
    ),
    "stop with a price": (shares(order_type="Stop", stop_trigger="1"), "order_must_omit_price"),
    "limit without a price": (shares(price=None), "order_must_include_price"),
    "stop without a trigger": (
        shares(price=None, order_type="Stop"),
        "order_must_include_stop_trigger",
    ),
    "limit with a trigger": (shares(stop_trigger="1"), "order_must_omit_stop_trigger"),
    "limit with a value": (shares(value="5", value_effect="Debit"), "order_must_omit_value"),
    "notional without a value": (
        request(leg("AAPL", "Buy to Open", None), order_type="Notional Market"),
        "order_must_include_value",
    ),
    "notional option": (
        request(
            leg(CALL, "Buy to Open", None),
            order_type="Notional Market",
            value="5",
            value_effect="Debit",
        ),
        "instrument_validation",
    ),
    "notional with a quantity": (
        request(
            leg("AAPL", "Buy to Open"),
            order_type="Notional Market",
            value="5",
            value_effect="Debit",
        ),
        "invalid_quantity",
    ),
    "buying for a credit": (shares(price="200"), "cant_buy_for_credit"),
    "buying two legs for a credit": (
        request(leg(CALL, "Buy to Open"), leg(PUT, "Buy to Open"), price="1"),
        "cant_buy_for_credit",
    ),
    "selling for a debit": (shares("Sell to Close"), "cant_sell_for_debit"),
    "price 0": (shares(price=None) | {"price": "0"}, "invalid_price"),
    "market with two legs": (
        request(leg(CALL, "Buy to Open"), leg(PUT, "Buy to Open"), order_type="Market"),
        "too_many_legs",
    ),
    "market GTC": (
        shares(price=None, order_type="Market", time_in_force="GTC"),
        "tif.invalid_for_order_type",
    ),
    "opening stop GTC": (
        shares(price=None, order_type="Stop", stop_trigger="300", time_in_force="GTC"),
        "tif.invalid_for_order_type",
    ),
    "GTD without a date": (shares(time_in_force="GTD"), "order_must_include_gtc_date"),
    "GTD in the past": (
        shares(time_in_force="GTD", gtc_date="2026-03-09"),
        "tif.gtc_date_in_the_past",
    ),
    "extended hours for an option": (
        request(leg(CALL, "Buy to Open"), price="-1", time_in_force="Ext"),
        "tif.invalid_for_instrument",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_has_its_code(harness: ExchangeHarness, name: str) -> None:
    body, code = BROKEN[name]
    error = refused(harness, body)
    assert (error.status, error.code) == (422, "preflight_check_failure")
    assert any(inner["code"].startswith(code) for inner in error.errors), error.errors


@pytest.mark.parametrize("name", BROKEN)
def test_a_dry_run_refuses_broken_rules_too(harness: ExchangeHarness, name: str) -> None:
    body, _ = BROKEN[name]
    with pytest.raises(BrokerError):
        harness.exchange.order_entry.check(harness.margin, parse_ticket(body))


def test_nothing_is_left_of_a_refused_order(harness: ExchangeHarness) -> None:
    before = len(harness.exchange.registry.orders)
    for body, _ in BROKEN.values():
        refused(harness, body)

    assert len(harness.exchange.registry.orders) == before
    assert not harness.recorder.of("Order")[before:]


def blocked(harness: ExchangeHarness, body: dict[str, Any], code: str) -> None:
    codes = [problem.code for problem in found(harness, body) if problem.blocks]
    assert codes == [code]
    error = refused(harness, body)
    assert (error.status, error.code) == (422, "preflight_check_failure")
    assert [inner["code"] for inner in error.errors] == [code]


def test_more_than_can_be_paid(harness: ExchangeHarness) -> None:
    blocked(harness, shares(quantity=5000), "margin_check_failed")


def test_a_naked_call_that_needs_too_much(harness: ExchangeHarness) -> None:
    body = request(leg("SPY   260417C00600000", "Sell to Open", 20), price="10")
    blocked(harness, body, "margin_check_failed")


def test_nothing_can_be_bought_without_money(harness: ExchangeHarness) -> None:
    error = refused(harness, shares(), cash=True)
    assert [inner["code"] for inner in error.errors] == ["margin_check_failed"]


def test_working_orders_bind_what_they_will_cost(harness: ExchangeHarness) -> None:
    body = shares(quantity=700, price="-200")
    harness.exchange.order_entry.place(harness.margin, parse_ticket(body))
    blocked(harness, body, "margin_check_failed")


def test_closing_more_than_is_held(harness: ExchangeHarness) -> None:
    blocked(harness, shares("Sell to Close", 101, price="200"), "closing_more_than_held")


def test_strictly_closing_what_is_not_held(harness: ExchangeHarness) -> None:
    body = request(leg("F", "Sell to Close"), price="11") | STRICT
    blocked(harness, body, "closing_with_no_position")


def test_closing_what_is_not_held_opens_with_a_warning(harness: ExchangeHarness) -> None:
    body = request(leg("F", "Sell to Close"), price="11")
    check = harness.exchange.order_entry.check(harness.margin, parse_ticket(body))
    assert check.order.legs[0].action == "Sell to Open"
    (warning,) = check.problems
    assert (warning.code, warning.blocks) == ("closing_with_no_position", False)
    assert warning.message.endswith("updated to a sell to open order when routed.")


def test_a_stop_keeps_its_closing_action(harness: ExchangeHarness) -> None:
    body = request(leg("F", "Sell to Close"), order_type="Stop", stop_trigger="9")
    check = harness.exchange.order_entry.check(harness.margin, parse_ticket(body))
    assert check.order.legs[0].action == "Sell to Close"


def test_opening_against_a_position_closes_it(harness: ExchangeHarness) -> None:
    check = harness.exchange.order_entry.check(
        harness.margin, parse_ticket(shares("Sell to Open", 50, price="260"))
    )
    assert check.order.legs[0].action == "Sell to Close"
    assert [problem.code for problem in check.problems] == ["opening_against_position"]


def test_a_closing_only_symbol_cannot_be_opened(harness: ExchangeHarness) -> None:
    harness.venue.contracts["F"] = replace(harness.venue.contracts["F"], closing_only=True)
    blocked(harness, request(leg("F", "Buy to Open"), price="-11"), "closing_only")


@pytest.mark.parametrize(
    "body",
    [
        request(leg("F", "Sell to Open"), price="11"),
        request(leg("F     260417C00012000", "Sell to Open"), price="0.3"),
        request(leg(FUTURE[0], "Buy", 1, FUTURE[1]), price="-6000"),
    ],
    ids=["short stock", "naked call", "future"],
)
def test_a_cash_account_may_not(harness: ExchangeHarness, body: dict[str, Any]) -> None:
    harness.cash.move_money(
        Decimal(50_000), sub_type="Deposit", description="Cash deposit", at=harness.clock.now()
    )
    error = refused(harness, body, cash=True)
    assert [inner["code"] for inner in error.errors] == ["account_not_permitted"]


def test_a_cash_account_may_sell_a_put_that_its_cash_secures(harness: ExchangeHarness) -> None:
    harness.cash.move_money(
        Decimal(2_000), sub_type="Deposit", description="Cash deposit", at=harness.clock.now()
    )
    one = request(leg("F     260417P00012000", "Sell to Open", 1), price="0.3")
    two = request(leg("F     260417P00012000", "Sell to Open", 2), price="0.3")
    assert not harness.exchange.order_entry.check(harness.cash, parse_ticket(one)).problems
    (problem,) = harness.exchange.order_entry.check(harness.cash, parse_ticket(two)).problems
    assert problem.code == "margin_check_failed"


def test_nobody_sells_a_coin_short(harness: ExchangeHarness) -> None:
    body = request(leg(COIN[0], "Sell to Open", "0.5", COIN[1]), price="60000")
    blocked(harness, body, "account_not_permitted")


def test_an_order_beyond_the_size_limit(harness: ExchangeHarness) -> None:
    codes = {problem.code for problem in found(harness, shares(quantity=60_000))}
    assert "order_size_limit" in codes


def test_selling_to_open_in_the_last_half_hour(harness: ExchangeHarness) -> None:
    harness.clock.instant = datetime(2026, 3, 20, 19, 40, tzinfo=UTC)
    body = request(leg("AAPL  260320C00260000", "Sell to Open"), price="0.1")
    error = refused(harness, body)
    assert [inner["code"] for inner in error.errors] == ["too_close_to_expiration"]


def test_an_expired_contract(harness: ExchangeHarness) -> None:
    gone = option("AAPL", date(2026, 3, 6), Decimal(250), call=True)
    harness.venue.list(gone, Decimal(1))
    error = refused(harness, request(leg(gone.symbol, "Buy to Open"), price="-1"))
    assert "expired" in error.errors[0]["message"]
