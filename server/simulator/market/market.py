"""The one door to the simulated market: find an instrument, ask its quote, its events, its past.

A price is never stored. Two simulators with the same seed show the same market at the same instant.
"""

from __future__ import annotations

__all__ = ["Handles", "Market"]

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from server.simulator.market.instrument import Instrument, Quote, SimClock


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Handles:
    """Symbols of one event type, resolved once so that DXLink need not look them up each time."""

    event_type: str
    symbols: tuple[str, ...]
    """Streamer symbols, those that the market knows, in the order given."""

    rows: npt.NDArray[np.int64]
    unknown: tuple[str, ...]
    """Symbols that this event type will never have a value for."""


class Market:
    """Everything that is listed, and what it costs at the clock's now."""

    def __init__(self, *, seed: int, clock: SimClock, always_open: bool = True) -> None:
        self.seed = seed
        self.clock = clock
        self.always_open = always_open

    def find(self, symbol: str) -> Instrument | None:
        """Returns what the broker calls `symbol`, expired contracts included, or None."""
        raise NotImplementedError

    def find_streamer(self, streamer_symbol: str) -> Instrument | None:
        """Returns what DXLink calls `streamer_symbol`, or None."""
        raise NotImplementedError

    def quote(self, instrument: Instrument) -> Quote:
        """Returns the market of an instrument now: on its tick, bid below ask."""
        raise NotImplementedError

    def open(self, instrument: Instrument) -> bool:
        """Tells whether it trades now; with `always_open`, until it expires or is halted."""
        raise NotImplementedError

    def event(self, event_type: str, streamer_symbol: str) -> dict[str, Any] | None:
        """Returns one event as dxFeed names its fields, or None where there is none."""
        raise NotImplementedError

    def fields(self, event_type: str) -> Mapping[str, str]:
        """Returns the fields of an event type and their kinds, in dxFeed's order."""
        raise NotImplementedError

    def handles(self, event_type: str, symbols: Iterable[str]) -> Handles:
        """Resolves streamer symbols once, for `columns`."""
        raise NotImplementedError

    def columns(
        self,
        event_type: str,
        handles: Handles,
        fields: Sequence[str],
        since: datetime | None = None,
    ) -> list[Any]:
        """Returns DXLink's flat COMPACT list: the fields of the first event, of the second, ...

        With `since`, only the events whose values changed after that instant. The list holds
        str, int, float, bool and None only; what is not a number is the text `NaN`.
        """
        raise NotImplementedError

    def candles(
        self, symbol: str, interval: str, from_time: datetime, *, regular_hours: bool = True
    ) -> Iterator[dict[str, Any]]:
        """Yields candles of a streamer symbol, newest first, back to `from_time`."""
        raise NotImplementedError
