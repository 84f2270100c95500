"""Search results to messages."""

from __future__ import annotations

__all__ = ["search_text_from", "symbol_match_to"]

from tasty.v1 import reference_service_pb2, symbol_pb2

from server.brokerage.api.search import SymbolMatch


def search_text_from(request: reference_service_pb2.SearchSymbolsRequest) -> str:
    """Returns what to search for."""
    return request.symbol.strip()


def symbol_match_to(match: SymbolMatch) -> symbol_pb2.SymbolMatch:
    return symbol_pb2.SymbolMatch(
        symbol=match.symbol,
        description=match.description or "",
        instrument_type=match.instrument_type or "",
        listed_market=match.listed_market or "",
        options=match.options,
    )
