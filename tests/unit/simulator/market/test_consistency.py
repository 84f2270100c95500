"""The parts of the market agree: parity, delta, funds and their index, VIX, days and years.

Tolerances, stated: European parity within half the sum of both spreads plus a tick. The change of
an option over ten seconds is what its delta, gamma and theta say to a fifth of a usual move of the
underlying, and with its vega to a thousandth.
"""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from server.simulator.market import Market
from server.simulator.market.expiration_block import ExpirationBlock
from server.simulator.market.price_series import RATE
from server.simulator.market.product_table import PRODUCTS
from server.simulator.market.stocks import STOCKS
from tests.unit.simulator.market.markets import (
    FRIDAY_NOON,
    SEED,
    new_market,
    streamers,
)

QUOTE = ("eventSymbol", "bidPrice", "askPrice")


def mids(market: Market, names: list[str]) -> dict[str, tuple[float, float]]:
    """Returns mid and spread of what has both sides."""
    flat = market.columns("Quote", market.resolve_symbols("Quote", names), QUOTE)
    return {
        name: ((bid + ask) / 2, ask - bid)
        for name, bid, ask in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        if bid != "NaN"
    }


def spot(market: Market, symbol: str) -> float:
    series = market.pricer.series
    units = market.time_grid.at(market.clock.now()).units
    return float(series.all_at(int(units[0])).spot[series.index[symbol]])


def blocks_of(market: Market, symbol: str) -> list[ExpirationBlock]:
    found = market.find(symbol)
    assert found is not None
    return market.listing.chain(found)


@pytest.mark.parametrize("symbol", ["SPX", "NDX", "RUT", "VIX"])
def test_european_parity_holds_on_live_quotes(symbol: str) -> None:
    market, clock = new_market()
    blocks = blocks_of(market, symbol)
    seen = mids(market, streamers(market, blocks))
    price = spot(market, symbol)
    carry = RATE - STOCKS[symbol].dividend_yield if symbol != "VIX" else 0.0
    checked = 0
    for block in blocks:
        years = (block.expiration.expires_at - clock.now()) / timedelta(days=365.25)
        for place, strike in enumerate(block.strikes.tolist()):
            call, put = (
                seen.get(market.listing.instrument(block.first + 2 * place + side).streamer_symbol)
                for side in (0, 1)
            )
            if call is None or put is None:
                continue

            parity = math.exp(-RATE * years) * (price * math.exp(carry * years) - strike)
            tolerance = (call[1] + put[1]) / 2 + 0.1
            assert call[0] - put[0] == pytest.approx(parity, abs=tolerance)
            checked += 1

    assert checked > 100


@pytest.mark.parametrize("symbol", ["AAPL", "SPY", "F"])
def test_american_bounds_hold_on_live_quotes(symbol: str) -> None:
    market, _ = new_market()
    price = spot(market, symbol)
    fields = ("eventSymbol", "askPrice")
    for block in blocks_of(market, symbol):
        names = streamers(market, [block])
        flat = market.columns("Quote", market.resolve_symbols("Quote", names), fields)
        asks = dict(zip(flat[::2], flat[1::2], strict=True))
        for place, strike in enumerate(block.strikes.tolist()):
            call, put = names[2 * place], names[2 * place + 1]
            assert asks[call] >= price - strike - 1e-6
            assert asks[put] >= strike - price - 1e-6


@pytest.mark.parametrize("symbol", ["SPX", "AAPL", "TSLA"])
def test_an_option_moves_by_its_delta(symbol: str) -> None:
    market, clock = new_market(FRIDAY_NOON.replace(microsecond=0))  # Greeks move on the second
    names = streamers(market, blocks_of(market, symbol)[4:14:3])
    handles = market.resolve_symbols("Greeks", names)
    fields = ("price", "delta", "gamma", "theta", "vega", "volatility")

    def look() -> tuple[float, Any]:
        flat = market.columns("Greeks", handles, fields)
        return spot(market, symbol), np.array(flat).reshape(-1, len(fields)).T

    moves = []
    for _ in range(6):
        before, old = look()
        clock.forward(seconds=10)
        after, new = look()
        move = after - before
        usual = before * float(np.median(old[5])) * math.sqrt(10 / 31_557_600)
        moves.append(abs(move) / usual)
        _, delta, gamma, theta, vega, volatility = old
        expected = delta * move + gamma * move**2 / 2 + theta * 10 / 86_400
        # What remains is the drift of volatility and of the smile, slow on purpose.
        error = np.abs(new[0] - old[0] - expected)
        assert error.max() < 0.2 * usual
        expected += vega * (new[5] - volatility) * 100
        live = gamma != 0  # where exercise is due, an option only follows its underlying
        assert np.abs(new[0] - old[0] - expected)[live].max() < 0.001 * max(usual, abs(move))

    assert max(moves) > 0.5


