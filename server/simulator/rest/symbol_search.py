"""Serves `/symbols/search/{prefix}`: symbols with that prefix; descriptions are not searched."""

from __future__ import annotations

__all__ = ["routes"]

from typing import Any

from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import envelope, reply
from server.simulator.market import Instrument
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.stocks import STOCKS
from server.simulator.market.views.decimals import format_decimal

_MAX_RESULTS = 50


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the route of the search."""
    listing = broker.market.listing

    async def search(request: web.Request) -> web.Response:
        prefix = request.match_info["symbol"].upper()
        futures = [
            instrument
            for product in PRODUCTS.values()
            if prefix.startswith("/")
            and f"/{product.code}".startswith(prefix[: len(product.code) + 1])
            for instrument in listing.futures(product)
        ]
        found = [
            instrument
            for instrument in (*listing.spot_instruments(), *futures)
            if instrument.symbol.startswith(prefix)
        ]
        found.sort(key=lambda instrument: (len(instrument.symbol), instrument.symbol))
        return reply(envelope({"items": list(map(_make_json, found[:_MAX_RESULTS]))}, request.path))

    return [web.get("/symbols/search/{symbol:.+}", search)]


def _make_json(instrument: Instrument) -> dict[str, Any]:
    stock = STOCKS.get(instrument.symbol)
    product = PRODUCTS.get(instrument.product_code)
    steps = ", ".join(
        format_decimal(row.value)
        if row.threshold is None
        else f"{format_decimal(row.value)} below {format_decimal(row.threshold)}"
        for row in instrument.tick_sizes
    )
    always = instrument.instrument_type in {"Cryptocurrency", "Currency Pair"}
    hours = "9:30-16:00 New York" if stock else "24/7" if always else "18:00-17:00 New York"
    return {
        "symbol": instrument.symbol,
        "description": instrument.description,
        "listed-market": instrument.exchange,
        "price-increments": steps,
        "trading-hours": hours,
        "options": bool((stock and stock.cycle != "none") or (product and product.options)),
        "instrument-type": instrument.instrument_type,
    }
