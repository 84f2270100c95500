"""Renders futures and the options on them as the broker does."""

from __future__ import annotations

__all__ = [
    "chain_future_json",
    "future_json",
    "future_options_json",
    "nested_chain_json",
]

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any
from zlib import crc32

import orjson

from server.simulator.market.calendar import previous_trading_day
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.futures import FutureContract, list_contracts
from server.simulator.market.instrument import Instrument
from server.simulator.market.options import (
    find_option_ticks,
    format_future_option,
    format_future_option_streamer,
)
from server.simulator.market.products import Product
from server.simulator.market.strikes import format_strike
from server.simulator.market.views.decimals import format_decimal, format_offset
from server.simulator.market.views.equities import ticks_json
from server.simulator.market.views.products import option_product_json, product_json


def future_json(contract: FutureContract, instrument: Instrument, today: date) -> dict[str, Any]:
    """Renders a contract, including its product."""
    product = contract.product
    active, following, after = _active(product, today)
    body: dict[str, Any] = {
        "active": contract.expiration >= today,
        "active-month": contract is active,
        "back-month-first-calendar-symbol": product.rule == "index",
        "closing-only-date": contract.expiration.isoformat(),
        "contract-size": format_decimal(product.multiplier),
        "display-factor": format_decimal(product.display_factor),
        "exchange": product.exchange,
        "exchange-symbol": contract.exchange_symbol,
        "expiration-date": contract.expiration.isoformat(),
        "expires-at": format_offset(contract.expires_at),
    }
    if not product.cash_settled:
        notice = previous_trading_day(date(contract.year, contract.month, 1))
        body["first-notice-date"] = min(notice, contract.expiration).isoformat()

    body |= {
        "product-group": f"{product.exchange}_{product.code}",
        "instrument-type": "Future",
        "is-closing-only": False,
        "last-trade-date": contract.expiration.isoformat(),
        "main-fraction": format_decimal(product.main_fraction),
        "next-active-month": contract is following,
        "notional-multiplier": format_decimal(product.multiplier),
        "product-code": product.code,
    }
    if contract is active and following is not None:
        body["roll-target-symbol"] = following.symbol

    body |= {
        "security-id": str(contract.year * 100 + contract.month),
        "stops-trading-at": format_offset(contract.expires_at),
        "streamer-exchange-code": product.streamer_exchange,
        "streamer-symbol": contract.streamer_symbol,
        "sub-fraction": "0.0",
        "symbol": contract.symbol,
        "tick-size": format_decimal(product.tick),
        "is-tradeable": contract.expiration >= today,
    }
    if product.etf is not None:
        symbol, shares = product.etf
        body["future-etf-equivalent"] = {"share-quantity": shares, "symbol": symbol}

    body["future-product"] = product_json(product, options=False)
    if product.options:
        body["option-tick-sizes"] = ticks_json(find_option_ticks(instrument))

    body["tick-sizes"] = ticks_json(instrument.tick_sizes)
    if contract is following and product.spread_tick is not None:
        value = format_decimal(product.spread_tick)
        body["spread-tick-sizes"] = [
            {"symbol": each.symbol, "value": value} for each in (contract, *after[:3])
        ]

    return body


def chain_future_json(contract: FutureContract, today: date) -> dict[str, Any]:
    """Renders a future as the nested chain lists it."""
    active, following, _ = _active(contract.product, today)
    return {
        "symbol": contract.symbol,
        "root-symbol": contract.product.root,
        "streamer-symbol": contract.streamer_symbol,
        "expiration-date": contract.expiration.isoformat(),
        "days-to-expiration": (contract.expiration - today).days,
        "active-month": contract is active,
        "next-active-month": contract is following,
        "stops-trading-at": format_offset(contract.expires_at),
        "expires-at": format_offset(contract.expires_at),
    }


def nested_chain_json(
    product: Product, blocks: Sequence[ExpirationBlock], today: date
) -> dict[str, Any]:
    """Renders the futures of a product and the options on all of them."""
    listed = list_contracts(product, today)
    expirations = [_expiration_json(product, block, today) for block in blocks]
    chain = {
        "underlying-symbol": product.root,
        "root-symbol": product.root,
        "exercise-style": "American",
        "expirations": expirations,
    }
    return {
        "futures": [chain_future_json(contract, today) for contract in listed],
        "option-chains": [chain] if expirations else [],
    }


