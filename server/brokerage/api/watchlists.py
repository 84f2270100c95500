"""Watchlists: reading them, and what a change makes of their entries.

The broker replaces a list as a whole, so a change must carry along whatever it does not
understand: entries are kept as the broker's own objects, and unknown keys survive.
"""

from __future__ import annotations

__all__ = ["Watchlist", "WatchlistEntry", "added", "read_watchlist", "removed"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.brokerage.api.json_reader import JsonReader


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistEntry:
    """One instrument of a list."""

    symbol: str
    instrument_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """One list."""

    name: str
    group_name: str
    order_index: int
    entries: tuple[WatchlistEntry, ...]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The broker's own object, for writing it back."""


def read_watchlist(item: JsonReader) -> Watchlist:
    index = item.integer("order-index")
    return Watchlist(
        name=item.identity("name"),
        group_name=item.text("group-name") or "default",
        order_index=9999 if index is None else index,
        entries=item.items("watchlist-entries", _entry),
        raw=item.raw,
    )


def added(raw: Sequence[Any], entries: Sequence[WatchlistEntry]) -> list[Any]:
    """Returns the broker's entries and the new ones; what is there is not added twice."""
    known = {_symbol(each) for each in raw}
    result = list(raw)
    for entry in entries:
        if entry.symbol.upper() not in known:
            known.add(entry.symbol.upper())
            result.append(
                {"symbol": entry.symbol, "instrument-type": entry.instrument_type or "Equity"}
            )

    return result


def removed(raw: Sequence[Any], symbols: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Returns the broker's entries without `symbols`, and those symbols that were not there.

    Only the symbol counts: an entry may lack its type, and may be there twice.
    """
    gone = {symbol.upper() for symbol in symbols}
    known = {_symbol(each) for each in raw}
    missing = [symbol for symbol in symbols if symbol.upper() not in known]
    return [each for each in raw if _symbol(each) not in gone], missing


def _entry(item: JsonReader) -> WatchlistEntry:
    return WatchlistEntry(
        symbol=item.identity("symbol"), instrument_type=item.text("instrument-type")
    )


def _symbol(raw: Any) -> str:
    return str(raw.get("symbol", "")).upper() if isinstance(raw, Mapping) else ""
