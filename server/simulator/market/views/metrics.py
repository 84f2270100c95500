"""Renders `/market-metrics`: volatility, liquidity, dividends and earnings of an underlying.

As at the broker, units are mixed: the volatility index, its rank and percentile are fractions, the
30-day volatilities are percentage points.
"""

from __future__ import annotations

__all__ = ["dividends_json", "earnings_json", "metrics_json"]

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from server.simulator.market.brownian import Floats
from server.simulator.market.calendar import NEW_YORK, is_trading_day, next_trading_day
from server.simulator.market.instrument import Instrument
from server.simulator.market.market import Market
from server.simulator.market.price_series import atm_volatility
from server.simulator.market.stocks import STOCKS, Stock
from server.simulator.market.time_grid import to_units
from server.simulator.market.views.decimals import format_decimal, format_rounded, format_zulu

MONTH = 30 / 365.25
_DAY_UNITS = 80 * 86_400


def metrics_json(market: Market, instrument: Instrument) -> dict[str, Any]:
    """Renders the metrics of a stock, a fund or an index."""
    stock = STOCKS[instrument.symbol]
    now = market.clock.now()
    updated = format_zulu(now.replace(second=0, microsecond=0))
    history = _look_back(market, instrument)
    implied, realized = history["implied"], history["realized"]
    current = float(implied[0])
    low, high = float(implied.min()), float(implied.max())
    rank = (current - low) / (high - low) if high > low else 0.0
    body: dict[str, Any] = {
        "symbol": stock.symbol,
        "implied-volatility-index": format_rounded(current, 9),
        "implied-volatility-index-15-day": format_rounded(float(implied[15]), 9),
        "implied-volatility-index-5-day-change": format_rounded(current - float(implied[5]), 9),
        "implied-volatility-index-rank": format_rounded(rank, 9),
        "tos-implied-volatility-index-rank": format_rounded(rank, 9),
        "tw-implied-volatility-index-rank": format_rounded(rank * 0.95, 9),
        "tos-implied-volatility-index-rank-updated-at": updated,
        "implied-volatility-index-rank-source": "tos",
        "implied-volatility-percentile": format_rounded(float((implied < current).mean()), 9),
        "implied-volatility-updated-at": updated,
        "liquidity-value": format_rounded(stock.volume * stock.price * 6, 9),
        "liquidity-rank": format_rounded(stock.volume / (stock.volume + 20), 9),
        "liquidity-rating": _rate_liquidity(stock),
        "updated-at": updated,
        "option-expiration-implied-volatilities": list(
            _expiration_volatilities(market, instrument)
        ),
        "liquidity-running-state": {
            "sum": format_rounded(stock.volume * stock.price * 54, 9),
            "count": 9,
            "started-at": format_zulu(now - timedelta(days=2)),
            "updated-at": updated,
        },
        "beta": format_rounded(history["beta"], 9),
        "beta-updated-at": updated,
        "corr-spy-3month": format_rounded(history["correlation"], 2),
    }
    body |= _dividend_fields(stock, now, updated)
    if stock.kind == "stock" and stock.earnings:
        body["earnings"] = _next_earnings(market, stock, updated)

    body |= {
        "listed-market": stock.market,
        "lendability": instrument.lendability,
        "borrow-rate": "0.0",
        "market-cap": int(stock.shares * 1e6 * history["spot"]),
        "implied-volatility-30-day": format_rounded(current * 100, 2),
        "historical-volatility-30-day": format_rounded(realized[30], 2),
        "historical-volatility-60-day": format_rounded(realized[60], 2),
        "historical-volatility-90-day": format_rounded(realized[90], 2),
        "iv-hv-30-day-difference": format_rounded(current * 100 - realized[30], 2),
    }
    if stock.earnings > 0:
        body["price-earnings-ratio"] = format_rounded(history["spot"] / stock.earnings, 5)

    if stock.earnings:
        body["earnings-per-share"] = format_decimal(stock.earnings)

    return body | {"sector": stock.sector, "industry": stock.industry}


def dividends_json(stock: Stock, today: date) -> list[dict[str, Any]]:
    """Renders the dividends of five years, newest first."""
    if not stock.dividend or stock.kind == "index":
        return []

    days = [day for day in _quarterly(stock, today, 9) if day <= today]
    return [
        {"occurred-date": day.isoformat(), "amount": format_decimal(stock.dividend)} for day in days
    ]


def earnings_json(
    market: Market, stock: Stock, since: date, until: date | None
) -> list[dict[str, Any]]:
    """Renders earnings per share in a range of dates, newest first."""
    if not stock.earnings:
        return []

    today = market.listing.today()
    last = min(until or today, today)
    days = [day for day in _quarterly(stock, today, 27) if since <= day <= last]
    return [
        {"occurred-date": day.isoformat(), "eps": format_rounded(_quarter_eps(stock, day), 2)}
        for day in days
    ]


