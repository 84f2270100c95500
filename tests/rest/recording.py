"""Asks a running gateway everything once, as the examples of the API description show it."""

from __future__ import annotations

__all__ = ["Recorded", "record"]

from collections.abc import Mapping
from typing import Any

import requests

from server.contract.catalog import load
from tests.rest_call import call
from tests.stack import Gateway

Recorded = dict[str, dict[str, Any]]
"""Name of the rpc → `path`, `query`, `body` and `reply`; no entry for what is not built yet."""

ACCOUNT = {"account_id": Gateway.account}
NEW_KEY = "your_custom_key"
NOT_BUILT = 501

ITEMS_SHOWN = 2
LINES_SHOWN = 5
DIGITS_OF_DATE = 10


def record(gateway: Gateway, http: requests.Session) -> Recorded:
    """Asks and keeps; what is done (an order, a watchlist, a key) is undone at the end."""
    session = _Session(gateway, http)
    ask = session.ask
    ask("GetHealth")
    ask("GetCurrentTime")
    ask("GetBalances", query=ACCOUNT)
    ask("ListPositions", query=ACCOUNT)
    ask("ListNetLiquidatingValueHistory", query={**ACCOUNT, "time_back": "1m"})
    ask("ListTransactions", query={**ACCOUNT, "days": 30, "transaction_type": "Trade"})
    ask("ListOrderHistory", query={**ACCOUNT, "days": 7})

    chain = ask("GetOptionChain", query={"symbol": "TSLA"})["chain"]
    assert chain
    # The last expiration, so that the example works for as long as there is one.
    option = session.option("SPY", "C", 690.0)
    ask("GetQuotes", query={"timeout": 10.0}, body=[{"symbol": "AAPL"}, option])
    ask("GetGreeks", query={"timeout": 10.0}, body=[option])
    ask("GetMarketMetrics", body=["SPY", "AAPL", "QQQ"])
    ask("GetMarketStatus", query={"exchanges": "Equity"})
    ask("SearchSymbols", query={"symbol": "AAPL"})

    stocks = [{"symbol": each, "instrument_type": "Equity"} for each in ("AAPL", "TSLA")]
    ask("ManageWatchlist", body={"action": "add", "symbols": stocks, "name": "tech-stocks"})
    ask("ListWatchlists", query={"watchlist_type": "private"})
    ask("DeleteWatchlist", path={"name": "tech-stocks"})

    secrets = {"client_secret": "your_tastytrade_client_secret"}
    secrets |= {"refresh_token": "your_tastytrade_refresh_token"}
    ask("SaveCredentials", body={"api_key": NEW_KEY, **secrets}, key=None)
    ask("ListCredentials")
    ask("DeleteCredentials", path={"api_key": NEW_KEY}, key=NEW_KEY)

    _orders(session)
    ask("Chat", body={"message": "What are my current positions?", "message_history": None})
    # An order that the agent prepares, and its person confirms.
    wish = {"message": "Buy 1 share of AAPL at 1.00", **ACCOUNT}
    prepared = ask("Chat", body=wish, show=False)
    if prepared:
        code = {"code": prepared["tickets"][0]["code"]}
        confirmed = ask("ConfirmOrder", query=ACCOUNT, body=code)
        number = {"order_id": confirmed["receipt"]["id"]}
        ask("CancelOrder", path=number, query=ACCOUNT, show=False)
    return session.recorded


def _orders(session: _Session) -> None:
    ask = session.ask
    leg = session.option("SPY", "P", 685.0) | {"action": "Buy to Open", "quantity": 1}
    order = {"legs": [leg], "price": -4.50, "time_in_force": "Day", "dry_run": True}
    # Far from the market, so that it still works when the next calls ask for it.
    resting = order | {"price": -0.05, "dry_run": False}
    ask("PlaceOrder", query=ACCOUNT, body=order)
    placed = ask("PlaceOrder", query=ACCOUNT, body=resting, show=False)
    ask("ListLiveOrders", query=ACCOUNT)
    if placed:
        ids = {"order_id": placed["id"]}
        ask("GetOrder", path=ids, query=ACCOUNT)
        replaced = ask("ReplaceOrder", path=ids, query=ACCOUNT, body={"price": -0.10})
        ask("CancelOrder", path={"order_id": replaced.get("id", placed["id"])}, query=ACCOUNT)

    exits = [
        {"order_type": "Limit", "price": 900.00, "legs": [_selling("SPY")]},
        {"order_type": "Stop", "stop_trigger": 300.00, "legs": [_selling("SPY")]},
    ]
    oco = {"type": "OCO", "orders": [each | {"time_in_force": "GTC"} for each in exits]}
    ask("PlaceComplexOrder", query=ACCOUNT, body=oco | {"dry_run": True})
    complex_order = ask("PlaceComplexOrder", query=ACCOUNT, body=oco, show=False)
    if complex_order:
        ask("CancelComplexOrder", path={"complex_order_id": complex_order["id"]}, query=ACCOUNT)


def _selling(symbol: str) -> dict[str, Any]:
    return {"symbol": symbol, "action": "Sell to Close", "quantity": 1}


class _Session:
    def __init__(self, gateway: Gateway, http: requests.Session) -> None:
        self._gateway = gateway
        self._http = http
        self.recorded: Recorded = {}

    def ask(
        self,
        name: str,
        *,
        key: str | None = Gateway.api_key,
        show: bool = True,
        **request: Any,
    ) -> dict[str, Any]:
        """Returns the reply, and keeps it as an example unless `show` is off."""
        method = load().named(name)
        answer = call(self._http, self._gateway.url, method, key=key, **request)
        if answer.status_code == NOT_BUILT:
            return {}
        assert answer.status_code == 200, f"{name}: {answer.text}"
        reply = answer.json()
        if show:
            self.recorded[name] = {**request, "reply": reply}
        return reply  # type: ignore[no-any-return]  # JSON

    def option(self, symbol: str, kind: str, strike: float) -> dict[str, Any]:
        """Names a listed option that expires as late as any."""
        chain = self.ask("GetOptionChain", query={"symbol": symbol}, show=False)
        last = chain["expiration_dates"][-1]
        assert strike in chain["chain"][last]["strikes"]
        what = {"symbol": symbol, "option_type": kind}
        return {**what, "strike_price": strike, "expiration_date": last}


def shortened(reply: Any) -> Any:
    """Returns the reply with as much of its lists and tables as shows what they are."""
    match reply:
        case list():
            return [shortened(each) for each in reply[:ITEMS_SHOWN]]
        case dict():
            return {name: shortened(value) for name, value in _first_dates(reply).items()}
        case str():
            return "\n".join(reply.split("\n")[:LINES_SHOWN])
    return reply


def _first_dates(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a map by date, the first."""
    dates = sorted(name for name in reply if name[:4].isdigit() and len(name) == DIGITS_OF_DATE)
    return {dates[0]: reply[dates[0]]} if dates else reply
