"""What a symbol search finds.

The SDK's own search neither renews the access token nor tells a failure from an empty result, and
drops half of the fields; so it is requested as everything else.
"""

from __future__ import annotations

__all__ = ["SymbolMatch", "read_symbol_match"]

from dataclasses import dataclass

from server.brokerage.api.json_reader import JsonReader


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolMatch:
    """One hit."""

    symbol: str
    description: str | None
    instrument_type: str | None
    listed_market: str | None
    options: bool | None


def read_symbol_match(item: JsonReader) -> SymbolMatch:
    return SymbolMatch(
        symbol=item.identity("symbol"),
        description=item.text("description"),
        instrument_type=item.text("instrument-type"),
        listed_market=item.text("listed-market"),
        options=item.flag("options"),
    )