def _look_back(market: Market, instrument: Instrument) -> dict[str, Any]:
    """Samples a year of prices, a day at a time."""
    series = market.pricer.series
    which = series.index[instrument.symbol]
    last = to_units(market.clock.now()) // market.time_grid.step * market.time_grid.step
    steps = last - np.arange(366) * _DAY_UNITS
    levels = series.at(np.full(366, which), steps)
    market_levels = series.at(np.full(92, series.index["SPX"]), steps[:92])
    usual = series.usual_volatility[which]
    returns = np.diff(np.log(levels.spot))
    own, whole = returns[:91], np.diff(np.log(market_levels.spot))
    covariance = float(np.cov(own, whole)[0, 1])
    return {
        "implied": atm_volatility(levels.volatility, usual, MONTH),
        "realized": {days: _realized_volatility(returns[:days]) for days in (30, 60, 90)},
        "beta": covariance / float(whole.var(ddof=1)),
        "correlation": float(np.corrcoef(own, whole)[0, 1]),
        "spot": float(levels.spot[0]),
    }


def _realized_volatility(returns: Floats) -> float:
    return float(returns.std(ddof=1)) * float(np.sqrt(365.25)) * 100


def _expiration_volatilities(market: Market, instrument: Instrument) -> Iterator[dict[str, str]]:
    series = market.pricer.series
    which = series.index[instrument.symbol]
    now = market.clock.now()
    market_time = market.time_grid.at(now)
    short = series.all_at(int(market_time.units[0])).volatility[which]
    for block in market.listing.chain(instrument):
        years = (block.expiration.expires_at - now) / timedelta(days=365.25)
        volatility = atm_volatility(short, series.usual_volatility[which], max(years, 1e-4))
        yield {
            "expiration-date": block.expiration.day.isoformat(),
            "option-chain-type": "Standard",
            "settlement-type": block.expiration.settlement,
            "implied-volatility": format_rounded(float(volatility), 9),
        }


def _dividend_fields(stock: Stock, now: datetime, updated: str) -> dict[str, Any]:
    if not stock.dividend or stock.kind == "index":
        return {}

    today = now.astimezone(NEW_YORK).date()
    days = list(_quarterly(stock, today, 9))
    ex_date = max(day for day in days if day <= today)
    coming = min(day for day in days if day > today)
    return {
        "dividend-rate-per-share": format_decimal(stock.dividend),
        "annual-dividend-per-share": format_rounded(stock.dividend * 4, 4),
        "dividend-yield": format_rounded(stock.dividend_yield, 9),
        "dividend-ex-date": ex_date.isoformat(),
        "dividend-next-date": coming.isoformat(),
        "dividend-pay-date": next_trading_day(ex_date + timedelta(days=2)).isoformat(),
        "dividend-updated-at": updated,
    }


def _next_earnings(market: Market, stock: Stock, updated: str) -> dict[str, Any]:
    today = market.listing.today()
    coming = min(day for day in _quarterly(stock, today, 27) if day > today)
    previous = max(day for day in _quarterly(stock, today, 27) if day <= today)
    quarter_end = coming.replace(day=1) - timedelta(days=1)
    return {
        "visible": True,
        "expected-report-date": coming.isoformat(),
        "estimated": True,
        "late-flag": 0,
        "quarter-end-date": quarter_end.isoformat(),
        "actual-eps": format_rounded(_quarter_eps(stock, previous), 2),
        "consensus-estimate": format_rounded(stock.earnings / 4, 2),
        "time-of-day": "AMC" if _offset(stock) % 2 else "BTO",
        "updated-at": updated,
    }


def _quarterly(stock: Stock, today: date, day_of_month: int) -> Iterator[date]:
    """Yields one day per quarter, newest first, from the next one back for five years."""
    offset = _offset(stock)
    month = today.year * 12 + today.month - 1 + 4
    for number in range(month, month - 64, -1):
        if number % 3 == offset % 3:
            day = date(number // 12, number % 12 + 1, day_of_month - offset % 7)
            yield day if is_trading_day(day) else next_trading_day(day)


def _quarter_eps(stock: Stock, day: date) -> float:
    # Some quarters are better than others, the same ones every time.
    swing = ((day.toordinal() * 37 + _offset(stock) * 11) % 41 - 20) / 100
    return stock.earnings / 4 * (1 + swing)


def _offset(stock: Stock) -> int:
    return sum(map(ord, stock.symbol))


def _rate_liquidity(stock: Stock) -> int:
    if stock.kind == "index":
        return 4

    return int(np.searchsorted([1, 4, 10, 25], stock.volume))
