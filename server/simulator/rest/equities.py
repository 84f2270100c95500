"""Serves `/instruments/equities`: one, many and the active ones, including indices."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import UTC, datetime
from typing import Any

import numpy as np
from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
from server.simulator.market import Instrument, Market
from server.simulator.market.stocks import STOCKS
from server.simulator.market.time_grid import to_seconds
from server.simulator.market.views.equities import equity_json
from server.simulator.rest.queries import read_many, read_one


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of equities."""
    market = broker.market

    async def list_equities(request: web.Request) -> web.Response:
        symbols = read_many(request, "symbol")
        return reply(paginate(_find_equities(market, request, symbols or STOCKS), request))

    async def list_active(request: web.Request) -> web.Response:
        return reply(paginate(_find_equities(market, request, STOCKS), request, per_page=1000))

    async def get(request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        instrument = market.find(symbol)
        if instrument is None or symbol not in STOCKS:
            raise BrokerError(404, "record_not_found", f"Couldn't find equity {symbol}")

        return reply(envelope(_make_json(market, instrument), request.path))

    return [
        web.get("/instruments/equities", list_equities),
        web.get("/instruments/equities/active", list_active),
        web.get("/instruments/equities/{symbol}", get),
    ]


def _find_equities(market: Market, request: web.Request, symbols: Any) -> list[dict[str, Any]]:
    """Returns the named equities that pass the filters; unknown names are left out."""
    found = [market.find(symbol) for symbol in dict.fromkeys(symbols) if symbol in STOCKS]
    bodies = [_make_json(market, instrument) for instrument in found if instrument is not None]
    for name in ("lendability", "is-index", "is-etf"):
        wanted = read_one(request, name)
        if wanted is not None:
            bodies = [body for body in bodies if str(body[name]).lower() == wanted.lower()]

    return bodies


def _make_json(market: Market, instrument: Instrument) -> dict[str, Any]:
    halted_at = None
    if instrument.is_halted:
        market_time = market.time_grid.at(market.clock.now())
        units = market.pricer.units(np.array([instrument.row]), market_time)
        halted_at = datetime.fromtimestamp(float(to_seconds(units)[0]), UTC)

    return equity_json(instrument, halted_at)
