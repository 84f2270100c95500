"""Lists the cryptocurrencies, warrants and currency pairs of the simulated market.

A cryptocurrency has two names: `BTC/USD` in orders, `BTC/USD:CXTALP` on dxLink.
"""

from __future__ import annotations

__all__ = [
    "CRYPTOCURRENCIES",
    "CURRENCY_PAIRS",
    "WARRANTS",
    "Cryptocurrency",
    "CurrencyPair",
    "Warrant",
]

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cryptocurrency:
    """Describes a cryptocurrency against the dollar."""

    id: int
    symbol: str
    name: str
    price: float
    volatility: float
    tick: Decimal
    precision: int
    """Decimals that a quantity may have."""

    volume: float
    """Units traded per day."""

    @property
    def streamer_symbol(self) -> str:
        return f"{self.symbol}:CXTALP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warrant:
    """Describes a warrant; the broker accepts closing orders only."""

    symbol: str
    name: str
    price: float
    volatility: float
    market: str
    cusip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyPair:
    """Describes a currency pair, which is listed and streamed but cannot be traded."""

    id: int
    symbol: str
    name: str
    price: float


def _make_cryptocurrency(
    number: int, code: str, name: str, price: float, volatility: float, tick: str, volume: float
) -> Cryptocurrency:
    return Cryptocurrency(
        id=number,
        symbol=f"{code}/USD",
        name=name,
        price=price,
        volatility=volatility,
        tick=Decimal(tick),
        precision=8,
        volume=volume,
    )


CRYPTOCURRENCIES: dict[str, Cryptocurrency] = {
    coin.symbol: coin
    for coin in (
        _make_cryptocurrency(1, "BTC", "Bitcoin", 92_000, 0.45, "0.01", 9_000),
        _make_cryptocurrency(2, "ETH", "Ethereum", 3_100, 0.62, "0.01", 120_000),
        _make_cryptocurrency(3, "SOL", "Solana", 140, 0.75, "0.01", 900_000),
        _make_cryptocurrency(4, "LTC", "Litecoin", 92, 0.7, "0.01", 60_000),
        _make_cryptocurrency(5, "BCH", "Bitcoin Cash", 520, 0.7, "0.01", 11_000),
        _make_cryptocurrency(6, "DOGE", "Dogecoin", 0.16, 0.9, "0.0001", 300_000_000),
    )
}

WARRANTS: dict[str, Warrant] = {
    warrant.symbol: warrant
    for warrant in (
        Warrant(
            symbol="NKLAW",
            name="Nikola Corporation - Warrants",
            price=1.2,
            volatility=0.9,
            market="XNAS",
            cusip="654110113",
        ),
        Warrant(
            symbol="OPFIW",
            name="OppFi Inc. - Warrants",
            price=2.4,
            volatility=0.8,
            market="XNYS",
            cusip="68386H111",
        ),
    )
}

CURRENCY_PAIRS: dict[str, CurrencyPair] = {
    pair.symbol: pair
    for pair in (
        CurrencyPair(id=1, symbol="EUR/USD", name="Euro / US Dollar", price=1.155),
        CurrencyPair(id=2, symbol="USD/JPY", name="US Dollar / Japanese Yen", price=156.2),
        CurrencyPair(id=3, symbol="GBP/USD", name="British Pound / US Dollar", price=1.312),
    )
}
