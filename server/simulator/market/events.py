"""Makes dxFeed's events: which rows have one, when there is a new one, and its fields."""

from __future__ import annotations

__all__ = ["EventFactory"]

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from server.simulator.market.brownian import Ints, uniform
from server.simulator.market.fields import Columns
from server.simulator.market.listing import Listing
from server.simulator.market.price_series import RATE, atm_volatility
from server.simulator.market.pricer import Pricer, Trades
from server.simulator.market.rows import COLLECTIONS, Flag
from server.simulator.market.stocks import STOCKS
from server.simulator.market.summaries import DaySummaries
from server.simulator.market.ticks import MICRO
from server.simulator.market.time_grid import MarketTime, to_milliseconds, to_seconds

_INDEX_OPTIONS = 1_500_000.0
"""Options traded on an index per day; an index itself has no volume to derive it from."""

_EXCHANGE_CODES = (*"QNPZKUVX", "")
"""dxFeed's codes of exchanges; cryptocurrencies and futures have none."""


class EventFactory:
    """Makes the columns of events for rows at a point in time."""

    def __init__(self, listing: Listing, pricer: Pricer, summaries: DaySummaries) -> None:
        self._listing = listing
        self._rows = listing.rows
        self._pricer = pricer
        self._summaries = summaries
        self._makers: dict[str, Callable[[Ints, MarketTime], Columns]] = {
            "Quote": self._quote,
            "Trade": self._trade,
            "Summary": self._summary,
            "Profile": self._profile,
            "Greeks": self._greeks,
            "TheoPrice": self._theo_price,
            "Underlying": self._underlying,
            "TimeAndSale": self._time_and_sale,
        }

    def can_have(self, event_type: str, rows: Ints) -> npt.NDArray[np.bool_]:
        """Tells which rows can ever have an event of that type."""
        r = self._rows
        if event_type == "Quote":
            return np.asarray((r.flags[rows] & Flag.UNQUOTED) == 0)

        if event_type in {"Greeks", "TheoPrice"}:
            return np.asarray(r.sign[rows] != 0)

        if event_type == "Underlying":
            listed = (self._listing.instrument(row) for row in rows.tolist())
            return np.array([bool(self._listing.chain(each)) for each in listed], dtype=bool)

        return np.full(len(rows), event_type in self._makers)

    def update_interval(self, event_type: str) -> int | None:
        """Returns the time units between changes of a type; None means the market's tick."""
        # Greeks change once a second and summaries every five seconds: they lag behind quotes, as
        # dxFeed's do.
        return {
            "Greeks": 80,
            "TheoPrice": 80,
            "Underlying": 160,
            "Summary": 400,
            "Profile": 4800,
        }.get(event_type)

    def follows_trades(self, event_type: str) -> bool:
        """Tells whether a new event comes exactly when a row's trade number changes."""
        return event_type in {"Trade", "TimeAndSale"}

    def make(self, event_type: str, rows: Ints, market_time: MarketTime) -> Columns:
        """Returns the columns; `_present` tells which rows have an event, `_key` when it is new."""
        return self._makers[event_type](rows, market_time)

    def _quote(self, rows: Ints, market_time: MarketTime) -> Columns:
        quotes = self._pricer.quotes(rows, market_time)
        time = to_milliseconds(self._pricer.units(rows, market_time))
        return {
            "_present": quotes.ask > 0,
            "_key": [
                quotes.bid,
                quotes.ask,
                np.nan_to_num(quotes.bid_size),
                np.nan_to_num(quotes.ask_size),
            ],
            "sequence": 0,
            "timeNanoPart": 0,
            "bidTime": time,
            "askTime": time,
            "bidExchangeCode": lambda: self._exchange(rows),
            "askExchangeCode": lambda: self._exchange(rows),
            "bidPrice": _to_prices(quotes.bid),
            "askPrice": _to_prices(quotes.ask),
            "bidSize": quotes.bid_size,
            "askSize": quotes.ask_size,
        }

    def _trade(self, rows: Ints, market_time: MarketTime) -> Columns:
        number = self._pricer.trade_numbers(rows, market_time)
        trades = self._pricer.trades(rows, number)
        earlier = self._pricer.trades(rows, number - 1)
        units, collection = trades.units, self._rows.collection[rows]
        closed = np.array([day.previous_close for day in market_time.days])[collection]
        near = self._pricer.ticks.round_to_nearest
        before = near(self._rows.ticks[rows], self._pricer.fair_values(rows, closed)[0])
        volume = self._pricer.volume(rows, units, market_time)
        ways = np.sign(trades.price - earlier.price)
        return {
            "_present": self._traded(rows, trades, market_time),
            "_key": [number],
            "time": to_milliseconds(units),
            "timeNanoPart": 0,
            "sequence": number % 1_000_000,
            "exchangeCode": lambda: self._exchange(rows),
            "dayId": np.array([day.id for day in market_time.days])[collection],
            "tickDirection": [("ZERO", "UP", "DOWN")[int(way)] for way in ways],
            "extendedTradingHours": False,
            "price": _to_prices(trades.price),
            "change": np.round((trades.price - before) / MICRO, 6),
            "size": trades.size,
            "dayVolume": volume,
            "dayTurnover": np.round(volume * trades.price / MICRO, 2),
        }

    def _time_and_sale(self, rows: Ints, market_time: MarketTime) -> Columns:
        number = self._pricer.trade_numbers(rows, market_time)
        trades = self._pricer.trades(rows, number)
        index = (self._rows.flags[rows] & Flag.INDEX) != 0
        sides = np.where(index, "UNDEFINED", np.where(trades.bought, "BUY", "SELL"))
        time = to_milliseconds(trades.units)
        return {
            "_present": self._traded(rows, trades, market_time),
            "_key": [number],
            "eventFlags": 0,
            "index": _make_index(time, number % 1000),
            "time": time,
            "timeNanoPart": 0,
            "sequence": number % 1000,
            "exchangeCode": lambda: self._exchange(rows),
            "price": _to_prices(trades.price),
            "size": trades.size,
            "bidPrice": _to_prices(trades.bid),
            "askPrice": _to_prices(trades.ask),
            "exchangeSaleConditions": "@",
            "tradeThroughExempt": "X",
            "aggressorSide": sides.tolist(),
            "spreadLeg": False,
            "extendedTradingHours": False,
            "validTick": True,
            "type": "NEW",
            "buyer": None,
            "seller": None,
        }

    def _summary(self, rows: Ints, market_time: MarketTime) -> Columns:
        summaries = self._summaries.summarize(rows, market_time)
        collection = self._rows.collection[rows]
        return {
            "_present": self._alive(rows, market_time),
            "_key": [summaries.open, summaries.high, summaries.low, summaries.previous_close],
            "dayId": np.array([day.id for day in market_time.days])[collection],
            "prevDayId": np.array([day.previous_day_id for day in market_time.days])[collection],
            "dayOpenPrice": _to_prices(summaries.open),
            "dayHighPrice": _to_prices(summaries.high),
            "dayLowPrice": _to_prices(summaries.low),
            "dayClosePrice": np.full(len(rows), np.nan),
            "dayClosePriceType": "REGULAR",
            "prevDayClosePrice": _to_prices(summaries.previous_close),
            "prevDayClosePriceType": "FINAL",
            "prevDayVolume": np.floor(self._pricer.day_volume(rows, market_time)),
            "openInterest": summaries.open_interest,
        }

    def _profile(self, rows: Ints, market_time: MarketTime) -> Columns:
        low, high = self._summaries.year_range(rows, market_time)
        before = self._summaries.summarize(rows, market_time).previous_close / MICRO
        halted = (self._rows.flags[rows] & Flag.HALTED) != 0
        halt = to_milliseconds(self._pricer.units(rows, market_time))
        option = self._rows.sign[rows] != 0
        instruments = [self._listing.instrument(row) for row in rows.tolist()]
        stocks = [STOCKS.get(item.symbol) for item in instruments]
        company = np.array([stock is not None and stock.kind != "index" for stock in stocks])
        nan = float("nan")
        shares = [stock.shares * 1e6 if stock and stock.shares else nan for stock in stocks]
        return {
            "_present": self._alive(rows, market_time),
            "_key": [np.array([day.id for day in market_time.days])[self._rows.collection[rows]]],
            "description": [item.description for item in instruments],
            "shortSaleRestriction": "INACTIVE",
            "tradingStatus": np.where(halted, "HALTED", "ACTIVE").tolist(),
            "statusReason": ["News pending" if halt else None for halt in halted.tolist()],
            "haltStartTime": np.where(halted, halt, 0),
            "haltEndTime": 0,
            "exDividendDayId": 0,
            # Only stocks have limit-up and limit-down prices.
            "highLimitPrice": np.where(company, np.round(before * 1.05, 2), np.nan),
            "lowLimitPrice": np.where(company, np.round(before * 0.95, 2), np.nan),
            "high52WeekPrice": np.where(option, np.nan, high / MICRO),
            "low52WeekPrice": np.where(option, np.nan, low / MICRO),
            "beta": np.array([stock.beta if stock else nan for stock in stocks]),
            "earningsPerShare": np.array([stock.earnings if stock else nan for stock in stocks]),
            "dividendFrequency": np.array(
                [4.0 if stock and stock.dividend else nan for stock in stocks]
            ),
            "exDividendAmount": np.array(
                [stock.dividend if stock and stock.dividend else nan for stock in stocks]
            ),
            "shares": np.array(shares),
            "freeFloat": np.array(shares) * 0.97,
        }

    def _greeks(self, rows: Ints, market_time: MarketTime) -> Columns:
        units = self._pricer.units(rows, market_time)
        levels, at = self._pricer.levels(rows, units), to_seconds(units)
        volatility = self._pricer.volatility(rows, at, levels)
        worth = self._pricer.options(rows, at, levels, volatility)
        time = to_milliseconds(units)
        return {
            "_present": self._alive(rows, market_time),
            "_key": [units],
            "eventFlags": 0,
            "index": _make_index(time, 0),
            "time": time,
            "sequence": 0,
            "price": worth.price,
            "volatility": volatility,
            "delta": worth.delta,
            "gamma": worth.gamma,
            "theta": worth.theta,
            "rho": worth.rho,
            "vega": worth.vega,
        }

    def _theo_price(self, rows: Ints, market_time: MarketTime) -> Columns:
        units = self._pricer.units(rows, market_time)
        levels, at = self._pricer.levels(rows, units), to_seconds(units)
        worth = self._pricer.options(rows, at, levels, self._pricer.volatility(rows, at, levels))
        on_future = (self._rows.flags[rows] & Flag.ON_FUTURE) != 0
        forward = self._pricer.forward(rows, at, levels.spot)
        time = to_milliseconds(units)
        return {
            "_present": self._alive(rows, market_time),
            "_key": [units],
            "eventFlags": 0,
            "index": _make_index(time, 0),
            "time": time,
            "sequence": 0,
            "price": worth.price,
            "underlyingPrice": np.where(on_future, forward, levels.spot),
            "delta": worth.delta,
            "gamma": worth.gamma,
            "dividend": np.where(on_future, 0.0, RATE - self._rows.carry[rows]),
            "interest": RATE,
        }

    def _underlying(self, rows: Ints, market_time: MarketTime) -> Columns:
        units = self._pricer.units(rows, market_time)
        which = self._rows.series[rows]
        short = self._pricer.levels(rows, units).volatility
        usual = self._pricer.series.usual_volatility[which]
        ends = [self._listing.chain(self._listing.instrument(row))[:2] for row in rows.tolist()]
        terms = np.array(
            [[block.expiration.expires_at.timestamp() for block in pair] for pair in ends]
        )
        years = np.maximum(terms - to_seconds(units)[:, None], 60.0) / (365.25 * 86_400)
        shares = self._pricer.volume(rows, units, market_time)
        options = np.floor(np.where(shares > 0, shares * 0.05, _INDEX_OPTIONS))
        puts = 0.35 + 0.3 * uniform(self._rows.seed[rows], market_time.days[0].id, 121)
        time = to_milliseconds(units)
        return {
            "_present": np.ones(len(rows), dtype=bool),
            "_key": [units],
            "eventFlags": 0,
            "index": _make_index(time, 0),
            "time": time,
            "sequence": 0,
            "volatility": atm_volatility(short, usual, 30 / 365.25),
            "frontVolatility": atm_volatility(short, usual, years[:, 0]),
            "backVolatility": atm_volatility(short, usual, years[:, 1]),
            "callVolume": options - np.floor(options * puts),
            "putVolume": np.floor(options * puts),
            "optionVolume": options,
            "putCallRatio": puts / (1 - puts),
        }

    def _alive(self, rows: Ints, market_time: MarketTime) -> Any:
        return self._rows.expires[rows] > market_time.now

    def _traded(self, rows: Ints, trades: Trades, market_time: MarketTime) -> Any:
        return (trades.price > 0) & self._alive(rows, market_time)

    def _exchange(self, rows: Ints) -> list[str]:
        number = ((self._rows.seed[rows] >> np.uint64(16)) & np.uint64(7)).astype(np.int64)
        stock = self._rows.collection[rows] == COLLECTIONS.index("Equity")
        return [
            _EXCHANGE_CODES[at] for at in np.where(stock, number, len(_EXCHANGE_CODES) - 1).tolist()
        ]


def _to_prices(micro: Ints) -> Any:
    """Returns prices as floats whose shortest text is the price; no price is NaN."""
    return np.where(micro > 0, micro / MICRO, np.nan)


def _make_index(time: Ints, sequence: Ints | int) -> Ints:
    """Returns dxFeed's index of an event: seconds, milliseconds and sequence in one number."""
    result: Ints = ((time // 1000) << 32) | ((time % 1000) << 22) | sequence
    return result
