"""Serves cryptocurrencies, warrants, currency pairs, and the decimals that quantities may have."""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market.other_instruments import CRYPTOCURRENCIES, CURRENCY_PAIRS, WARRANTS
from server.simulator.market.views.equities import (
    cryptocurrency_json,
    currency_pair_json,
    precisions_json,
    warrant_json,
)
from server.simulator.rest.queries import read_many


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of instruments other than stocks, options and futures."""

    def make_cryptocurrency_json(symbol: str) -> dict[str, Any] | None:
        instrument = broker.market.find(symbol)
        return (
            cryptocurrency_json(CRYPTOCURRENCIES[symbol], instrument)
            if instrument and symbol in CRYPTOCURRENCIES
            else None
        )

    def make_warrant_json(symbol: str) -> dict[str, Any] | None:
        return warrant_json(WARRANTS[symbol]) if symbol in WARRANTS else None

    async def list_cryptocurrencies(request: web.Request) -> web.Response:
        wanted = read_many(request, "symbol") or CRYPTOCURRENCIES
        return _reply_with_items(
            request, [make_cryptocurrency_json(symbol) for symbol in dict.fromkeys(wanted)]
        )

    async def get_cryptocurrency(request: web.Request) -> web.Response:
        return _reply_with_one(
            request, make_cryptocurrency_json(request.match_info["symbol"]), "cryptocurrency"
        )

    async def list_warrants(request: web.Request) -> web.Response:
        wanted = read_many(request, "symbol") or WARRANTS
        return _reply_with_items(
            request, [make_warrant_json(symbol) for symbol in dict.fromkeys(wanted)]
        )

    async def get_warrant(request: web.Request) -> web.Response:
        return _reply_with_one(request, make_warrant_json(request.match_info["symbol"]), "warrant")

    async def list_currency_pairs(request: web.Request) -> web.Response:
        return _reply_with_items(
            request, [currency_pair_json(pair) for pair in CURRENCY_PAIRS.values()]
        )

    async def list_precisions(request: web.Request) -> web.Response:
        return _reply_with_items(request, precisions_json())

    return [
        web.get("/instruments/cryptocurrencies", list_cryptocurrencies),
        web.get("/instruments/cryptocurrencies/{symbol}", get_cryptocurrency),
        web.get("/instruments/warrants", list_warrants),
        web.get("/instruments/warrants/{symbol}", get_warrant),
        web.get("/instruments/currency-pairs", list_currency_pairs),
        web.get("/instruments/quantity-decimal-precisions", list_precisions),
    ]


def _reply_with_items(request: web.Request, bodies: Any) -> web.Response:
    return reply(envelope({"items": [body for body in bodies if body]}, request.path))


def _reply_with_one(request: web.Request, body: dict[str, Any] | None, noun: str) -> web.Response:
    if body is None:
        symbol = request.match_info["symbol"]
        raise BrokerError(404, "record_not_found", f"Couldn't find {noun} {symbol}")

    return reply(envelope(body, request.path))
