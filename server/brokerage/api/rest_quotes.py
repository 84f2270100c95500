"""The broker's own snapshot of prices, for what the feed says nothing of.

It answers when the market is closed, and for indices that nobody quotes (VIX has a mark and a last
price there, and no bid). It is not live: whoever shows it says where it comes from.
"""

from __future__ import annotations

__all__ = ["RestQuote", "rest_quotes"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader, items_of, read_all
from server.brokerage.instruments.symbols import InstrumentKind
from server.brokerage.session import BrokerSession
from server.errors import NotKnownToBroker

MOST_AT_ONCE = 100
"""The broker's limit, all types together."""

PARAMETERS: Mapping[InstrumentKind, str] = {
    InstrumentKind.EQUITY: "equity",
    InstrumentKind.INDEX: "index",
    InstrumentKind.EQUITY_OPTION: "equity-option",
    InstrumentKind.FUTURE: "future",
    InstrumentKind.FUTURE_OPTION: "future-option",
    InstrumentKind.CRYPTOCURRENCY: "cryptocurrency",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestQuote:
    """What the broker's REST service says of one symbol; absent is what it does not say."""

    symbol: str
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    last: Decimal | None
    mark: Decimal | None
    updated_at: datetime | None
    is_halted: bool | None


async def rest_quotes(
    session: BrokerSession, symbols: Iterable[tuple[InstrumentKind, str]]
) -> dict[str, RestQuote]:
    """Returns what the broker knows, by its own symbol; what it does not know is left out."""
    asked = list(symbols)
    found: dict[str, RestQuote] = {}
    for start in range(0, len(asked), MOST_AT_ONCE):
        found.update(await _page(session, asked[start : start + MOST_AT_ONCE]))
    return found


async def _page(
    session: BrokerSession, asked: list[tuple[InstrumentKind, str]]
) -> dict[str, RestQuote]:
    params: dict[str, list[str]] = {}
    for kind, symbol in asked:
        params.setdefault(PARAMETERS[kind], []).append(symbol)

    try:
        data = await session.connection.get("/market-data/by-type", params)
    except NotKnownToBroker:
        # One unknown symbol may cost the whole answer: halve until it stands alone.
        if len(asked) == 1:
            return {}
        middle = len(asked) // 2
        return {
            **await _page(session, asked[:middle]),
            **await _page(session, asked[middle:]),
        }

    quotes = read_all(items_of(data), _read, session.faults, "market data")
    return {quote.symbol: quote for quote in quotes}


def _read(item: JsonReader) -> RestQuote:
    return RestQuote(
        symbol=item.identity("symbol"),
        bid=item.decimal("bid"),
        ask=item.decimal("ask"),
        bid_size=item.decimal("bid-size"),
        ask_size=item.decimal("ask-size"),
        last=item.decimal("last"),
        mark=item.decimal("mark"),
        updated_at=item.moment("updated-at"),
        is_halted=item.flag("is-trading-halted"),
    )
