"""Keeps a tenant's option chains for the day in New York, each asked for once."""

from __future__ import annotations

__all__ = ["OptionChainCache"]

import asyncio
from collections.abc import Hashable
from datetime import date
from typing import TYPE_CHECKING

from server.brokerage.api.json_reader import JsonReader, ParseFaults, items_of, read_all
from server.brokerage.instruments.chain_memory import READ_AT_ONCE_EACH, ChainRoom
from server.brokerage.instruments.chains import OptionChain, read_chain
from server.brokerage.instruments.symbols import Instrument, InstrumentKind, parse
from server.brokerage.transport.paths import segment
from server.brokerage.transport.single_flight import SingleFlight
from server.clock import Clock, new_york_today
from server.errors import NotKnownToBroker, SymbolNotFound

if TYPE_CHECKING:
    from server.brokerage.transport.connection import Connection  # imports the SDK

Key = tuple[date, str]


class OptionChainCache:
    """Keeps one tenant's chains. They are read again on a new day: expirations have passed."""

    def __init__(
        self, connection: Connection, clock: Clock, faults: ParseFaults, room: ChainRoom, owner: str
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._faults = faults
        self._room = room
        self._owner = owner
        self._chains: dict[Hashable, SingleFlight[OptionChain]] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE_EACH)
        self._day = new_york_today(clock)
        self._closed = False

    async def get(self, symbol: str) -> OptionChain:
        """Returns the whole chain of an underlying; raises SymbolNotFound."""
        underlying = parse(symbol)
        today = new_york_today(self._clock)
        self._turn_over(today)
        key = (today, underlying.symbol)
        kept = self._chains.setdefault(key, SingleFlight())
        if kept.busy:
            self._connection.pacer.hurry()

        try:
            chain = await kept.get(lambda: self._ask(underlying, today))
        finally:
            if kept.value is None and not kept.busy and self._chains.get(key) is kept:
                del self._chains[key]

        if self._chains.get(key) is kept:
            self._room.keep(self, key, self._owner, len(chain.contracts))

        return chain

    def drop(self, key: Hashable) -> None:
        """Removes a chain; those who are using it keep it."""
        self._chains.pop(key, None)

    def close(self) -> None:
        """Removes all chains when the session ends."""
        for key in self._chains:
            self._room.forget(self, key)

        self._chains.clear()

    async def _ask(self, underlying: Instrument, today: date) -> OptionChain:
        async with self._reading:
            with self._room.reading(self._owner):
                return await self._read(underlying, today)

    async def _read(self, underlying: Instrument, today: date) -> OptionChain:
        symbol = underlying.symbol
        try:
            if underlying.kind is InstrumentKind.FUTURE:
                product = segment(underlying.root.lstrip("/"))
                answer = await self._connection.get(f"/futures-option-chains/{product}/nested")
                roots = JsonReader(answer, self._faults, "chain").items("option-chains", _as_it_is)
            else:
                answer = await self._connection.get(f"/option-chains/{segment(symbol)}/nested")
                roots = read_all(items_of(answer), _as_it_is, self._faults, "chain")
        except NotKnownToBroker as unknown:
            raise SymbolNotFound(symbol) from unknown

        # In a thread: 20,000 contracts take a tenth of a second, in which nobody else is served.
        chain = await asyncio.to_thread(read_chain, symbol, today, roots)
        if not chain.contracts:
            raise SymbolNotFound(symbol)

        return chain

    def _turn_over(self, today: date) -> None:
        if today != self._day:
            self._day = today
            self.close()


def _as_it_is(item: JsonReader) -> JsonReader:
    return item
