"""Texts at their largest length and one more, over REST: one of each sort and of each place.

All of them are tried over gRPC, see tests/service/test_text_bounds.py.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from server.contract.catalog import load
from tests.rest_call import call
from tests.stack import Gateway

ACCOUNT = {"account_id": Gateway.account}
CREDENTIALS = {"api_key": "key-of-the-bounds", "client_secret": "one", "refresh_token": "two"}
LEG = {"symbol": "KO", "action": "Buy to Open", "quantity": 1}


def order(**changes: Any) -> dict[str, Any]:
    return {"query": ACCOUNT, "body": {"legs": [LEG], "price": -1, "dry_run": True, **changes}}


def text(length: int) -> str:
    return "7" * length


@pytest.mark.parametrize(
    ("rpc", "longest", "request_of", "field"),
    [
        ("GetBalances", 64, lambda t: {"query": {"account_id": t}}, "account_id"),
        ("GetOrder", 18, lambda t: {"path": {"order_id": t}, "query": ACCOUNT}, "order_id"),
        ("CancelOrder", 18, lambda t: {"path": {"order_id": t}, "query": ACCOUNT}, "order_id"),
        ("DeleteWatchlist", 255, lambda t: {"path": {"name": t}}, "name"),
        ("ListWatchlists", 255, lambda t: {"query": {"name": t}}, "name"),
        ("SearchSymbols", 64, lambda t: {"query": {"symbol": t}}, "symbol"),
        ("GetOptionChain", 64, lambda t: {"query": {"symbol": t}}, "symbol"),
        ("ListOrderHistory", 256, lambda t: {"query": ACCOUNT | {"page_token": t}}, "page_token"),
        ("GetQuotes", 64, lambda t: {"body": [{"symbol": t}]}, "instruments[0].symbol"),
        ("GetMarketMetrics", 64, lambda t: {"body": ["SPY", t]}, "symbols[1]"),
        ("PlaceOrder", 64, lambda t: order(client_order_id=t), "client_order_id"),
        ("PlaceOrder", 64, lambda t: order(legs=[LEG | {"symbol": t}]), "legs[0].symbol"),
        ("Chat", 32_000, lambda t: {"body": {"message": t}}, "message"),
        (
            "SaveCredentials",
            4096,
            lambda t: {"body": CREDENTIALS | {"refresh_token": t}},
            "refresh_token",
        ),
    ],
)
def test_a_text_at_its_largest_length_and_one_more(
    gateway: Gateway, http: requests.Session, rpc: str, longest: int, request_of: Any, field: str
) -> None:
    method, key = load().named(rpc), gateway.api_key
    largest = call(http, gateway.url, method, key=key, **request_of(text(longest)))
    assert largest.status_code < 500
    assert "characters" not in largest.text

    more = call(http, gateway.url, method, key=key, **request_of(text(longest + 1)))
    assert more.status_code == 400
    detail = more.json()["detail"]
    assert detail.startswith(f"Invalid {field} '")
    assert f"Expected at most {longest} characters." in detail
    assert text(20) not in detail
