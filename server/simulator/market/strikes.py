"""Lays out strike ladders: close together near the money, further apart away from it.

A ladder surrounds the listing's fixed price, not the current one: a ladder that followed the market
would remove contracts that people hold.
"""

from __future__ import annotations

__all__ = ["build_future_ladder", "build_stock_ladder", "format_strike"]

from functools import lru_cache

import numpy as np

from server.simulator.market.brownian import Floats
from server.simulator.market.products import Product
from server.simulator.market.stocks import STOCKS

Band = tuple[float, float, float]
"""(step, from, to); from and to are shares of the price."""

_INDEX_PM: dict[str, tuple[Band, ...]] = {
    "SPXW": ((5, 0.955, 1.04), (25, 0.75, 1.16), (100, 0.4, 1.4)),
    "NDXP": ((25, 0.96, 1.04), (100, 0.8, 1.15), (500, 0.5, 1.3)),
    "RUTW": ((5, 0.95, 1.05), (10, 0.8, 1.15), (50, 0.5, 1.4)),
}


@lru_cache(maxsize=256)
def build_stock_ladder(symbol: str, root: str) -> Floats:
    """Returns the strikes, ascending, of one root of a stock, fund or index."""
    stock = STOCKS[symbol]
    price = stock.price
    if root in _INDEX_PM:
        return _build_ladder(price, *_INDEX_PM[root])

    if symbol == "SPX":
        return _build_ladder(price, (5, 0.97, 1.03), (25, 0.6, 1.25), (100, 0.1, 1.8))

    if symbol in {"VIX", "VIXW"}:
        return _build_ladder(price, (0.5, 0.6, 1.3), (1, 0.6, 2.5), (5, 0.6, 6))

    if price < 25:
        near, middle, far = 0.5, 1.0, 2.5
    elif price < 100 or stock.ticks == "all-penny":
        near, middle, far = 1.0, (2.5 if price < 100 else 5.0), 10.0
    elif price < 450:
        near, middle, far = 2.5, 5.0, 10.0
    elif price < 1500:
        near, middle, far = 5.0, 10.0, 25.0
    else:
        near, middle, far = 25.0, 50.0, 250.0

    narrow = 0.07 if stock.ticks == "all-penny" else 0.15
    return _build_ladder(price, (near, 1 - narrow, 1 + narrow), (middle, 0.5, 1.5), (far, 0.3, 2.0))


@lru_cache(maxsize=64)
def build_future_ladder(product: Product, price: float) -> Floats:
    """Returns the strikes, ascending, of the options on a product; `price` is its base price."""
    step = product.strike_step
    return _build_ladder(
        price,
        (step, 0.92, 1.08),
        (step * (5 if product.rule == "index" else 2), 0.7, 1.3),
        (step * 10, 0.4, 1.7),
    )


def format_strike(strike: float) -> str:
    """Formats a strike as dxLink does: `685`, `257.5`."""
    return str(int(strike)) if strike == int(strike) else repr(float(strike))


def _build_ladder(price: float, *bands: Band) -> Floats:
    rungs = [
        np.arange(np.ceil(price * low / step), np.floor(price * high / step) + 1) * step
        for step, low, high in bands
    ]
    return np.unique(np.round(np.concatenate(rungs), 4))