def future_options_json(
    block: ExpirationBlock, today: date, rows: Iterable[int] | None = None
) -> Iterator[dict[str, Any]]:
    """Renders the contracts of an expiration, or those of some rows."""
    expiration = block.expiration
    future, option = expiration.underlying, expiration.option_product
    if future is None or option is None:
        raise TypeError(f"{expiration.root} is no option on a future")

    product = future.product
    # Serialized once: it is the larger half of each of a thousand contracts.
    option_product = orjson.Fragment(orjson.dumps(option_product_json(product, option)))
    number = crc32(expiration.contract_code.encode()) % 10_000_000
    before = {
        "active": True,
        "days-to-expiration": (expiration.day - today).days,
        "display-factor": format_decimal(product.display_factor),
        "exchange": product.exchange,
    }
    between = {
        "exercise-style": "American",
        "expiration-date": expiration.day.isoformat(),
        "expires-at": format_offset(expiration.expires_at),
        "future-price-ratio": "1.0",
        "instrument-type": "Future Option",
        "is-closing-only": False,
        "is-confirmed": True,
        "is-exercisable-weekly": True,
        "is-primary-deliverable": True,
        "is-vanilla": True,
        "last-trade-time": "0",
        "maturity-date": expiration.day.isoformat(),
        "multiplier": "1.0",
        "notional-value": format_decimal(product.multiplier * product.display_factor),
        "option-root-symbol": option.root,
    }
    after = {
        "product-code": product.code,
        "root-symbol": product.root,
        "security-exchange": "2",
        "settlement-type": "Future",
        "stops-trading-at": format_offset(expiration.stops_trading_at),
        "strike-factor": "1.0",
        "sx-id": "0",
        "underlying-count": "1.0",
        "underlying-symbol": future.symbol,
        "future-option-product": option_product,
    }
    for row in range(block.first, block.first + block.count) if rows is None else rows:
        place = row - block.first
        strike = float(block.strikes[place // 2])
        kind = "P" if place % 2 else "C"
        yield {
            **before,
            "exchange-symbol": f"{expiration.contract_code} {kind}{format_strike(strike)}",
            **between,
            "option-type": kind,
            "security-id": str(number + place),
            "streamer-symbol": format_future_option_streamer(expiration, kind, strike),
            "strike-price": format_decimal(strike),
            "symbol": format_future_option(expiration, kind, strike),
            **after,
        }


def _expiration_json(product: Product, block: ExpirationBlock, today: date) -> dict[str, Any]:
    expiration = block.expiration
    strikes = [
        {
            "strike-price": format_decimal(strike),
            "call": format_future_option(expiration, "C", strike),
            "call-streamer-symbol": format_future_option_streamer(expiration, "C", strike),
            "put": format_future_option(expiration, "P", strike),
            "put-streamer-symbol": format_future_option_streamer(expiration, "P", strike),
        }
        for strike in block.strikes.tolist()
    ]
    return {
        "underlying-symbol": block.underlying.symbol,
        "root-symbol": product.root,
        "option-root-symbol": expiration.root,
        "option-contract-symbol": expiration.contract_code,
        "asset": expiration.root,
        "expiration-date": expiration.day.isoformat(),
        "days-to-expiration": (expiration.day - today).days,
        "expiration-type": expiration.kind,
        "settlement-type": expiration.settlement,
        "notional-value": format_decimal(product.multiplier * product.display_factor),
        "display-factor": format_decimal(product.display_factor),
        "strike-factor": "1.0",
        "stops-trading-at": format_offset(expiration.stops_trading_at),
        "expires-at": format_offset(expiration.expires_at),
        "tick-sizes": ticks_json(product.option_tick_sizes),
        "strikes": strikes,
    }


def _active(
    product: Product, today: date
) -> tuple[FutureContract | None, FutureContract | None, tuple[FutureContract, ...]]:
    """Returns the active contract, the next one, and those after it."""
    listed = [each for each in list_contracts(product, today) if each.roll_on > today]
    first = listed[0] if listed else None
    second = listed[1] if len(listed) > 1 else None
    return first, second, tuple(listed[2:])
