"""What a change makes of the entries of a watchlist."""

from __future__ import annotations

from server.brokerage.api.json_reader import JsonReader, ParseFaults
from server.brokerage.api.watchlists import WatchlistEntry, added, read_watchlist, removed


def test_what_the_broker_has_in_an_entry_survives() -> None:
    raw = [{"symbol": "SPY", "note": "core"}, {"symbol": "SPY"}, {"odd": 1}]
    new = added(raw, [WatchlistEntry(symbol="SPY", instrument_type="Equity")])
    assert new == raw
    kept, missing = removed([*raw, {"symbol": "QQQ"}], ["spy", "X"])
    assert kept == [{"odd": 1}, {"symbol": "QQQ"}]
    assert missing == ["X"]
    read = read_watchlist(JsonReader({"name": "n", "watchlist-entries": raw}, ParseFaults()))
    assert [each.symbol for each in read.entries] == ["SPY", "SPY"]
