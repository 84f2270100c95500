"""Requests are held against the rules that the contract states."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from tasty.v1 import account_service_pb2 as account
from tasty.v1 import market_data_service_pb2 as market_data
from tasty.v1 import reference_service_pb2 as reference
from tasty.v1 import watchlist_pb2
from tasty.v1 import watchlist_service_pb2 as watchlist

from server.errors import InvalidField, NothingGiven
from server.wire.rules import checked

NAN = float("nan")


@pytest.mark.parametrize(
    "request_",
    [
        account.ListTransactionsRequest(account_id="A"),
        account.ListTransactionsRequest(days=1, transaction_type="Money Movement"),
        account.ListTransactionsRequest(days=3650),
        reference.GetOptionChainRequest(symbol="SPY", min_dte=0, min_strike=0.0, option_type="C"),
        watchlist.ManageWatchlistRequest(
            action="add", symbols=[watchlist_pb2.WatchlistEntry(symbol="SPY")]
        ),
    ],
)
def test_what_keeps_the_rules_passes(request_: Message) -> None:
    assert checked(request_) is request_


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (account.ListTransactionsRequest(days=0), "days"),
        (account.ListTransactionsRequest(days=-5), "days"),
        (account.ListTransactionsRequest(days=3651), "days"),
        (account.ListTransactionsRequest(transaction_type="trade"), "transaction_type"),
        (account.ListTransactionsRequest(transaction_type=""), "transaction_type"),
        (account.ListNetLiquidatingValueHistoryRequest(time_back="2y"), "time_back"),
        (reference.GetOptionChainRequest(symbol=" "), "symbol"),
        (reference.GetOptionChainRequest(symbol="SPY", min_strike=NAN), "min_strike"),
        (reference.GetOptionChainRequest(symbol="SPY", max_dte=-1), "max_dte"),
        (reference.GetOptionChainRequest(symbol="SPY", option_type="call"), "option_type"),
        (watchlist.ManageWatchlistRequest(action="burn"), "action"),
        (market_data.GetGreeksRequest(options=[{"symbol": "SPY"}], timeout=0), "timeout"),
    ],
)
def test_what_breaks_one_is_refused_by_name(request_: Message, field: str) -> None:
    with pytest.raises(InvalidField) as raised:
        checked(request_)

    assert raised.value.field == field


def test_an_empty_list_is_told_by_its_noun() -> None:
    with pytest.raises(NothingGiven, match=r"^At least one symbol is required$"):
        checked(reference.GetMarketMetricsRequest())
