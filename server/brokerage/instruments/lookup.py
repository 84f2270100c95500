"""From what a client calls an instrument to what the broker and its streams call it.

An option given by its parts is found in the chain, so that a strike or an expiration that is not
listed is told with the choices there are. A plain symbol is not looked up at all: the feed or the
broker's snapshot will tell whether it exists, and a request saved is a request.
"""

from __future__ import annotations

__all__ = ["InstrumentQuery", "Lookup", "Resolved"]

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from server.brokerage.api.json_reader import JsonReader, items_of, read_all
from server.brokerage.instruments.symbols import Instrument, InstrumentKind, parse
from server.brokerage.session import BrokerSession
from server.errors import (
    InvalidDate,
    InvalidOptionType,
    InvalidStrike,
    MissingExpiration,
    MissingStrike,
    NotKnownToBroker,
    SymbolNotFound,
)

STREAMER_PATHS = {
    InstrumentKind.FUTURE: "/instruments/futures",
    InstrumentKind.FUTURE_OPTION: "/instruments/future-options",
    InstrumentKind.CRYPTOCURRENCY: "/instruments/cryptocurrencies",
}
"""Where the streamer symbol stands of what cannot be spelled out: its exchange is part of it."""
MOST_NAMES = 10_000
"""Streamer symbols that are remembered; beyond it all are forgotten, and asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentQuery:
    """An instrument as a client names it: by symbol, or an option by its parts."""

    symbol: str
    option_type: str | None = None
    strike: Decimal | None = None
    expiration: str | None = None

    @property
    def shown(self) -> str:
        """The query in a few words, for an error about one of many."""
        parts = (self.symbol, self.expiration, self.option_type, self.strike)
        return " ".join(f"{part}" for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An instrument that can be subscribed to."""

    symbol: str
    streamer_symbol: str
    kind: InstrumentKind

    @property
    def is_option(self) -> bool:
        return self.kind in (InstrumentKind.EQUITY_OPTION, InstrumentKind.FUTURE_OPTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionParts:
    """The parts of an option, each checked by itself."""

    underlying: str
    option_type: str
    strike: Decimal
    expiration: date


def checked(query: InstrumentQuery) -> Instrument | OptionParts:
    """Returns what the query means as far as its text tells; raises BadInput, asks nobody."""
    if query.option_type is None and query.strike is None and query.expiration is None:
        return parse(query.symbol)

    underlying = parse(query.symbol)
    if underlying.is_option:
        # An option's own symbol says it all; parts beside it are what a client had at hand.
        return underlying

    kind = (query.option_type or "").strip().upper()
    option_type = {"CALL": "C", "PUT": "P"}.get(kind, kind)
    if option_type not in ("C", "P"):
        raise InvalidOptionType(query.option_type or "")
    if query.strike is None:
        raise MissingStrike(underlying.symbol)
    if not query.strike.is_finite() or query.strike <= 0:
        raise InvalidStrike(query.strike)
    if not query.expiration:
        raise MissingExpiration(underlying.symbol)
    return OptionParts(
        underlying=underlying.symbol,
        option_type=option_type,
        strike=query.strike,
        expiration=_day(query.expiration),
    )


class Lookup:
    """Resolves instruments of one tenant; remembers the streamer symbols that it had to ask for."""

    def __init__(self) -> None:
        self._streamer_symbols: dict[str, str] = {}
        self._symbols: dict[str, str] = {}

    async def resolve(self, session: BrokerSession, query: InstrumentQuery) -> Resolved:
        """Returns the instrument; raises BadInput or NotFound, with the choices where there are."""
        found = checked(query)
        if isinstance(found, OptionParts):
            chain = await session.chain(found.underlying)
            contract = chain.find(found.expiration, found.strike, found.option_type)
            return Resolved(
                symbol=contract.symbol,
                streamer_symbol=contract.streamer_symbol,
                kind=InstrumentKind.EQUITY_OPTION,
            )

        if found.kind in STREAMER_PATHS:
            found = await self._named(session, found)
        return Resolved(
            symbol=found.symbol, streamer_symbol=found.streamer_symbol or "", kind=found.kind
        )

    async def _named(self, session: BrokerSession, instrument: Instrument) -> Instrument:
        if instrument.streamer_symbol is not None:
            known = self._symbols.get(instrument.streamer_symbol)
            return replace(instrument, symbol=known) if known else instrument

        known = self._streamer_symbols.get(instrument.symbol)
        if known is None:
            known = await self._ask(session, instrument)
            if len(self._streamer_symbols) >= MOST_NAMES:
                self._streamer_symbols.clear()
                self._symbols.clear()
            self._streamer_symbols[instrument.symbol] = known
            self._symbols[known] = instrument.symbol
        return replace(instrument, streamer_symbol=known)

    @staticmethod
    async def _ask(session: BrokerSession, instrument: Instrument) -> str:
        path = STREAMER_PATHS[instrument.kind]
        try:
            data = await session.connection.get(path, {"symbol[]": [instrument.symbol]})
        except NotKnownToBroker:
            raise SymbolNotFound(instrument.symbol) from None

        for symbol, streamer in read_all(items_of(data), _names, session.faults, "instrument"):
            if symbol == instrument.symbol and streamer:
                return streamer
        raise SymbolNotFound(instrument.symbol)


def _names(item: JsonReader) -> tuple[str, str | None]:
    return item.identity("symbol"), item.text("streamer-symbol")


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidDate(text) from None
    if text != day.isoformat():  # 3.11 also reads 20251219 and week dates, which nobody documented
        raise InvalidDate(text)
    return day
