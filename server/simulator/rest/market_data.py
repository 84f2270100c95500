"""Serves `/market-data`: snapshots by type, at most 100 symbols at once, or of one symbol."""

from __future__ import annotations

__all__ = ["routes"]


from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market import Instrument, Market
from server.simulator.market.views.market_data import market_data_json
from server.simulator.rest.queries import read_many

MAX_SYMBOLS = 100

# The broker returns an index under either of the two types that it may be asked for with.
_TYPES = {
    "cryptocurrency": ("Cryptocurrency", {"Cryptocurrency"}),
    "equity": ("Equity", {"Equity", "Index", "Warrant"}),
    "equity-option": ("Equity Option", {"Equity Option"}),
    "future": ("Future", {"Future"}),
    "future-option": ("Future Option", {"Future Option"}),
    "index": ("Index", {"Index"}),
}


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of market data."""
    market = broker.market

    async def list_by_type(request: web.Request) -> web.Response:
        wanted = [
            (symbol, parameter)
            for parameter in _TYPES
            for given in read_many(request, parameter)
            for symbol in given.split(",")
            if symbol
        ]
        if not wanted:
            raise BrokerError(400, "validation_error", "At least one symbol is required")

        if len(wanted) > MAX_SYMBOLS:
            raise BrokerError(
                400,
                "validation_error",
                f"At most {MAX_SYMBOLS} symbols are allowed, not {len(wanted)}",
            )

        # An unknown symbol is left out, as in every list of the broker.
        found = [(_find(market, *each), each[1]) for each in dict.fromkeys(wanted)]
        instruments = [each for each, _ in found if each is not None]
        types = [_TYPES[parameter][0] for each, parameter in found if each is not None]
        items = market_data_json(market, instruments, types)
        return reply(envelope({"items": items}, request.path))

    async def get(request: web.Request) -> web.Response:
        kind, symbol = request.match_info["type"], request.match_info["symbol"]
        parameter = next((name for name, (word, _) in _TYPES.items() if word == kind), None)
        instrument = None if parameter is None else _find(market, symbol, parameter)
        if instrument is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find {kind} {symbol}")

        return reply(envelope(market_data_json(market, [instrument], [kind])[0], request.path))

    return [
        web.get("/market-data/by-type", list_by_type),
        web.get("/market-data/{type}/{symbol:.+}", get),
    ]


def _find(market: Market, symbol: str, parameter: str) -> Instrument | None:
    instrument = market.find(symbol)
    if instrument is None or instrument.instrument_type not in _TYPES[parameter][1]:
        return None

    return instrument
