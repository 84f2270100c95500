"""Shapes, words, digests, positions and proofs: the parts of orders that ask nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from server.brokerage.api.positions import Position
from server.brokerage.instruments.chains import TickSize
from server.brokerage.instruments.contracts import Contract
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.instruments.symbols import InstrumentKind
from server.brokerage.transport.failures import Refusal, explain
from server.brokerage.transport.send_progress import Outcome, SendProgress, outcome_of
from server.errors import BadInput, BrokerTimeout, BrokerUnavailable
from server.orders.model.actions import map_action
from server.orders.model.drafts import ChangeDraft, ComplexDraft, LegDraft, OrderDraft, digest_of
from server.orders.model.notional import notional_of
from server.orders.model.pricing import LegQuote
from server.orders.placing.validation import check_contracts, check_draft, check_prices
from server.orders.submitting.journal import Entry, State
from server.orders.submitting.reconciliation import find_order

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
CENT = (TickSize(value=Decimal("0.01"), threshold=None),)


def draft(**fields: Any) -> OrderDraft:
    return replace(OrderDraft(legs=(wanted(),), price=Decimal(-1)), **fields)


def wanted(symbol: str = "SPY", action: str = "Buy to Open", quantity: str = "1") -> LegDraft:
    amount = Decimal(quantity) if quantity else None
    return LegDraft(instrument=InstrumentQuery(symbol=symbol), action=action, quantity=amount)


def contract(
    symbol: str = "SPY", kind: InstrumentKind = InstrumentKind.EQUITY, **fields: Any
) -> Contract:
    known: dict[str, Any] = {
        "symbol": symbol,
        "kind": kind,
        "streamer_symbol": symbol,
        "underlying_symbol": symbol.split()[0],
        "multiplier": Decimal(1),
        "ticks": CENT,
    }
    return Contract(**known | fields)


def position(symbol: str, held: int) -> Position:
    return Position(
        account_number="5W",
        symbol=symbol,
        instrument_type="Equity",
        underlying_symbol=symbol,
        streamer_symbol=symbol,
        quantity=Decimal(abs(held)),
        quantity_direction={1: "Long", -1: "Short", 0: "Zero"}[(held > 0) - (held < 0)],
        multiplier=Decimal(1),
        **dict.fromkeys(
            (
                *("average_open_price", "close_price", "mark", "mark_price", "cost_effect"),
                *("realized_day_gain", "realized_today", "expires_at", "created_at", "updated_at"),
            )
        ),
    )


def test_a_digest_is_of_the_order_and_not_of_its_spelling() -> None:
    one = draft(price=Decimal("-4.50"))
    assert digest_of(one) == digest_of(draft(price=Decimal("-4.5000")))
    assert digest_of(one) == digest_of(draft(legs=(wanted(" spy "),), price=Decimal("-450E-2")))


@pytest.mark.parametrize(
    "other",
    [
        draft(price=Decimal("-1.01")),
        draft(price=None),
        draft(time_in_force="GTC"),
        draft(order_type="Market", price=None),
        draft(stop_trigger=Decimal(5)),
        draft(legs=(wanted("QQQ"),)),
        draft(legs=(wanted(action="Buy"),)),
        draft(legs=(wanted(quantity="2"),)),
        draft(legs=(wanted(), wanted("QQQ"))),
        ChangeDraft(order_id="1", price=Decimal(-1)),
        ComplexDraft(type="OTO", trigger=draft(), orders=(draft(),)),
    ],
)
def test_every_part_of_an_order_is_in_its_digest(other: Any) -> None:
    assert digest_of(other) != digest_of(draft())


def test_the_order_of_legs_and_of_parts_matters() -> None:
    one, two = wanted("A"), wanted("B")
    assert digest_of(draft(legs=(one, two))) != digest_of(draft(legs=(two, one)))


@pytest.mark.parametrize(
    "bad",
    [
        draft(legs=()),
        draft(legs=(wanted(),) * 5),
        draft(time_in_force="GTD"),
        draft(order_type="Trailing Stop"),
        draft(legs=(wanted(action="Hold"),)),
        draft(price=Decimal(0)),
        draft(price=Decimal("1e12")),
        draft(price=Decimal("-1." + "0" * 100_000 + "1")),
        draft(price=Decimal("-1e-999999")),
        draft(price=Decimal("NaN")),
        draft(stop_trigger=Decimal(5)),
        draft(value=Decimal(-5)),
        draft(order_type="Market"),
        draft(order_type="Market", price=None, time_in_force="GTC"),
        draft(order_type="Market", price=None, legs=(wanted("A"), wanted("B"))),
        draft(order_type="Stop"),
        draft(order_type="Stop", price=None),
        draft(order_type="Stop", price=None, stop_trigger=Decimal(-5)),
        draft(order_type="Stop Limit", price=None, stop_trigger=Decimal(5)),
        draft(order_type="Stop Limit"),
        draft(order_type="Notional Market", price=None),
        draft(order_type="Notional Market", price=None, value=Decimal(-5)),
        draft(legs=(wanted(quantity=""),)),
        draft(legs=(wanted(quantity="0"),)),
        draft(legs=(wanted(quantity="-1"),)),
        draft(legs=(wanted(quantity="NaN"),)),
        draft(legs=(wanted(quantity="Infinity"),)),
        draft(legs=(wanted(quantity="1000001"),)),
    ],
)
def test_a_draft_that_cannot_be_right_is_refused(bad: OrderDraft) -> None:
    with pytest.raises(BadInput):
        check_draft(bad)


@pytest.mark.parametrize(
    "good",
    [
        draft(),
        draft(price=None),
        draft(order_type="Market", price=None),
        draft(order_type="Market", price=None, time_in_force="IOC"),
        draft(order_type="Stop", price=None, stop_trigger=Decimal(5)),
        draft(order_type="Stop Limit", stop_trigger=Decimal(5)),
        draft(
            order_type="Notional Market", price=None, value=Decimal(-5), legs=(wanted(quantity=""),)
        ),
        draft(legs=(wanted("A"), wanted("B"), wanted("C"), wanted("D")), time_in_force="GTC"),
    ],
)
def test_a_draft_that_may_be_right_passes(good: OrderDraft) -> None:
    check_draft(good)


OPTION = InstrumentKind.EQUITY_OPTION


@pytest.mark.parametrize(
    ("legs", "contracts"),
    [
        ((wanted("SPX"),), [contract("SPX", InstrumentKind.INDEX)]),
        ((wanted("A"), wanted("A")), [contract("A O", OPTION), contract("A O", OPTION)]),
        ((wanted("A"), wanted("A")), [contract("A"), contract("A O", OPTION)]),
        ((wanted("A"), wanted("B")), [contract("A"), contract("B")]),
        ((wanted("A"), wanted("B")), [contract("A 1", OPTION), contract("B 1", OPTION)]),
        ((wanted("A"),), [contract("A 1", OPTION, expires_at=NOW)]),
        ((wanted("A", "Buy"),), [contract("A 1", OPTION)]),
        ((wanted("/ES", "Buy to Open"),), [contract("/ES", InstrumentKind.FUTURE)]),
        ((wanted("A", quantity="1.5"),), [contract("A")]),
        (
            (wanted("BTC/USD", quantity="0.123456789"),),
            [contract("BTC/USD", InstrumentKind.CRYPTOCURRENCY, decimals=8)],
        ),
    ],
)
def test_instruments_that_cannot_be_ordered_so_are_refused(
    legs: tuple[LegDraft, ...], contracts: list[Contract]
) -> None:
    with pytest.raises(BadInput):
        check_contracts(draft(legs=legs), contracts, NOW)


def test_an_option_trades_until_its_last_moment() -> None:
    last = NOW + timedelta(seconds=1)
    check_contracts(draft(), [contract("A 1", OPTION, expires_at=last)], NOW)


@pytest.mark.parametrize(
    ("action", "price", "passes"),
    [
        ("Buy to Open", "-1.00", True),
        ("Buy to Close", "-1.00", True),
        ("Buy", "1.00", False),
        ("Sell to Open", "1.00", True),
        ("Sell to Close", "-1.00", False),
        ("Buy", "-1.005", False),
    ],
)
def test_prices_have_the_sign_of_their_side_and_stand_on_the_tick(
    action: str, price: str, passes: bool
) -> None:
    order = draft(legs=(wanted(action=action),), price=Decimal(price))
    if passes:
        check_prices(order, [contract()])
    else:
        with pytest.raises(BadInput):
            check_prices(order, [contract()])


def test_the_sign_of_a_spread_is_the_markets_to_tell() -> None:
    legs = (wanted("A", "Buy to Open"), wanted("B", "Sell to Open"))
    for price in ("-1.00", "1.00"):
        check_prices(draft(legs=legs, price=Decimal(price)), [contract(), contract()])


@pytest.mark.parametrize(
    ("action", "held", "sent"),
    [
        ("Buy", 0, "Buy to Open"),
        ("Buy", 5, "Buy to Open"),
        ("Buy", -5, "Buy to Close"),
        ("Sell", 0, "Sell to Open"),
        ("Sell", 5, "Sell to Close"),
        ("Sell", -5, "Sell to Open"),
        ("Buy to Open", -5, "Buy to Open"),
        ("Sell to Close", 0, "Sell to Close"),
    ],
)
def test_the_position_decides_what_buy_and_sell_mean(action: str, held: int, sent: str) -> None:
    others = [position("QQQ", -9), position("SPY", held)]
    assert map_action(action, contract(), others, {}) == sent


def test_futures_keep_the_short_words() -> None:
    future = contract("/ESZ6", InstrumentKind.FUTURE)
    assert map_action("Sell", future, [position("/ESZ6", 5)], {}) == "Sell"


def test_notional_counts_every_opening_leg_and_no_closing_one() -> None:
    quote = LegQuote(
        symbol="A 1",
        bid=Decimal(1),
        ask=Decimal(3),
        received_at=NOW,
        age=timedelta(),
        source="stream",
        stale=False,
    )
    option = contract("A 1", OPTION, multiplier=Decimal(100))
    spread = draft(legs=(wanted("A"), wanted("B", "Sell to Open", "2")), price=Decimal("0.10"))
    quotes = {"A 1": quote, "A 2": replace(quote, symbol="A 2")}
    pair = [option, replace(option, symbol="A 2")]
    assert notional_of(spread, pair, quotes) == 100 * 2 + 2 * 100 * 2
    closing = draft(legs=(wanted("A", "Sell to Close", "9"),))
    assert notional_of(closing, [option], quotes) == 0
    assert notional_of(draft(price=Decimal(-7)), [option], quotes) == 700
    assert notional_of(draft(order_type="Market", price=None), [option], {}) is None
    assert notional_of(draft(order_type="Market", price=None), [option], quotes) == 200
    assert notional_of(draft(price=None, value=Decimal(-50)), [contract()], {}) == 50


def refused(status: int, body: bytes = b'{"error": {"code": "c", "message": "m"}}') -> Exception:
    refusal = Refusal.read("POST", "/accounts/5W/orders", status, body)
    error = explain(refusal)
    error.__cause__ = refusal
    return error


async def went(*steps: str) -> SendProgress:
    progress = SendProgress()
    for step in steps:
        await progress.trace(step, {})
    return progress


LEFT = "http11.send_request_headers.started"


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (refused(422), Outcome.REFUSED),
        (refused(400), Outcome.REFUSED),
        (refused(403), Outcome.REFUSED),
        (refused(404), Outcome.REFUSED),
        (refused(401), Outcome.UNSENT),
        (refused(429), Outcome.UNSENT),
        (refused(406), Outcome.UNSENT),
        (refused(429, b"<html>slow down</html>"), Outcome.UNKNOWN),
        (refused(403, b"<html>a proxy's page</html>"), Outcome.UNKNOWN),
        (refused(400, b"{}"), Outcome.UNKNOWN),
        (refused(500), Outcome.UNKNOWN),
        (refused(502, b"<html></html>"), Outcome.UNKNOWN),
        (refused(504), Outcome.UNKNOWN),
        (refused(408), Outcome.UNKNOWN),
        (refused(302), Outcome.UNKNOWN),
        (BrokerTimeout("/orders"), Outcome.UNKNOWN),
        (BrokerUnavailable("connection lost"), Outcome.UNKNOWN),
        (httpx2.ReadError("reset"), Outcome.UNKNOWN),
        (ValueError("a bug of ours"), Outcome.UNKNOWN),
    ],
)
async def test_after_the_first_byte_only_the_brokers_own_no_is_a_no(
    failure: Exception, outcome: Outcome
) -> None:
    assert outcome_of(failure, await went("connection.connect_tcp.started", LEFT)) is outcome


@pytest.mark.parametrize("failure", [refused(500), BrokerTimeout("x"), ValueError("x")])
async def test_before_the_first_byte_nothing_was_sent(failure: Exception) -> None:
    steps = ("connection.connect_tcp.started", "connection.connect_tcp.complete")
    assert outcome_of(failure, await went(*steps)) is Outcome.UNSENT


def entry(kind: str = "place", **fields: Any) -> Entry:
    known: dict[str, Any] = {
        "id": "e",
        "account_number": "5W",
        "client_order_id": "mine",
        "tenant_id": "t",
        "kind": kind,
        "digest": "d",
        "state": State.UNKNOWN,
        "day": NOW.date(),
        "target_id": None,
        "request": {"spec": {"legs": [{"symbol": "SPY"}], "price": "-1.50"}},
        "answer": None,
        "order_id": None,
        "looks": 0,
        "first_look_at": None,
        "recorded_at": NOW,
        "sent_at": NOW,
    }
    return Entry(**known | fields)


def shown(**fields: Any) -> dict[str, Any]:
    known = {
        "id": 7,
        "external-identifier": "mine",
        "received-at": NOW.isoformat(),
        "legs": [{"symbol": "SPY"}],
    }
    return known | {name.replace("_", "-"): value for name, value in fields.items()}


def test_an_order_is_found_by_its_name() -> None:
    assert find_order(entry(), [shown(external_identifier="x"), shown(id=8)]) == shown(id=8)
    assert find_order(entry(), []) is None


@pytest.mark.parametrize(
    "other",
    [
        shown(external_identifier="other"),
        shown(external_identifier=None),
        shown(received_at=(NOW - timedelta(hours=1)).isoformat()),
        shown(legs=[{"symbol": "QQQ"}]),
    ],
)
def test_an_order_of_somebody_elses_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    assert find_order(entry(), [other]) is None


def test_a_replacement_is_found_by_the_brokers_link_where_the_name_was_dropped() -> None:
    replaced = entry("replace", target_id="6")
    linked = shown(
        external_identifier=None, replaces_order_id=6, price="1.50", price_effect="Debit"
    )
    assert find_order(replaced, [linked]) == linked
    assert find_order(replaced, [linked | {"price": "1.60"}]) is None
    assert find_order(entry(), [linked]) is None
