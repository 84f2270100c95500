"""Tests nights and expirations: variation, exercise, assignment, the gain of the day."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from server.simulator.exchange.ledger import Transaction
from server.simulator.exchange.tickets import parse_ticket
from server.simulator.exchange.valuation_history import ValuationHistory
from server.simulator.exchange.views.transactions import transaction_json
from tests.unit.simulator.exchange.conftest import ExchangeHarness, leg, request

AFTER_EXPIRATION = datetime(2026, 3, 20, 21, 0, tzinfo=UTC)


def fill(harness: ExchangeHarness, body: dict[str, Any]) -> None:
    order = harness.exchange.order_entry.place(harness.margin, parse_ticket(body)).order
    harness.run(1)
    assert order.status == "Filled"


def expire(harness: ExchangeHarness) -> list[Transaction]:
    known = {one.id for one in harness.margin.ledger.journal}
    harness.clock.instant = AFTER_EXPIRATION
    harness.exchange.step()
    return [
        one
        for one in harness.margin.ledger.journal
        if one.id not in known and one.type == "Receive Deliver"
    ]


def test_an_option_out_of_the_money_is_removed_worthless(harness: ExchangeHarness) -> None:
    fill(harness, request(leg("AAPL  260320C00260000", "Buy to Open"), price="-99"))
    (gone,) = expire(harness)
    assert (gone.sub_type, gone.value, gone.fees.total) == ("Expiration", 0, 0)
    assert harness.margin.held("AAPL  260320C00260000") == 0
    assert harness.margin.held("AAPL") == 100


@pytest.mark.parametrize(
    ("symbol", "action", "shares", "how"),
    [
        ("AAPL  260320C00240000", "Buy to Open", 100, "Exercise"),
        ("AAPL  260320C00240000", "Sell to Open", -100, "Assignment"),
        ("AAPL  260320P00260000", "Buy to Open", -100, "Exercise"),
        ("AAPL  260320P00260000", "Sell to Open", 100, "Assignment"),
    ],
)
def test_an_option_in_the_money_moves_shares(
    harness: ExchangeHarness, symbol: str, action: str, shares: int, how: str
) -> None:
    price = "-99" if action.startswith("Buy") else "0.01"
    fill(harness, request(leg(symbol, action), price=price))
    cash = harness.margin.ledger.cash
    removal, delivery = expire(harness)
    assert (removal.sub_type, delivery.sub_type) == (how, how)
    assert harness.margin.held("AAPL") == 100 + shares
    strike = Decimal(240 if "C" in symbol[6:] else 260)
    assert harness.margin.ledger.cash - cash == -shares * strike


def test_an_index_option_settles_in_cash(harness: ExchangeHarness) -> None:
    harness.venue.quote("SPX", "5950")
    harness.venue.quote("SPX   260320P06000000", "80")
    fill(harness, request(leg("SPX   260320P06000000", "Buy to Open"), price="-99"))
    (settled,) = expire(harness)
    assert settled.sub_type == "Cash Settled Exercise"
    assert settled.value == Decimal(5000)
    assert "SPX" not in harness.margin.positions


def test_a_future_pays_its_variation_every_night(harness: ExchangeHarness) -> None:
    fill(harness, request(leg("/ESH6", "Buy", 1, "Future"), price="-6020"))
    bought = harness.venue.books["/ESH6"].ask
    assert bought is not None
    cash = harness.margin.ledger.cash
    harness.venue.quote("/ESH6", "6030")
    before = harness.exchange.balances(harness.margin).net_liquidating_value
    harness.clock.forward(hours=8)
    harness.exchange.step()
    gain = (Decimal(6030) - bought) * 50
    assert harness.margin.ledger.cash - cash == gain
    assert harness.exchange.balances(harness.margin).net_liquidating_value == before
    paid = harness.margin.ledger.journal[-1]
    assert (paid.type, paid.sub_type) == ("Money Movement", "Mark to Market")
    shown = transaction_json(paid)
    assert "quantity" not in shown
    assert "commission" not in shown


def test_closing_a_future_pays_only_what_the_nights_have_not(harness: ExchangeHarness) -> None:
    fill(harness, request(leg("/ESH6", "Buy", 2, "Future"), price="-6020"))
    start = harness.margin.ledger.cash
    bought = harness.venue.books["/ESH6"].ask
    harness.venue.quote("/ESH6", "6030")
    harness.clock.forward(hours=8)
    harness.exchange.step()
    harness.venue.quote("/ESH6", "6000", "0.50")
    fill(harness, request(leg("/ESH6", "Sell", 2, "Future"), price="5000"))
    assert bought is not None
    fees = harness.margin.ledger.journal[-1].fees.total
    assert harness.margin.ledger.cash - start == (Decimal("5999.75") - bought) * 100 - fees
    assert harness.margin.held("/ESH6") == 0


def test_a_future_is_closed_out_when_it_expires(harness: ExchangeHarness) -> None:
    fill(harness, request(leg("/ESH6", "Buy", 1, "Future"), price="-6020"))
    (gone,) = expire(harness)
    assert gone.sub_type == "Cash Settlement"
    assert harness.margin.held("/ESH6") == 0


def test_realized_gains_are_todays_and_against_both_prices(harness: ExchangeHarness) -> None:
    position = harness.margin.positions["NVDA"]
    assert position.average_open_price == Decimal("105.6")
    fill(harness, request(leg("NVDA", "Sell to Close", 20), price="100"))
    sold = harness.venue.books["NVDA"].bid
    assert sold is not None
    after = harness.margin.positions["NVDA"]
    assert after.realized_today == (sold - Decimal("105.6")) * 20
    assert after.realized_day_gain == (sold - Decimal(120)) * 20
    assert (after.quantity, after.average_open_price) == (30, Decimal("105.6"))


def test_the_next_day_forgets_closed_positions(harness: ExchangeHarness) -> None:
    fill(harness, request(leg("NVDA", "Sell to Close", 50), price="100"))
    assert harness.margin.positions["NVDA"].quantity == 0
    harness.clock.forward(hours=8)
    harness.exchange.step()
    assert "NVDA" not in harness.margin.positions


def test_history_starts_with_the_first_deposit_and_ends_now(harness: ExchangeHarness) -> None:
    now = harness.clock.now()
    history = ValuationHistory(harness.margin, harness.venue, now)
    first = harness.margin.ledger.journal[0]
    assert history.balances_at(first.executed_at).net_liquidating_value == first.value
    end = harness.exchange.balances(harness.margin).net_liquidating_value
    assert history.balances_at(now).net_liquidating_value == end
    bars = history.bars(first.executed_at, (now - first.executed_at) / 100)
    assert bars[-1].close == end
    assert all(bar.low <= min(bar.open, bar.close) for bar in bars)
    assert all(bar.high >= max(bar.open, bar.close) for bar in bars)
    assert [one.open for one in bars[1:]] == [one.close for one in bars[:-1]]
