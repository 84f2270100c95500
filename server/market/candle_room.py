"""Limits the candles that one tenant, and all tenants, keep in memory.

Until a history has arrived it is counted by the candles that it could have, afterwards by those
that it has: a market that is closed for most of the day takes no room for that time.
"""

from __future__ import annotations

__all__ = [
    "EACH",
    "LARGEST",
    "MOST_CANDLES",
    "SPARE",
    "TOTAL",
    "CandleRoom",
    "candle_shares",
    "expected_candles",
]

import re
from collections.abc import Mapping

from server.errors import TooManyCandles
from server.shares import Shares, Whose

MOST_CANDLES = 20_000
"""Candles kept of one series, the newest: what a reader a year behind would need of 15 minutes."""
LARGEST = MOST_CANDLES * 5 // 4
"""How many there may be before the oldest go: candles of a second are 23,400 more a day."""
EACH = 500_000
"""Candles of one tenant, unless the settings say otherwise: 500 shares with a day of minutes."""
TOTAL = 1_000_000
"""And of all of them: half a gigabyte."""
LIGHT = LARGEST
"""One series, however long, is little: the last quarter of all rows is for such tenants."""
SPARE = 64
"""Candles that a series may get before it has to ask for more room."""
SESSION = 0.3
"""The part of a day in which shares and their options trade in regular hours, rounded up."""

_INTERVAL = re.compile(r"(\d+)(s|m|h|d|w|mo)")
_SECONDS: Mapping[str, int] = {
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "mo": 28 * 86_400,
}


def expected_candles(
    symbol: str, interval: str, since: int, now: int, *, extended: bool = True
) -> int:
    """Returns how many candles there can be between two moments in epoch milliseconds.

    A guess that is too low costs nothing while there is room: a series asks for more as it comes.
    """
    found = _INTERVAL.fullmatch(interval)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 1
    count = max(0, now - since) / (1000 * seconds)
    # Futures and coins, which have a slash in their names, trade round the clock.
    if not extended and seconds < _SECONDS["d"] and "/" not in symbol:
        count *= SESSION

    return min(MOST_CANDLES, int(count) + 1)


def candle_shares(*, each: int, total: int) -> Shares:
    """Returns the room that the series of all tenants share."""
    return Shares(total=total, each=each, light=min(LIGHT, each))


class CandleRoom:
    """Accounts for one tenant's part of the room."""

    def __init__(self, shares: Shares, owner: str) -> None:
        self._shares = shares
        self._owner = owner

    @property
    def held(self) -> int:
        """The rows that this tenant's series may have now."""
        return self._shares.held(self._owner)

    def ensure(self, wanted: int) -> None:
        """Raises TooManyCandles if there is no room for so many more rows."""
        limit = self._shares.limit(self._owner, wanted)
        if limit is not None:
            raise TooManyCandles(
                wanted=wanted,
                room=limit.room,
                whose="API key" if limit.whose is Whose.OWNER else "server",
            )

    def grow(self, rows: int) -> bool:
        """Takes more room for a series that grows; returns False if there is none."""
        if self._shares.limit(self._owner, rows) is not None:
            return False

        self.change(rows)
        return True

    def change(self, rows: int) -> None:
        """Takes room for so many rows; a negative number gives it back."""
        if rows > 0:
            self._shares.take(self._owner, rows)
        elif rows < 0:
            self._shares.give_back(self._owner, -rows)
