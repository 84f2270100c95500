"""Serves `/market-metrics` and the history of dividends and earnings."""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market.stocks import STOCKS, Stock
from server.simulator.market.views.metrics import dividends_json, earnings_json, metrics_json
from server.simulator.rest.queries import invalid, read_date, read_many

_EVENTS = "/market-metrics/historic-corporate-events"


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of metrics."""
    market = broker.market
    cache: dict[tuple[str, int], dict[str, Any]] = {}

    async def list_metrics(request: web.Request) -> web.Response:
        wanted = [
            name for given in read_many(request, "symbols") for name in given.split(",") if name
        ]
        if not wanted:
            raise invalid("symbols", "is missing")

        # Cached for a minute, about as often as the broker updates them: each needs a year of
        # prices.
        minute = int(broker.clock.now().timestamp()) // 60
        items = []
        for symbol in dict.fromkeys(wanted):
            instrument = market.find(symbol)
            if instrument is None or symbol not in STOCKS:
                continue

            if (symbol, minute) not in cache:
                while len(cache) > 2 * len(STOCKS):
                    del cache[next(iter(cache))]

                cache[symbol, minute] = metrics_json(market, instrument)

            items.append(cache[symbol, minute])

        return reply(envelope({"items": items}, request.path))

    async def list_dividends(request: web.Request) -> web.Response:
        items = dividends_json(_find_stock(request), market.listing.today())
        return reply(envelope({"items": items}, request.path))

    async def list_earnings(request: web.Request) -> web.Response:
        since = read_date(request, "start-date")
        if since is None:
            raise invalid("start-date", "is missing")

        items = earnings_json(market, _find_stock(request), since, read_date(request, "end-date"))
        return reply(envelope({"items": items}, request.path))

    return [
        web.get("/market-metrics", list_metrics),
        web.get(_EVENTS + "/dividends/{symbol}", list_dividends),
        web.get(_EVENTS + "/earnings-reports/{symbol}", list_earnings),
    ]


def _find_stock(request: web.Request) -> Stock:
    symbol = request.match_info["symbol"]
    if symbol not in STOCKS:
        raise BrokerError(404, "record_not_found", f"Couldn't find symbol {symbol}")

    return STOCKS[symbol]
