"""Computes the spot price and volatility of every underlying at an instant.

A series follows its leader (`SPX`, gold, oil) with its beta and adds a path of its own, so that a
fund agrees with its index, and a future with its index. The volatility level and the smile's anchor
move slowly: within minutes an option's price changes by its delta, and not because its smile moved.
"""

from __future__ import annotations

__all__ = ["RATE", "Levels", "PriceSeries", "atm_volatility", "derive_seed"]

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from server.simulator.market.brownian import Floats, Ints, walk
from server.simulator.market.other_instruments import CRYPTOCURRENCIES, CURRENCY_PAIRS, WARRANTS
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.products import Product
from server.simulator.market.stocks import STOCKS, VIX

RATE = 0.04
"""Risk-free rate of every maturity, continuously compounded."""

REVERSION = 3.0
"""Speed, per year, at which volatility reverts to its base along the term structure."""

_VOL_FINEST = 13
"""Volatility is linear between nodes 51 seconds apart."""

_ANCHOR_FINEST = 18
"""The smile's anchor is linear between nodes 27 minutes apart."""

_TRACKER_VOLATILITY = 0.01
"""A series whose own volatility is below this tracks its leader and shares its volatility."""

_LEADERS = 3
"""Longest chain of leaders: `QQQ` follows `NDX`, which follows `SPX`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Holds spot, smile anchor and short volatility, as columns."""

    spot: Floats
    anchor: Floats
    volatility: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    name: str
    price: float
    volatility: float
    beta: float
    leader: str
    dividend_yield: float
    rho: float
    wings: float


class PriceSeries:
    """Holds all underlyings as columns."""

    def __init__(self, seed: int) -> None:
        entries = list(_list_entries())
        self.names = [entry.name for entry in entries]
        self.index = {name: at for at, name in enumerate(self.names)}
        self.base = np.array([entry.price for entry in entries])
        self.dividend_yield = np.array([entry.dividend_yield for entry in entries])
        self.rho = np.array([entry.rho for entry in entries])
        self.wings = np.array([entry.wings for entry in entries])
        self._seeds = np.array(
            [derive_seed(seed, "price", name) for name in self.names], dtype=np.uint64
        )
        self._vol_seeds = np.array(
            [derive_seed(seed, "volatility", name) for name in self.names], dtype=np.uint64
        )
        self._couple_volatilities(entries)
        self._own = np.array([entry.volatility for entry in entries])
        self._resolve_leaders(entries)
        # Implied volatility is a little above the path's own, as on the real market.
        total = np.sqrt(((self._weight * self._own[self._lead]) ** 2).sum(axis=1))
        self.usual_volatility = np.maximum(total * 1.06, 0.02)
        self.usual_volatility[self.index[VIX]] = 0.95
        stocks = np.array([name in STOCKS for name in self.names])
        self._leverage = np.where(stocks, 1.5, 0.0)
        self._leverage[self.index["SPX"]] = 3.0
        self._leverage[self.index[VIX]] = 0.0
        self._vix = self.index[VIX]
        self._spx = self.index["SPX"]
        self.all_at = lru_cache(maxsize=256)(self._all_at)

    def product(self, product: Product) -> int:
        """Returns the series of a future's spot."""
        own = self.index.get(product.root)
        return self.index[product.leader] if own is None else own

    def at(self, which: Ints, units: Ints) -> Levels:
        """Returns the levels of series `which[i]` at instant `units[i]`."""
        which, units = np.broadcast_arrays(np.atleast_1d(which), np.atleast_1d(units))
        path = self._path(which, units)
        slow = self._path(which, units, finest=_ANCHOR_FINEST)
        seeds = self._vol_seeds[self._vol_lead[which]]
        level = walk(seeds, units[:, None], finest=_VOL_FINEST)
        level = (level * self._vol_weight[which]).sum(axis=1)
        return self._levels(which, units, path, slow, level)

    def spot_at(self, which: Ints, units: Ints) -> Floats:
        """Returns only the spots of series `which[i]` at instant `units[i]`, at half the cost."""
        spot: Floats = self.base[which] * np.exp(self._path(which, units))
        is_vix = which == self._vix
        if is_vix.any():
            spot[is_vix] = self._vix_at(units[is_vix])

        return spot

    def spots(self, units: Ints) -> Floats:
        """Returns the spots of all series at some instants: one row per instant."""
        own = walk(self._seeds[None, :], units[:, None]) * self._own
        path = (own[:, self._lead] * self._weight).sum(axis=2)
        spots: Floats = self.base * np.exp(path)
        spots[:, self._vix] = self._vix_at(units)
        return spots

    def _path(self, which: Ints, units: Ints, *, finest: int = 1) -> Floats:
        """Returns the logarithm of spots relative to their base."""
        path = np.zeros(len(which))
        for depth in range(_LEADERS):
            lead, weight = self._lead[which, depth], self._weight[which, depth]
            led = weight != 0
            if not led.any():
                break

            lead = lead[led]
            steps = walk(self._seeds[lead], units[led], finest=finest)
            # Adds in the order of `_all_at`, or the last digits would differ.
            path[led] += (steps * self._own[lead]) * weight[led]

        return path

    def _all_at(self, units: int) -> Levels:
        """Returns the levels of all series at one instant; cached for some instants."""
        now = np.array([units])
        own = walk(self._seeds, now) * self._own
        own_slow = walk(self._seeds, now, finest=_ANCHOR_FINEST) * self._own
        path = (own[self._lead] * self._weight).sum(axis=1)
        slow = (own_slow[self._lead] * self._weight).sum(axis=1)
        level = walk(self._vol_seeds, now, finest=_VOL_FINEST)
        level = (level[self._vol_lead] * self._vol_weight).sum(axis=1)
        which = np.arange(len(self.names))
        return self._levels(which, np.broadcast_to(now, which.shape), path, slow, level)

    def _levels(
        self, which: Ints, units: Ints, path: Floats, slow: Floats, level: Floats
    ) -> Levels:
        spot = self.base[which] * np.exp(path)
        anchor = self.base[which] * np.exp(slow)
        volatility = self.usual_volatility[which] * np.exp(level - self._leverage[which] * slow)
        is_vix = which == self._vix
        if is_vix.any():
            times, back = np.unique(units[is_vix], return_inverse=True)
            vix = self._vix_at(times)[back]
            spot[is_vix] = vix
            anchor[is_vix] = vix
            volatility[is_vix] = self.usual_volatility[self._vix]

        return Levels(spot=spot, anchor=anchor, volatility=volatility)

    def _vix_at(self, units: Ints) -> Floats:
        at = np.array([self._spx])
        level = walk(self._vol_seeds[at], units, finest=_VOL_FINEST)
        slow = walk(self._seeds[at], units, finest=_ANCHOR_FINEST) * self._own[at]
        usual = self.usual_volatility[self._spx]
        short = usual * np.exp(level - self._leverage[at] * slow)
        return 100 * atm_volatility(short, usual, 30 / 365.25)

    def _resolve_leaders(self, entries: list[_Entry]) -> None:
        self._lead = np.zeros((len(entries), _LEADERS), dtype=np.int64)
        self._weight = np.zeros((len(entries), _LEADERS))
        for at, entry in enumerate(entries):
            weight, current = 1.0, entry
            for depth in range(_LEADERS):
                self._lead[at, depth] = self.index[current.name]
                self._weight[at, depth] = weight
                if not current.leader:
                    break

                weight *= current.beta
                current = entries[self.index[current.leader]]

    def _couple_volatilities(self, entries: list[_Entry]) -> None:
        """Couples volatilities: a tracker has its leader's, a stock half of it (by variance)."""
        own = np.arange(len(entries))
        self._vol_lead = np.stack([own, own], axis=1)
        self._vol_weight = np.tile([1.0, 0.0], (len(entries), 1))
        for at, entry in enumerate(entries):
            if not entry.leader:
                continue

            leader = self.index[entry.leader]
            tracks = entry.volatility < _TRACKER_VOLATILITY
            self._vol_lead[at] = self._vol_lead[leader] if tracks else (at, leader)
            self._vol_weight[at] = self._vol_weight[leader] if tracks else (np.sqrt(0.5),) * 2


