"""Futures, their products, the options on them and the chains of those."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from server.simulator.envelope import BrokerError, envelope, page, reply
from server.simulator.market import Market
from server.simulator.market.futures import list_contracts
from server.simulator.market.product_table import OPTION_PRODUCTS, PRODUCTS
from server.simulator.market.products import Product
from server.simulator.market.views.futures import (
    future_json,
    future_options_json,
    nested_chain_json,
)
from server.simulator.market.views.products import option_product_json, product_json
from server.simulator.rest.queries import many

if TYPE_CHECKING:
    from server.simulator.app import Simulator


def routes(sim: Simulator) -> list[web.RouteDef]:
    """Returns the routes of futures."""
    pages = _Futures(sim.market)
    return [
        web.get("/instruments/futures", pages.futures),
        web.get("/instruments/futures/{symbol}", pages.future),
        web.get("/instruments/future-products", pages.products),
        web.get("/instruments/future-products/{exchange}/{code}", pages.product),
        web.get("/instruments/future-option-products", pages.option_products),
        web.get("/instruments/future-option-products/{exchange}/{root}", pages.option_product),
        web.get("/instruments/future-options", pages.options),
        web.get("/instruments/future-options/{symbol}", pages.option),
        web.get("/futures-option-chains/{code}", pages.flat_chain),
        web.get("/futures-option-chains/{code}/nested", pages.nested_chain),
    ]


_Key = tuple[str, str, date, date, int]
"""Form, product, today, the chain's day and how many expirations it has: some end at noon."""


class _Futures:
    """Handlers of this file's routes."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._written: dict[_Key, bytes] = {}

    async def futures(self, request: web.Request) -> web.Response:
        symbols, codes = many(request, "symbol"), many(request, "product-code")
        if symbols:
            found = [self._future(symbol) for symbol in dict.fromkeys(symbols)]
            return reply(page([body for body in found if body], request))

        chosen = [PRODUCTS[code] for code in codes if code in PRODUCTS]
        bodies = [
            self._future(contract.symbol)
            for product in (chosen if codes else PRODUCTS.values())
            for contract in list_contracts(product, self._market.listing.today())
        ]
        return reply(page(bodies, request))

    async def future(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        body = self._future(symbol)
        if body is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find future {symbol}")

        return reply(envelope(body, request.path))

    async def products(self, request: web.Request) -> web.Response:
        items = [product_json(product, options=True) for product in PRODUCTS.values()]
        return reply(envelope({"items": items}, request.path))

    async def product(self, request: web.Request) -> web.Response:
        code, exchange = request.match_info["code"], request.match_info["exchange"]
        product = PRODUCTS.get(code)
        if product is None or product.exchange != exchange:
            raise BrokerError(404, "record_not_found", f"Couldn't find future product {code}")

        return reply(envelope(product_json(product, options=True), request.path))

    async def option_products(self, request: web.Request) -> web.Response:
        items = [_option_product(root) for root in OPTION_PRODUCTS]
        return reply(envelope({"items": items}, request.path))

    async def option_product(self, request: web.Request) -> web.Response:
        root, exchange = request.match_info["root"], request.match_info["exchange"]
        if root not in OPTION_PRODUCTS or OPTION_PRODUCTS[root][0].exchange != exchange:
            raise BrokerError(
                404, "record_not_found", f"Couldn't find future option product {root}"
            )

        return reply(envelope(_option_product(root), request.path))

    async def options(self, request: web.Request) -> web.Response:
        found = [self._option(symbol) for symbol in dict.fromkeys(many(request, "symbol"))]
        return reply(envelope({"items": [body for body in found if body]}, request.path))

    async def option(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        body = self._option(symbol)
        if body is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find future option {symbol}")

        return reply(envelope(body, request.path))

    async def flat_chain(self, request: web.Request) -> web.Response:
        product = _product_of(request)
        listing = self._market.listing
        blocks, today = listing.future_chain(product), listing.today()
        key = ("flat", product.code, today, listing.chain_day(), len(blocks))
        if key not in self._written:
            items = [body for block in blocks for body in future_options_json(block, today)]
            self._keep(key, {"items": items})

        return reply(envelope(orjson.Fragment(self._written[key]), request.path))

    async def nested_chain(self, request: web.Request) -> web.Response:
        product = _product_of(request)
        listing = self._market.listing
        blocks, today = listing.future_chain(product), listing.today()
        key = ("nested", product.code, today, listing.chain_day(), len(blocks))
        if key not in self._written:
            self._keep(key, nested_chain_json(product, blocks, today))

        return reply(envelope(orjson.Fragment(self._written[key]), request.path))

    def _keep(self, key: _Key, body: dict[str, Any]) -> None:
        while len(self._written) >= 2 * len(PRODUCTS):
            del self._written[next(iter(self._written))]

        self._written[key] = orjson.dumps(body)

    def _future(self, symbol: str) -> dict[str, Any] | None:
        name = f"/{symbol.lstrip('/')}"
        listing = self._market.listing
        instrument = self._market.find(name)
        if instrument is None or instrument.instrument_type != "Future":
            return None

        contract = listing.contract(instrument.row)
        return future_json(contract, instrument, listing.today())

    def _option(self, symbol: str) -> dict[str, Any] | None:
        listing = self._market.listing
        instrument = self._market.find(symbol)
        if instrument is None or instrument.instrument_type != "Future Option":
            return None

        block = listing.block(instrument.row)
        return next(future_options_json(block, listing.today(), [instrument.row]))


def _product_of(request: web.Request) -> Product:
    code = request.match_info["code"].lstrip("/")
    if code not in PRODUCTS:
        raise BrokerError(404, "record_not_found", f"Couldn't find future product {code}")

    return PRODUCTS[code]


def _option_product(root: str) -> dict[str, Any]:
    product, option = OPTION_PRODUCTS[root]
    body = option_product_json(product, option)
    return body | {"future-product": product_json(product, options=False)}