def test_greeks_are_in_line_with_the_quote() -> None:
    market, _ = new_market()
    names = streamers(market, blocks_of(market, "SPY")[2:20:6])
    quotes = mids(market, names)
    flat = market.columns(
        "Greeks", market.resolve_symbols("Greeks", names), ("eventSymbol", "price")
    )
    for name, price in zip(flat[::2], flat[1::2], strict=True):
        if name in quotes:
            middle, spread = quotes[name]
            # The greeks are as old as the second, the quote as the tick.
            assert price == pytest.approx(middle, abs=spread + 0.05)


def test_calls_cost_less_the_higher_their_strike() -> None:
    market, _ = new_market()
    for block in blocks_of(market, "SPX")[::5]:
        names = streamers(market, [block])
        flat = market.columns(
            "Greeks", market.resolve_symbols("Greeks", names), ("price", "volatility")
        )
        prices, volatilities = np.array(flat[::2]), np.array(flat[1::2])
        assert (np.diff(prices[::2]) <= 1e-9).all()
        assert (np.diff(prices[1::2]) >= -1e-9).all()
        assert volatilities[::2] == pytest.approx(volatilities[1::2])
        assert (np.abs(np.diff(volatilities[::2])) < 0.15).all()  # smooth


def test_a_fund_follows_its_index_and_a_future_its_index() -> None:
    market, clock = new_market()
    ratios = []
    for _ in range(30):
        clock.forward(hours=5)
        ratios.append(spot(market, "SPY") * 10 / spot(market, "SPX"))
        future = market.listing.futures(PRODUCTS["ES"])[0]
        quote = market.quote(future)
        assert quote.mid is not None
        assert future.expires_at is not None
        years = (future.expires_at - clock.now()) / timedelta(days=365.25)
        carry = RATE - STOCKS["SPX"].dividend_yield
        fair = spot(market, "SPX") * math.exp(carry * max(years, 0))
        assert float(quote.mid) == pytest.approx(fair, abs=0.5)

    assert np.std(ratios) < 0.002


def test_vix_is_the_volatility_of_spx() -> None:
    market, clock = new_market()
    for _ in range(10):
        clock.forward(hours=7)
        underlying = market.event("Underlying", "SPX")
        assert underlying is not None
        assert spot(market, "VIX") == pytest.approx(100 * underlying["volatility"], rel=0.01)
        assert 8 < spot(market, "VIX") < 45


def test_prices_stay_near_their_base() -> None:
    for day in range(0, 2000, 90):
        market, _ = new_market(FRIDAY_NOON + timedelta(days=day))
        assert spot(market, "SPY") == pytest.approx(687, rel=0.12)
        assert 200 < spot(market, "TSLA") < 800


def test_summary_holds_the_day() -> None:
    market, clock = new_market()
    names = ["SPY", "VIX", "AAPL", ".SPY261218P685", "/ESZ26:XCME", "BTC/USD:CXTALP"]
    low, high = {}, {}
    for _ in range(8):
        clock.forward(minutes=20)
        for name in names:
            summary, trade = market.event("Summary", name), market.event("Trade", name)
            assert summary is not None
            assert trade is not None
            opened, before = summary["dayOpenPrice"], summary["prevDayClosePrice"]
            assert summary["dayLowPrice"] <= opened <= summary["dayHighPrice"]
            assert summary["dayLowPrice"] <= trade["price"] * 1.003
            assert summary["dayHighPrice"] >= trade["price"] * 0.997
            # A range does not shrink, but for what fell between the steps of its lattice.
            slack = 0.03 if name.startswith(".") else 0.002
            assert summary["dayLowPrice"] <= low.get(name, math.inf) * (1 + slack)
            assert summary["dayHighPrice"] >= high.get(name, 0) * (1 - slack)
            low[name], high[name] = summary["dayLowPrice"], summary["dayHighPrice"]
            assert trade["change"] == pytest.approx(trade["price"] - before, abs=1e-6)
            assert summary["prevDayId"] < summary["dayId"]


def test_the_same_seed_is_the_same_market_in_another_process() -> None:
    """A second process asks in another order, for fewer things, and sees the same digits."""
    market, _ = new_market()
    names = [".SPY261218P685", "AAPL", "BTC/USD:CXTALP", ".SPXW261127C6870", "VIX"]
    list(market.candles("AAPL", "1h", FRIDAY_NOON - timedelta(days=3)))
    mine = [market.event(kind, name) for kind in ("Trade", "Quote") for name in reversed(names)]
    script = (
        "from tests.unit.simulator.market.markets import new_market\n"
        "market, _ = new_market()\n"
        f"names = {names!r}\n"
        "print([market.event(k, n) for k in ('Trade', 'Quote') for n in reversed(names)])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == repr(mine)


def test_another_seed_is_another_market() -> None:
    one, _ = new_market(seed=SEED)
    other, _ = new_market(seed=SEED + 1)
    assert one.event("Quote", "SPY") != other.event("Quote", "SPY")
