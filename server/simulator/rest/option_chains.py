"""Serves `/option-chains` in three forms, and `/instruments/equity-options`.

A chain is rendered once a day and kept as bytes: that of SPX has more than 20,000 contracts.
"""

from __future__ import annotations

__all__ = ["routes"]

from collections.abc import Callable, Sequence
from datetime import date

import orjson
from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, reply
from server.simulator.market import Market
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.stocks import STOCKS
from server.simulator.market.views.options import (
    compact_chain,
    flat_chain,
    nested_chain,
    option_json,
)
from server.simulator.rest.queries import read_many

_MAX_KEPT = 24
"""Number of chains kept as bytes; the largest take some megabytes each."""

Writer = Callable[[Sequence[ExpirationBlock], date], bytes]


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of options on stocks, funds and indices."""
    handlers = _ChainHandlers(broker.market)
    return [
        web.get("/option-chains/{symbol}", handlers.get_flat),
        web.get("/option-chains/{symbol}/nested", handlers.get_nested),
        web.get("/option-chains/{symbol}/compact", handlers.get_compact),
        web.get("/instruments/equity-options", handlers.list_options),
        web.get("/instruments/equity-options/{symbol}", handlers.get_option),
    ]


class _ChainHandlers:
    """Handles the routes of this file."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._written: dict[tuple[str, str, date, date], bytes] = {}

    async def get_flat(self, request: web.Request) -> web.Response:
        return self._reply(request, "flat", flat_chain)

    async def get_nested(self, request: web.Request) -> web.Response:
        return self._reply(request, "nested", nested_chain)

    async def get_compact(self, request: web.Request) -> web.Response:
        return self._reply(request, "compact", lambda blocks, _: compact_chain(blocks))

    async def list_options(self, request: web.Request) -> web.Response:
        symbols = dict.fromkeys(read_many(request, "symbol"))
        found = [
            orjson.Fragment(body) for name in symbols if (body := self._make_option_json(name))
        ]
        return reply(envelope({"items": found}, request.path))

    async def get_option(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        body = self._make_option_json(symbol)
        if body is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find equity option {symbol}")

        return reply(envelope(orjson.Fragment(body), request.path))

    def _make_option_json(self, symbol: str) -> bytes | None:
        instrument = self._market.find(symbol)
        if instrument is None or instrument.instrument_type != "Equity Option":
            return None

        listing = self._market.listing
        return option_json(listing.block(instrument.row), instrument.row, listing.today())

    def _reply(self, request: web.Request, form: str, write: Writer) -> web.Response:
        symbol = request.match_info["symbol"].upper()
        instrument = self._market.find(symbol)
        if instrument is None or symbol not in STOCKS:
            raise BrokerError(404, "record_not_found", f"Couldn't find option chain {symbol}")

        listing = self._market.listing
        key = (form, symbol, listing.today(), listing.chain_day())
        if key not in self._written:
            while len(self._written) >= _MAX_KEPT:
                del self._written[next(iter(self._written))]

            self._written[key] = write(listing.chain(instrument), listing.today())

        return reply(envelope({"items": orjson.Fragment(self._written[key])}, request.path))
