"""Cryptocurrencies, warrants, currency pairs, and the decimals that quantities may have."""

from __future__ import annotations

__all__ = ["routes"]

from typing import TYPE_CHECKING, Any

from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market.other_instruments import CRYPTOCURRENCIES, CURRENCY_PAIRS, WARRANTS
from server.simulator.market.views.equities import (
    cryptocurrency_json,
    currency_pair_json,
    precisions_json,
    warrant_json,
)
from server.simulator.rest.queries import many

if TYPE_CHECKING:
    from server.simulator.app import Simulator


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of what is neither stock, option nor future."""

    def coin(symbol: str) -> dict[str, Any] | None:
        instrument = sim.market.find(symbol)
        return (
            cryptocurrency_json(CRYPTOCURRENCIES[symbol], instrument)
            if instrument and symbol in CRYPTOCURRENCIES
            else None
        )

    def warrant(symbol: str) -> dict[str, Any] | None:
        return warrant_json(WARRANTS[symbol]) if symbol in WARRANTS else None

    async def coins(request: web.Request) -> web.Response:
        wanted = many(request, "symbol") or CRYPTOCURRENCIES
        return _items(request, [coin(symbol) for symbol in dict.fromkeys(wanted)])

    async def one_coin(request: web.Request) -> web.Response:
        return _one(request, coin(request.match_info["symbol"]), "cryptocurrency")

    async def warrants(request: web.Request) -> web.Response:
        wanted = many(request, "symbol") or WARRANTS
        return _items(request, [warrant(symbol) for symbol in dict.fromkeys(wanted)])

    async def one_warrant(request: web.Request) -> web.Response:
        return _one(request, warrant(request.match_info["symbol"]), "warrant")

    async def pairs(request: web.Request) -> web.Response:
        return _items(request, [currency_pair_json(pair) for pair in CURRENCY_PAIRS.values()])

    async def precisions(request: web.Request) -> web.Response:
        return _items(request, precisions_json())

    return [
        web.get("/instruments/cryptocurrencies", coins),
        web.get("/instruments/cryptocurrencies/{symbol}", one_coin),
        web.get("/instruments/warrants", warrants),
        web.get("/instruments/warrants/{symbol}", one_warrant),
        web.get("/instruments/currency-pairs", pairs),
        web.get("/instruments/quantity-decimal-precisions", precisions),
    ]


def _items(request: web.Request, bodies: Any) -> web.Response:
    return reply(envelope({"items": [body for body in bodies if body]}, request.path))


def _one(request: web.Request, body: dict[str, Any] | None, noun: str) -> web.Response:
    if body is None:
        symbol = request.match_info["symbol"]
        raise BrokerError(404, "record_not_found", f"Couldn't find {noun} {symbol}")

    return reply(envelope(body, request.path))