def atm_volatility(short: Floats, usual: Floats | float, years: Floats | float) -> Floats:
    """Returns the at-the-money volatility of a maturity: `short` at zero, `usual` at infinity."""
    decay = REVERSION * np.maximum(years, 1e-9)
    share = -np.expm1(-decay) / decay
    result: Floats = np.sqrt(np.square(usual) + (np.square(short) - np.square(usual)) * share)
    return result


def _list_entries() -> Iterator[_Entry]:
    for stock in STOCKS.values():
        index = stock.kind == "index" or stock.symbol in {"SPY", "QQQ", "IWM", "DIA"}
        yield _Entry(
            name=stock.symbol,
            price=stock.price,
            volatility=stock.volatility,
            beta=stock.beta,
            leader=stock.leader,
            dividend_yield=stock.dividend_yield,
            rho=0.7 if stock.symbol == VIX else -0.55 if index else -0.3,
            wings=0.9 if stock.symbol == VIX else 1.1 if index else 0.8,
        )

    for product in PRODUCTS.values():
        if product.price and product.leader != VIX:
            yield _Entry(
                name=product.root,
                price=product.price,
                volatility=product.volatility,
                beta=1.0,
                leader=product.leader,
                dividend_yield=0.0,
                rho=-0.2 if product.rule == "oil" else 0.0,
                wings=0.8,
            )

    for coin in CRYPTOCURRENCIES.values():
        yield _independent_entry(coin.symbol, coin.price, coin.volatility)

    for warrant in WARRANTS.values():
        yield _independent_entry(warrant.symbol, warrant.price, warrant.volatility)

    for pair in CURRENCY_PAIRS.values():
        yield _independent_entry(pair.symbol, pair.price, 0.08)


def _independent_entry(name: str, price: float, volatility: float) -> _Entry:
    return _Entry(
        name=name,
        price=price,
        volatility=volatility,
        beta=0.0,
        leader="",
        dividend_yield=0.0,
        rho=0.0,
        wings=0.8,
    )


def derive_seed(seed: int, use: str, name: str) -> int:
    """Returns the 64-bit seed of a use and a name, the same in every process."""
    digest = hashlib.blake2b(f"{seed}\0{use}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
