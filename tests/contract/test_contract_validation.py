"""Requests are validated against the rules that the contract states, all fields at any depth."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from tasty.v1 import account_service_pb2 as account
from tasty.v1 import chat_service_pb2 as chat
from tasty.v1 import credentials_service_pb2 as credentials
from tasty.v1 import market_data_service_pb2 as market_data
from tasty.v1 import market_data_stream_pb2 as stream
from tasty.v1 import new_order_pb2 as order
from tasty.v1 import order_placement_pb2 as placement
from tasty.v1 import reference_service_pb2 as reference
from tasty.v1 import watchlist_pb2
from tasty.v1 import watchlist_service_pb2 as watchlist

from server.contract.validation import validate
from server.errors import (
    BadInput,
    InvalidDate,
    InvalidField,
    InvalidOptionType,
    InvalidStrike,
    NothingGiven,
    TooManyGiven,
    WeakApiKey,
)

NAN = float("nan")
SPY = watchlist_pb2.WatchlistEntry(symbol="SPY")


def leg(**fields: object) -> order.NewOrderLeg:
    return order.NewOrderLeg(**{"symbol": "SPY", "action": "Buy", "quantity": 1, **fields})  # type: ignore[arg-type]  # any field


def place(*legs: order.NewOrderLeg, **fields: str) -> placement.PlaceOrderRequest:
    return placement.PlaceOrderRequest(account_id="A", order=order.NewOrder(legs=legs, **fields))  # type: ignore[arg-type]  # texts


@pytest.mark.parametrize(
    "request_",
    [
        account.ListTransactionsRequest(account_id="A"),
        account.ListTransactionsRequest(days=1, transaction_type="Money Movement"),
        account.ListTransactionsRequest(days=3650, page_token="", underlying_symbol=""),
        account.GetBalancesRequest(),  # whoever looks the account up has the sentence for it
        account.GetBalancesRequest(account_id="' OR 1=1 é"),
        reference.GetOptionChainRequest(symbol="SPY", min_dte=0, min_strike=0.0, option_type="C"),
        watchlist.ManageWatchlistRequest(action="add", symbols=[SPY], name="日本株 🚀/x"),
        place(leg(), price="-4.50"),
        placement.ReplaceOrderRequest(order_id="846283", price="690.0"),
        stream.StreamCandlesRequest(symbols=["SPY"], start_time="2025-12-15T09:30:00-05:00"),
        stream.StreamCandlesRequest(symbols=["SPY"], start_time="2025-12-15", interval="5m"),
        stream.StreamMarketDataRequest(request_id=-7),
        chat.ChatRequest(message="two\nlines\tand é"),
    ],
)
def test_what_keeps_the_rules_passes(request_: Message) -> None:
    assert validate(request_) is request_


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (account.ListTransactionsRequest(days=0), "days"),
        (account.ListTransactionsRequest(days=-5), "days"),
        (account.ListTransactionsRequest(days=3651), "days"),
        (account.ListTransactionsRequest(transaction_type="trade"), "transaction_type"),
        (account.ListTransactionsRequest(transaction_type=""), "transaction_type"),
        (account.ListNetLiquidatingValueHistoryRequest(time_back="2y"), "time_back"),
        (account.GetBalancesRequest(account_id="5WT00001\n"), "account_id"),
        (reference.GetOptionChainRequest(symbol=" "), "symbol"),
        (reference.GetOptionChainRequest(symbol="ＳＰＹ"), "symbol"),  # full-width letters
        (reference.GetOptionChainRequest(symbol="SPY", min_strike=NAN), "min_strike"),
        (reference.GetOptionChainRequest(symbol="SPY", max_dte=-1), "max_dte"),
        (reference.GetOptionChainRequest(symbol="SPY", option_type="call"), "option_type"),
        (watchlist.ManageWatchlistRequest(action="burn", symbols=[SPY]), "action"),
        (watchlist.ManageWatchlistRequest(action="", symbols=[SPY]), "action"),
        (market_data.GetGreeksRequest(options=[{"symbol": "SPY"}], timeout=0), "timeout"),
        (market_data.GetQuotesRequest(instruments=[{"symbol": "A"}], timeout=1e-300), "timeout"),
        # At any depth, by its place.
        (place(leg(), leg(quantity=-1)), "legs[1].quantity"),
        (place(leg(), leg(symbol="")), "legs[1].symbol"),
        (place(leg(), leg(action="Hold")), "legs[1].action"),
        (place(leg(), price="-1_1"), "price"),
        (place(leg(), client_order_id="two words"), "client_order_id"),
        (placement.ConfirmOrderRequest(account_id="A"), "code"),
        (placement.CancelOrderRequest(account_id="A", order_id="7/8"), "order_id"),
        (placement.CancelOrderRequest(account_id="A", order_id="٧"), "order_id"),
        (placement.ReplaceOrderRequest(order_id="7", change={"price": "1e1"}), "price"),
        (
            placement.PlaceComplexOrderRequest(
                order=order.NewComplexOrder(
                    type="OTO",
                    trigger_order=order.ComplexOrderPart(legs=[leg()], stop_trigger="0x1"),
                    orders=[order.ComplexOrderPart(legs=[leg()])],
                )
            ),
            "trigger_order.stop_trigger",
        ),
        (
            placement.PlaceComplexOrderRequest(
                order=order.NewComplexOrder(
                    type="OTO",
                    orders=[
                        order.ComplexOrderPart(legs=[leg()]),
                        order.ComplexOrderPart(legs=[leg(), leg(quantity=NAN)]),
                    ],
                )
            ),
            "orders[1].legs[1].quantity",
        ),
        (stream.StreamQuotesRequest(symbols=["SPY", "日本株"]), "symbols[1]"),
        (chat.ChatRequest(message="a\x1b[2Jb"), "message"),
        (
            chat.ChatRequest(message="a", message_history=[{"role": "x", "content": "y"}]),
            "message_history[0].role",
        ),
    ],
)
def test_what_breaks_one_is_refused_by_name(request_: Message, field: str) -> None:
    with pytest.raises(BadInput) as raised:
        validate(request_)

    assert raised.value.field == field


@pytest.mark.parametrize(
    ("request_", "error", "sentence"),
    [
        (
            reference.GetMarketMetricsRequest(),
            NothingGiven,
            "At least one symbol is required",
        ),
        (place(), NothingGiven, "At least one leg is required"),
        (placement.PlaceOrderRequest(account_id="A"), NothingGiven, "At least one leg is required"),
        (
            place(*[leg()] * 5),
            TooManyGiven,
            "Too many legs: 5 given, 4 allowed. Split the request.",
        ),
        (
            place(leg(option_type="X")),
            InvalidOptionType,
            "Invalid option_type 'X'. Expected 'C' or 'P'.",
        ),
        (
            place(leg(strike_price=-1)),
            InvalidStrike,
            "Invalid strike price '-1.0'. Expected positive number.",
        ),
        (
            place(leg(expiration_date="soon")),
            InvalidDate,
            "Invalid date format 'soon'. Expected YYYY-MM-DD format.",
        ),
        (
            place(leg(expiration_date="2025-02-30")),
            InvalidDate,
            "Invalid date format '2025-02-30'. Expected YYYY-MM-DD format.",
        ),
        (
            chat.ChatRequest(message=" \n"),
            NothingGiven,
            "At least one message is required",
        ),
        (
            chat.ChatRequest(message="x" * 32_001),
            InvalidField,
            "Invalid message '32001 characters'. Expected at most 32000 characters.",
        ),
        (
            placement.CancelOrderRequest(account_id="A", order_id="7" * 1000),
            InvalidField,
            "Invalid order_id '1000 characters'. Expected at most 18 characters.",
        ),
        (
            place(leg(strike_price=2_000_000)),
            InvalidField,
            "Invalid legs[0].strike_price '2000000.0'. Expected a number above 0, at most 1000000.",
        ),
    ],
)
def test_the_sentences(request_: Message, error: type[BadInput], sentence: str) -> None:
    with pytest.raises(error) as raised:
        validate(request_)

    assert str(raised.value) == sentence


def test_what_is_invisible_is_written_out() -> None:
    with pytest.raises(InvalidField) as raised:
        validate(account.GetBalancesRequest(account_id="a\nb\x00\u202e"))

    assert r"'a\nb\x00\u202e'" in str(raised.value)


@pytest.mark.parametrize("secret", ["s3cr3t\n", "s3cr3t" * 1000, "s3cr3t é", " "])
@pytest.mark.parametrize("field", ["api_key", "client_secret", "refresh_token"])
def test_a_secret_is_not_repeated(field: str, secret: str) -> None:
    sound = {"api_key": "a-long-enough-key", "client_secret": "one", "refresh_token": "two"}
    with pytest.raises((InvalidField, WeakApiKey)) as raised:
        validate(credentials.SaveCredentialsRequest(**{**sound, field: secret}))

    assert raised.value.field == field
    assert "s3cr3t" not in f"{raised.value}{raised.value.metadata}"
