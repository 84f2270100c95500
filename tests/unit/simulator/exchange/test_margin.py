"""Tests margin, buying power and fees against figures calculated by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from server.simulator.exchange.contracts import Contract
from server.simulator.exchange.fees import calculate_fees
from server.simulator.exchange.margin import (
    CASH,
    REG_T,
    Exposure,
    MarginRates,
    calculate_requirement,
)
from server.simulator.exchange.tickets import parse_ticket
from tests.unit.simulator.exchange.conftest import (
    MONTHLIES,
    ExchangeHarness,
    coin,
    future,
    leg,
    option,
    request,
    stock,
)

SPOT = Decimal(250)


def held(contract: Contract, quantity: int | str, mark: str, spot: Decimal = SPOT) -> Exposure:
    return Exposure(contract=contract, quantity=Decimal(quantity), mark=Decimal(mark), spot=spot)


def shares(quantity: int) -> Exposure:
    return held(stock("AAPL"), quantity, "250")


def call(strike: int, quantity: int, mark: str, expiration: date = MONTHLIES[1]) -> Exposure:
    contract = option("AAPL", expiration, Decimal(strike), call=True)
    return held(contract, quantity, mark)


def put(strike: int, quantity: int, mark: str, expiration: date = MONTHLIES[1]) -> Exposure:
    contract = option("AAPL", expiration, Decimal(strike), call=False)
    return held(contract, quantity, mark)


CASES: dict[str, tuple[list[Exposure], str]] = {
    "100 shares: half": ([shares(100)], "12500"),
    "100 shares short: half": ([shares(-100)], "12500"),
    "long call: all of it": ([call(250, 1, "7.50")], "750"),
    # 20 % of 250 less nothing, on top of the premium that was received
    "naked call at the money": ([call(250, -1, "7.50")], "5000"),
    # 20 % of 250 is 50, less 30 out of the money is 20; 10 % of 250 is 25
    "naked call far out": ([call(280, -1, "1.00")], "2500"),
    # 50 less 20 is 30; 10 % of 230 is 23
    "naked put": ([put(230, -1, "2.00")], "3000"),
    "covered call: the shares only": ([shares(100), call(260, -1, "3.00")], "12500"),
    "half covered": ([shares(150), call(260, -2, "3.00")], "22750"),
    # greatest loss 10 wide, less what the pair is worth short: 1000 - (5.00 - 2.00) * 100
    "credit spread": ([put(240, -1, "5.00"), put(230, 1, "2.00")], "700"),
    "debit spread: what it is worth": ([call(250, 1, "7.50"), call(260, -1, "3.00")], "450"),
    # two wings of 10, only one can lose: 1000 less 1.20 + 1.10 of credit that is still in it
    "iron condor": (
        [
            put(230, 1, "1.00"),
            put(240, -1, "2.20"),
            call(260, -1, "2.10"),
            call(270, 1, "1.00"),
        ],
        "770",
    ),
    # call side 4500 + 300, put side 4000 + 200: the greater, plus the premium of the other
    "strangle": ([call(255, -1, "3.00"), put(240, -1, "2.00")], "4500"),
    "long that expires first covers nothing": (
        [call(260, -1, "3.00", MONTHLIES[1]), call(270, 1, "1.00", MONTHLIES[0])],
        "4100",
    ),
    "calendar": ([call(250, -1, "5.00", MONTHLIES[0]), call(250, 1, "8.00")], "300"),
    "ratio: one pair and one naked": (
        [call(250, 1, "7.50"), call(260, -2, "3.00")],
        "4450",
    ),
    "a future: its amount": ([held(future("/ESH6"), 2, "6000")], "44000"),
    "a coin: all of it": ([held(coin("BTC/USD"), "0.5", "60000")], "30000"),
}


@pytest.mark.parametrize("name", CASES)
def test_requirements(name: str) -> None:
    exposures, expected = CASES[name]
    assert calculate_requirement(exposures, REG_T).initial == Decimal(expected)


@pytest.mark.parametrize(
    ("exposures", "rules", "expected"),
    [
        ([shares(100)], REG_T, "6250"),
        ([shares(-100)], REG_T, "7500"),
        ([shares(100)], CASH, "25000"),
    ],
)
def test_maintenance(exposures: list[Exposure], rules: MarginRates, expected: str) -> None:
    assert calculate_requirement(exposures, rules).maintenance == Decimal(expected)


def test_a_cash_account_secures_puts_by_their_strike() -> None:
    assert calculate_requirement([put(230, -1, "2.00")], CASH).initial == Decimal(23_000 - 200)


def test_a_worthless_naked_option_still_needs_its_floor() -> None:
    cheap = option("F", MONTHLIES[1], Decimal(15), call=True)
    exposure = held(cheap, -1, "0.01", Decimal(12))
    assert calculate_requirement([exposure], REG_T).initial == Decimal(250)


def test_underlyings_are_weighed_apart() -> None:
    other = held(stock("SPY"), 10, "600", Decimal(600))
    groups = calculate_requirement([shares(100), other], REG_T).groups
    assert [(group.underlying, group.initial) for group in groups] == [
        ("AAPL", Decimal(12_500)),
        ("SPY", Decimal(3_000)),
    ]


def effect(
    harness: ExchangeHarness, *legs: dict[str, object], price: str, **fields: object
) -> Decimal:
    body = request(*legs, price=price, **fields)
    check = harness.exchange.order_entry.check(harness.margin, parse_ticket(body))
    assert check.effect.new == check.effect.current + check.effect.change
    return check.effect.change


def test_buying_shares_binds_half_their_price(harness: ExchangeHarness) -> None:
    change = effect(harness, leg("MSFT", "Buy to Open", 10), price="-400")
    assert change == Decimal("-2000.010")


def test_an_order_far_below_the_market_binds_half_of_its_own_price(
    harness: ExchangeHarness,
) -> None:
    change = effect(harness, leg("MSFT", "Buy to Open", 10), price="-100")
    assert change == Decimal("-500.010")


def test_buying_an_option_binds_its_price(harness: ExchangeHarness) -> None:
    change = effect(harness, leg("MSFT  260417C00400000", "Buy to Open"), price="-9.00")
    assert change == Decimal("-901.12")


def test_a_credit_spread_binds_its_width_less_its_credit(harness: ExchangeHarness) -> None:
    change = effect(
        harness,
        leg("MSFT  260417P00400000", "Sell to Open"),
        leg("MSFT  260417P00392000", "Buy to Open"),
        price="1.50",
    )
    fees = Decimal(2) + Decimal("0.2") + Decimal("0.04") + Decimal("0.00279")
    assert change == -(Decimal(800) - Decimal(150)) - fees


def test_a_price_nobody_pays_makes_nobody_rich(harness: ExchangeHarness) -> None:
    sale = leg("SPY   260417P00576000", "Sell to Close")
    mark = harness.venue.books[str(sale["symbol"])].mark
    assert effect(harness, sale, price="9999") == effect(harness, sale, price=str(mark))


def test_shares_that_cover_a_call_can_be_offered_at_any_price(harness: ExchangeHarness) -> None:
    # Selling them uncovers the call, which binds what it binds at any price.
    sale = leg("AAPL", "Sell to Close", 50)
    assert effect(harness, sale, price="9999") == effect(harness, sale, price="250")


def test_closing_frees_what_was_bound(harness: ExchangeHarness) -> None:
    change = effect(harness, leg("NVDA", "Sell to Close", 50), price="120")
    assert Decimal(2990) < change < Decimal(3000)


def test_the_effect_comes_true_when_the_order_fills(harness: ExchangeHarness) -> None:
    harness.venue.quote("MSFT", "400", "0.00")
    body = request(leg("MSFT", "Buy to Open", 10), price="-400")
    before = harness.exchange.balances(harness.margin).option_buying_power
    check = harness.exchange.order_entry.place(harness.margin, parse_ticket(body))
    harness.run(1)
    assert check.order.status == "Filled"
    after = harness.exchange.balances(harness.margin).option_buying_power
    assert after - before == check.effect.change


def test_a_future_binds_its_margin_and_no_cash(harness: ExchangeHarness) -> None:
    change = effect(harness, leg("/ESH6", "Buy", 1, "Future"), price="-6010")
    assert change == Decimal("-22002.70")


@pytest.mark.parametrize(
    ("contract", "quantity", "buys", "opens", "value", "total"),
    [
        # the recorded purchase of one option: 1.00 + 0.10 + 0.02
        (option("SMCI", MONTHLIES[0], Decimal(45), call=True), 1, True, True, "75", "1.12"),
        (option("SMCI", MONTHLIES[0], Decimal(45), call=True), 1, True, False, "75", "0.12"),
        (option("SPX", MONTHLIES[0], Decimal(6000), call=False), 1, True, True, "9000", "1.72"),
        # commission is capped at ten dollars a leg
        (option("SMCI", MONTHLIES[0], Decimal(45), call=True), 50, True, True, "75", "16.00"),
        (stock("AAPL"), 100, True, True, "25000", "0.10"),
        # the recorded sale of one share: 0.001 + 0.000166
        (stock("SPY"), 1, False, True, "600", "0.001166"),
        (future("/ESH6"), 2, True, True, "600000", "5.40"),
        (coin("BTC/USD"), 1, True, True, "500", "5.00"),
        (coin("BTC/USD"), 1, True, True, "60000", "10.00"),
    ],
)
def test_fees(
    contract: Contract, quantity: int, buys: bool, opens: bool, value: str, total: str
) -> None:
    fees = calculate_fees(contract, Decimal(quantity), buys=buys, opens=opens, value=Decimal(value))
    assert fees.total == Decimal(total)


def test_the_calculation_adds_up() -> None:
    contract = option("SPX", MONTHLIES[0], Decimal(6000), call=False)
    shown = calculate_fees(
        contract, Decimal(3), buys=False, opens=True, value=Decimal(27_000)
    ).to_json()
    parts = ("regulatory-fees", "clearing-fees", "commission", "proprietary-index-option-fees")
    assert sum(Decimal(str(shown[part])) for part in parts) == Decimal(str(shown["total-fees"]))
    breakdown = shown["regulatory-fees-breakdown"]
    assert isinstance(breakdown, list)
    assert [each["name"] for each in breakdown] == ["exchange", "nfa", "orf", "sec", "taf"]
    assert shown["total-fees-effect"] == "Debit"
