"""Watchlists to messages, and the entries of a change back."""

from __future__ import annotations

__all__ = ["entries_from", "entry_to", "name_from", "watchlist_to"]

from collections.abc import Iterable

from tasty.v1 import watchlist_pb2

from server.brokerage.api.watchlists import Watchlist, WatchlistEntry
from server.errors import InvalidField


def watchlist_to(watchlist: Watchlist) -> watchlist_pb2.Watchlist:
    return watchlist_pb2.Watchlist(
        name=watchlist.name,
        group_name=watchlist.group_name,
        order_index=watchlist.order_index,
        watchlist_entries=[entry_to(entry) for entry in watchlist.entries],
    )


def entry_to(entry: WatchlistEntry) -> watchlist_pb2.WatchlistEntry:
    return watchlist_pb2.WatchlistEntry(symbol=entry.symbol, instrument_type=entry.instrument_type)


def entries_from(entries: Iterable[watchlist_pb2.WatchlistEntry]) -> tuple[WatchlistEntry, ...]:
    """Returns the entries of a request, in capitals as the broker spells symbols."""
    return tuple(
        WatchlistEntry(
            symbol=entry.symbol.strip().upper(),
            instrument_type=entry.instrument_type or None,
        )
        for entry in entries
    )


def name_from(text: str) -> str:
    """Returns the name of a list: any text that has something in it and is no path."""
    if not text.strip() or text in (".", ".."):
        raise InvalidField("name", text, "a name of 1 to 255 characters, not '.' or '..'")

    return text
