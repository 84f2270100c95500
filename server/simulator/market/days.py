"""A row's trading day and year: open, high, low, the close before, the year's range.

Highs and lows are taken on a lattice of 3 minutes (a day) and 15 hours (a year), plus what the
asker adds for now, so that they are the same for everybody who asks at the same instant.
"""

from __future__ import annotations

__all__ = ["Days", "Summaries"]

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from server.simulator.market.moments import Moment, seconds
from server.simulator.market.noise import Floats, Ints, uniform
from server.simulator.market.pricer import Pricer
from server.simulator.market.rows import COLLECTIONS
from server.simulator.market.series import Levels

_DAY_STEP = 1 << 14
_YEAR_STEP = 1 << 22
_YEAR_POINTS = 600
_SALT_INTEREST = 111


@dataclass(frozen=True, slots=True, kw_only=True)
class Summaries:
    """Prices in millionths; 0 where there is none."""

    open: Ints
    high: Ints
    low: Ints
    before: Ints
    interest: Ints


@dataclass(slots=True)
class _Running:
    """The extremes of all series since the opening, after each step of the lattice."""

    low: Floats
    high: Floats


class Days:
    """Summaries of days and years."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer
        self._running: dict[tuple[int, int], _Running] = {}
        self._year = lru_cache(maxsize=4)(self._make_year)

    def summaries(self, rows: Ints, moment: Moment) -> Summaries:
        """Returns the day so far of each row."""
        pricer, r = self._pricer, self._pricer.rows
        collection = r.collection[rows]
        units = pricer.units(rows, moment)
        first = np.array([day.first for day in moment.days])[collection]
        closed = np.array([day.closed for day in moment.days])[collection]
        opened = self._near(rows, pricer.fair(rows, first)[0])
        before = self._near(rows, pricer.fair(rows, closed)[0])
        now = self._near(rows, pricer.fair(rows, units)[0])
        last = pricer.trades(rows, pricer.trade_numbers(rows, moment)).price
        last = np.where(last > 0, last, now)
        low, high = self._range(rows, units, moment)
        gone = (r.expires[rows] <= moment.now) | (opened == 0)
        interest = np.floor(r.volume[rows] * 6 * uniform(r.seed[rows], 0, _SALT_INTEREST))
        return Summaries(
            open=np.where(gone, 0, opened),
            high=np.where(gone, 0, np.maximum.reduce([high, opened, now, last])),
            low=np.where(gone, 0, np.minimum.reduce([low, opened, now, last])),
            before=before,
            interest=np.where(r.expires[rows] < np.inf, interest, 0.0).astype(np.int64),
        )

    def year(self, rows: Ints, moment: Moment) -> tuple[Ints, Ints]:
        """Returns the low and the high of the last 52 weeks, today included."""
        pricer = self._pricer
        units = pricer.units(rows, moment)
        low, high = self._year(int(moment.units[0]) >> 22)
        which = pricer.rows.series[rows]
        at = seconds(units)
        day = self._range(rows, units, moment)
        bottom = self._near(rows, pricer.forward(rows, at, low[which]))
        top = self._near(rows, pricer.forward(rows, at, high[which]))
        return np.minimum(bottom, day[0]), np.maximum(top, day[1])

    def _range(self, rows: Ints, units: Ints, moment: Moment) -> tuple[Ints, Ints]:
        """Returns the extremes on the lattice; an option has its own where its underlying has."""
        pricer, r = self._pricer, self._pricer.rows
        low, high = np.empty(len(rows)), np.empty(len(rows))
        collection, which = r.collection[rows], r.series[rows]
        for number in range(len(COLLECTIONS)):
            mine = collection == number
            if mine.any():
                lows, highs = self._extremes(number, moment, int(units[mine].max()))
                low[mine], high[mine] = lows[which[mine]], highs[which[mine]]

        at = seconds(units)
        levels = pricer.levels(rows, units)
        ends = []
        for spot in (low, high):
            price = pricer.forward(rows, at, spot)
            option = r.sign[rows] != 0
            if option.any():
                chosen, when = rows[option], at[option]
                part = Levels(
                    spot=spot[option],
                    anchor=levels.anchor[option],
                    volatility=levels.volatility[option],
                )
                smile = pricer.volatility(chosen, when, part)
                price[option] = pricer.options(chosen, when, part, smile).price

            ends.append(self._near(rows, price))

        # A put is dearest where its underlying is cheapest.
        return np.minimum(*ends), np.maximum(*ends)

    def _extremes(self, collection: int, moment: Moment, until: int) -> tuple[Floats, Floats]:
        """Returns low and high of all series from the day's opening until a step."""
        day = moment.days[collection]
        key = (collection, day.id)
        start = -(-day.first // _DAY_STEP)
        count = max(until // _DAY_STEP - start + 1, 1)
        running = self._running.get(key)
        known = 0 if running is None else len(running.low)
        if known < count:
            lattice = (start + np.arange(known, count)) * _DAY_STEP
            spots = self._pricer.series.spots(lattice)
            if running is not None:
                spots = np.vstack([running.low[-1], running.high[-1], spots])

            lows = np.minimum.accumulate(spots)[-(count - known) :]
            highs = np.maximum.accumulate(spots)[-(count - known) :]
            if running is not None:
                lows, highs = np.vstack([running.low, lows]), np.vstack([running.high, highs])

            while len(self._running) > 2 * len(COLLECTIONS):
                del self._running[next(iter(self._running))]

            running = self._running[key] = _Running(low=lows, high=highs)

        if running is None:
            raise AssertionError("a day has at least one step")

        return running.low[count - 1], running.high[count - 1]

    def _make_year(self, step: int) -> tuple[Floats, Floats]:
        spots = self._pricer.series.spots((step - np.arange(_YEAR_POINTS)) * _YEAR_STEP)
        return spots.min(axis=0), spots.max(axis=0)

    def _near(self, rows: Ints, prices: Floats) -> Ints:
        return self._pricer.ticks.near(self._pricer.rows.ticks[rows], prices)
