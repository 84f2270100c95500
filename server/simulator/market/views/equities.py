"""Renders stocks, funds, indices, cryptocurrencies, warrants and pairs as the broker does."""

from __future__ import annotations

__all__ = [
    "cryptocurrency_json",
    "currency_pair_json",
    "equity_json",
    "precisions_json",
    "ticks_json",
    "warrant_json",
]

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from server.simulator.market.instrument import Instrument, TickSize
from server.simulator.market.other_instruments import (
    CRYPTOCURRENCIES,
    Cryptocurrency,
    CurrencyPair,
    Warrant,
)
from server.simulator.market.stocks import STOCKS
from server.simulator.market.underlyings import OPTION_TICKS
from server.simulator.market.views.decimals import format_decimal, format_offset


def ticks_json(rows: Iterable[TickSize]) -> list[dict[str, str]]:
    """Renders a tick table; its last row has no threshold."""
    return [
        {"value": format_decimal(row.value)}
        if row.threshold is None
        else {"threshold": format_decimal(row.threshold), "value": format_decimal(row.value)}
        for row in rows
    ]


def equity_json(instrument: Instrument, halted_at: datetime | None) -> dict[str, Any]:
    """Renders a stock, fund or index; the broker lists all three as equities."""
    stock = STOCKS[instrument.symbol]
    index = stock.kind == "index"
    body: dict[str, Any] = {
        "id": instrument.row + 1,
        "symbol": instrument.symbol,
        "instrument-type": "Equity",
        "instrument-sub-type": {"stock": "Common Stock", "etf": "ETF", "index": "Index"}[
            stock.kind
        ],
        "short-description": stock.name[:20].upper(),
        "is-index": index,
        "listed-market": stock.market,
        "description": stock.name,
        "lendability": instrument.lendability,
        "borrow-rate": "0.05" if instrument.lendability == "Locate Required" else "0.0",
        "market-time-instrument-collection": "Equity",
        "country-of-incorporation": "USA",
        "country-of-taxation": "USA",
        "underlying-product-type": "Index" if index else "Equity",
        "is-closing-only": instrument.is_closing_only,
        "is-options-closing-only": False,
        "active": True,
        "is-fractional-quantity-eligible": instrument.is_fractional,
        "is-illiquid": stock.volume < 1 and not index,
        "is-etf": instrument.is_etf,
        "overnight-trading-permitted": stock.cycle == "daily" and not index,
        "bypass-manual-review": False,
        "streamer-symbol": instrument.streamer_symbol,
        "tick-sizes": ticks_json(instrument.tick_sizes),
    }
    if stock.cycle != "none":
        body["option-tick-sizes"] = ticks_json(OPTION_TICKS[stock.ticks])

    if halted_at is not None:
        body["halted-at"] = format_offset(halted_at)

    return body


def cryptocurrency_json(coin: Cryptocurrency, instrument: Instrument) -> dict[str, Any]:
    """Renders a cryptocurrency."""
    return {
        "id": coin.id,
        "symbol": coin.symbol,
        "instrument-type": "Cryptocurrency",
        "short-description": coin.name,
        "description": instrument.description,
        "is-closing-only": False,
        "active": True,
        "tick-size": format_decimal(coin.tick),
        "streamer-symbol": coin.streamer_symbol,
        "destination-venue-symbols": [
            {
                "id": coin.id,
                "symbol": coin.symbol.replace("/", ""),
                "destination-venue": "ZERO_HASH",
                "max-quantity-precision": coin.precision,
                "max-price-precision": -int(coin.tick.as_tuple().exponent),
                "routable": True,
            }
        ],
    }


def warrant_json(warrant: Warrant) -> dict[str, Any]:
    """Renders a warrant."""
    return {
        "symbol": warrant.symbol,
        "instrument-type": "Warrant",
        "cusip": warrant.cusip,
        "listed-market": warrant.market,
        "description": warrant.name,
        "is-closing-only": True,
        "active": True,
    }


def currency_pair_json(pair: CurrencyPair) -> dict[str, Any]:
    """Renders a currency pair."""
    return {
        "id": pair.id,
        "symbol": pair.symbol,
        "instrument-type": "Currency Pair",
        "description": pair.name,
        "dx-symbol": pair.symbol,
    }


def precisions_json() -> list[dict[str, Any]]:
    """Renders how many decimals a quantity may have, by type and for single symbols."""
    coins = [
        {
            "instrument-type": "Cryptocurrency",
            "symbol": coin.symbol,
            "value": coin.precision,
            "minimum-increment-precision": coin.precision,
        }
        for coin in CRYPTOCURRENCIES.values()
    ]
    types = {"Equity": 5, "Equity Option": 0, "Future": 0, "Future Option": 0, "Warrant": 0}
    return [
        *coins,
        *(
            {"instrument-type": name, "value": places, "minimum-increment-precision": places}
            for name, places in types.items()
        ),
    ]
