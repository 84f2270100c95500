"""Serves watchlists: each customer's own, the broker's public ones, and pairs.

A PUT replaces the whole list. Entries are kept as they were sent: the broker neither checks symbols
nor removes duplicates.
"""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.customers import Customer
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market.stocks import STOCKS
from server.simulator.rest.bodies import read_json
from server.simulator.rest.queries import invalid, read_flag

_LONGEST_NAME = 255


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of watchlists."""
    del broker  # watchlists use no part of the broker
    private = _PrivateHandlers()
    return [
        web.get("/watchlists", private.list_all),
        web.post("/watchlists", private.create),
        web.get("/watchlists/{name:.+}", private.get),
        web.put("/watchlists/{name:.+}", private.replace),
        web.delete("/watchlists/{name:.+}", private.delete),
        web.get("/public-watchlists", _list_public),
        web.get("/public-watchlists/{name:.+}", _get_public),
        web.get("/pairs-watchlists", _list_pairs),
        web.get("/pairs-watchlists/{name:.+}", _get_pair),
    ]


class _PrivateHandlers:
    """Handles the private watchlists of all customers."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[str, dict[str, Any]]] = {}

    async def list_all(self, request: web.Request) -> web.Response:
        items = sorted(self._own_lists(request).values(), key=lambda each: each["order-index"])
        return reply(envelope({"items": items}, request.path))

    async def get(self, request: web.Request) -> web.Response:
        return reply(envelope(self._find(request), request.path))

    async def create(self, request: web.Request) -> web.Response:
        body = _validate(await read_json(request))
        mine = self._own_lists(request)
        if body["name"] in mine:
            raise BrokerError(
                422, "watchlist_already_exists", f"Watchlist {body['name']} already exists"
            )

        mine[body["name"]] = body
        return reply(envelope(body, request.path), 201)

    async def replace(self, request: web.Request) -> web.Response:
        old = self._find(request)
        body = _validate(await read_json(request), name=old["name"])
        mine = self._own_lists(request)
        if body["name"] != old["name"] and body["name"] in mine:
            raise BrokerError(
                422, "watchlist_already_exists", f"Watchlist {body['name']} already exists"
            )

        del mine[old["name"]]
        mine[body["name"]] = body
        return reply(envelope(body, request.path))

    async def delete(self, request: web.Request) -> web.Response:
        old = self._find(request)
        del self._own_lists(request)[old["name"]]
        return reply(envelope(old, request.path))

    def _own_lists(self, request: web.Request) -> dict[str, dict[str, Any]]:
        customer: Customer = request["customer"]
        return self._lists.setdefault(customer.id, _make_first_lists(customer))

    def _find(self, request: web.Request) -> dict[str, Any]:
        name = request.match_info["name"]
        found = self._own_lists(request).get(name)
        if found is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find watchlist {name}")

        return found


def _validate(body: Any, name: str | None = None) -> dict[str, Any]:
    """Returns a watchlist as it is stored; refuses a body that is not one."""
    if not isinstance(body, dict):
        raise invalid("watchlist", "must be an object")

    given = body.get("name", name)
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_NAME:
        raise invalid("name", "is missing" if given is None else "is invalid")

    entries = body.get("watchlist-entries")
    entries = [] if entries is None else entries
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("symbol"), str) and entry["symbol"]
        for entry in entries
    ):
        raise invalid("watchlist-entries", "must be an array of objects with a symbol")

    index = body.get("order-index", 9999)
    if not isinstance(index, int) or isinstance(index, bool):
        raise invalid("order-index", "is invalid")

    kept = ("symbol", "instrument-type")
    return {
        "name": given,
        "watchlist-entries": [
            {key: entry[key] for key in kept if entry.get(key) is not None} for entry in entries
        ],
        "group-name": str(body.get("group-name") or "default"),
        "order-index": index,
    }


def _make_first_lists(customer: Customer) -> dict[str, dict[str, Any]]:
    """Returns the lists that a customer starts with: one for the demo customer, else none."""
    if not customer.demo:
        return {}

    return {"Favorites": _make_list("Favorites", ("SPY", "QQQ", "AAPL", "TSLA", "NVDA"), 0)}


def _make_list(name: str, symbols: tuple[str, ...], index: int) -> dict[str, Any]:
    return {
        "name": name,
        "watchlist-entries": [
            {
                "symbol": symbol,
                "instrument-type": "Index" if STOCKS[symbol].kind == "index" else "Equity",
            }
            for symbol in symbols
        ],
        "group-name": "default",
        "order-index": index,
    }


_PUBLIC = {
    each["name"]: each | {"cms-id": f"simulated-{each['order-index']}"}
    for each in (
        _make_list("tasty default", ("SPY", "QQQ", "IWM", "GLD", "TLT", "AAPL", "NVDA", "TSLA"), 1),
        _make_list("High Options Volume", ("SPY", "QQQ", "TSLA", "NVDA", "PLTR", "AMD", "COIN"), 2),
        _make_list("Sector ETFs", ("XLE", "XLF", "XLK", "XLV", "SMH"), 3),
        _make_list("Banks & Brokers", ("JPM", "BAC", "SOFI", "HOOD", "COIN"), 4),
        _make_list("Indices", ("SPX", "NDX", "RUT", "VIX"), 5),
    )
}

_PAIRS = {
    name: {
        "name": name,
        "order-index": index,
        "pairs-equations": [
            {
                "left-action": "Buy to Open",
                "left-symbol": left,
                "left-quantity": more,
                "right-action": "Sell to Open",
                "right-symbol": right,
                "right-quantity": less,
            }
            for left, more, right, less in equations
        ],
    }
    for index, (name, equations) in enumerate(
        {
            "Stock Indices": (("SPY", 1, "QQQ", 1), ("IWM", 3, "SPY", 1)),
            "Metals": (("GLD", 1, "SLV", 8),),
        }.items()
    )
}


async def _list_public(request: web.Request) -> web.Response:
    items = list(_PUBLIC.values())
    if read_flag(request, "counts-only"):
        items = [
            {key: value for key, value in each.items() if key != "watchlist-entries"}
            | {"entries-count": len(each["watchlist-entries"])}
            for each in items
        ]

    return reply(envelope({"items": items}, request.path))


async def _get_public(request: web.Request) -> web.Response:
    return _reply_with(request, _PUBLIC, "public watchlist")


async def _list_pairs(request: web.Request) -> web.Response:
    return reply(envelope({"items": list(_PAIRS.values())}, request.path))


async def _get_pair(request: web.Request) -> web.Response:
    return _reply_with(request, _PAIRS, "pairs watchlist")


def _reply_with(request: web.Request, lists: dict[str, dict[str, Any]], noun: str) -> web.Response:
    name = request.match_info["name"]
    if name not in lists:
        raise BrokerError(404, "record_not_found", f"Couldn't find {noun} {name}")

    return reply(envelope(lists[name], request.path))
