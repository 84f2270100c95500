"""Serves futures, their products, the options on them and the chains of those."""

from __future__ import annotations

__all__ = ["routes"]

from datetime import date
from typing import Any

import orjson
from aiohttp import web

from server.simulator.broker import Broker
from server.simulator.envelope import BrokerError, envelope, paginate, reply
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
from server.simulator.rest.queries import read_many


def routes(broker: Broker) -> list[web.RouteDef]:
    """Returns the routes of futures."""
    handlers = _FutureHandlers(broker.market)
    return [
        web.get("/instruments/futures", handlers.list_futures),
        web.get("/instruments/futures/{symbol}", handlers.get_future),
        web.get("/instruments/future-products", handlers.list_products),
        web.get("/instruments/future-products/{exchange}/{code}", handlers.get_product),
        web.get("/instruments/future-option-products", handlers.list_option_products),
        web.get(
            "/instruments/future-option-products/{exchange}/{root}", handlers.get_option_product
        ),
        web.get("/instruments/future-options", handlers.list_options),
        web.get("/instruments/future-options/{symbol}", handlers.get_option),
        web.get("/futures-option-chains/{code}", handlers.get_flat_chain),
        web.get("/futures-option-chains/{code}/nested", handlers.get_nested_chain),
    ]


_Key = tuple[str, str, date, date, int]
"""Form, product, today, the chain's day and the number of expirations, some of which end at
noon."""


class _FutureHandlers:
    """Handles the routes of this file."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._written: dict[_Key, bytes] = {}

    async def list_futures(self, request: web.Request) -> web.Response:
        symbols, codes = read_many(request, "symbol"), read_many(request, "product-code")
        if symbols:
            found = [self._make_future_json(symbol) for symbol in dict.fromkeys(symbols)]
            return reply(paginate([body for body in found if body], request))

        chosen = [PRODUCTS[code] for code in codes if code in PRODUCTS]
        bodies = [
            self._make_future_json(contract.symbol)
            for product in (chosen if codes else PRODUCTS.values())
            for contract in list_contracts(product, self._market.listing.today())
        ]
        return reply(paginate(bodies, request))

    async def get_future(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        body = self._make_future_json(symbol)
        if body is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find future {symbol}")

        return reply(envelope(body, request.path))

    async def list_products(self, request: web.Request) -> web.Response:
        items = [product_json(product, options=True) for product in PRODUCTS.values()]
        return reply(envelope({"items": items}, request.path))

    async def get_product(self, request: web.Request) -> web.Response:
        code, exchange = request.match_info["code"], request.match_info["exchange"]
        product = PRODUCTS.get(code)
        if product is None or product.exchange != exchange:
            raise BrokerError(404, "record_not_found", f"Couldn't find future product {code}")

        return reply(envelope(product_json(product, options=True), request.path))

    async def list_option_products(self, request: web.Request) -> web.Response:
        items = [_make_option_product_json(root) for root in OPTION_PRODUCTS]
        return reply(envelope({"items": items}, request.path))

    async def get_option_product(self, request: web.Request) -> web.Response:
        root, exchange = request.match_info["root"], request.match_info["exchange"]
        if root not in OPTION_PRODUCTS or OPTION_PRODUCTS[root][0].exchange != exchange:
            raise BrokerError(
                404, "record_not_found", f"Couldn't find future option product {root}"
            )

        return reply(envelope(_make_option_product_json(root), request.path))

    async def list_options(self, request: web.Request) -> web.Response:
        found = [
            self._make_option_json(symbol) for symbol in dict.fromkeys(read_many(request, "symbol"))
        ]
        return reply(envelope({"items": [body for body in found if body]}, request.path))

    async def get_option(self, request: web.Request) -> web.Response:
        symbol = request.match_info["symbol"]
        body = self._make_option_json(symbol)
        if body is None:
            raise BrokerError(404, "record_not_found", f"Couldn't find future option {symbol}")

        return reply(envelope(body, request.path))

    async def get_flat_chain(self, request: web.Request) -> web.Response:
        product = _find_product(request)
        listing = self._market.listing
        blocks, today = listing.future_chain(product), listing.today()
        key = ("flat", product.code, today, listing.chain_day(), len(blocks))
        if key not in self._written:
            items = [body for block in blocks for body in future_options_json(block, today)]
            self._keep(key, {"items": items})

        return reply(envelope(orjson.Fragment(self._written[key]), request.path))

    async def get_nested_chain(self, request: web.Request) -> web.Response:
        product = _find_product(request)
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

    def _make_future_json(self, symbol: str) -> dict[str, Any] | None:
        name = f"/{symbol.lstrip('/')}"
        listing = self._market.listing
        instrument = self._market.find(name)
        if instrument is None or instrument.instrument_type != "Future":
            return None

        contract = listing.contract(instrument.row)
        return future_json(contract, instrument, listing.today())

    def _make_option_json(self, symbol: str) -> dict[str, Any] | None:
        listing = self._market.listing
        instrument = self._market.find(symbol)
        if instrument is None or instrument.instrument_type != "Future Option":
            return None

        block = listing.block(instrument.row)
        return next(future_options_json(block, listing.today(), [instrument.row]))


def _find_product(request: web.Request) -> Product:
    code = request.match_info["code"].lstrip("/")
    if code not in PRODUCTS:
        raise BrokerError(404, "record_not_found", f"Couldn't find future product {code}")

    return PRODUCTS[code]


def _make_option_product_json(root: str) -> dict[str, Any]:
    product, option = OPTION_PRODUCTS[root]
    body = option_product_json(product, option)
    return body | {"future-product": product_json(product, options=False)}
