"""Keeps a tenant's option chains for the day in New York, each asked for once."""

from __future__ import annotations

__all__ = ["ChainShelf"]

import asyncio
from collections import OrderedDict
from datetime import date
from typing import TYPE_CHECKING

from server.brokerage.chains import OptionChain, read_chain
from server.brokerage.item import Faults, Item, items_of, read_all
from server.brokerage.once import Once
from server.brokerage.paths import segment
from server.brokerage.symbols import Instrument, InstrumentKind, parse
from server.clock import Clock, new_york_today
from server.errors import NotKnownToBroker, SymbolNotFound

if TYPE_CHECKING:
    from server.brokerage.connection import Connection  # imports the SDK

KEPT_CONTRACTS = 60_000
"""Contracts kept in all, least used chains first to go (an index has 20,000, 6 MB)."""

Key = tuple[date, str]


class ChainShelf:
    """One tenant's chains. A new day asks anew: yesterday's expirations are gone."""

    def __init__(self, connection: Connection, clock: Clock, faults: Faults) -> None:
        self._connection = connection
        self._clock = clock
        self._faults = faults
        self._chains: OrderedDict[Key, Once[OptionChain]] = OrderedDict()

    async def get(self, symbol: str) -> OptionChain:
        """Returns the whole chain of an underlying; raises SymbolNotFound."""
        underlying = parse(symbol)
        today = new_york_today(self._clock)
        key = (today, underlying.symbol)
        kept = self._chains.setdefault(key, Once())
        self._chains.move_to_end(key)
        if kept.busy:
            self._connection.pacer.hurry()

        try:
            return await kept.get(lambda: self._ask(underlying, today))
        finally:
            self._make_room(today)

    async def _ask(self, underlying: Instrument, today: date) -> OptionChain:
        symbol = underlying.symbol
        try:
            if underlying.kind is InstrumentKind.FUTURE:
                product = segment(underlying.root.lstrip("/"))
                page = await self._connection.get(f"/futures-option-chains/{product}/nested")
                roots = Item(page, self._faults, "chain").items("option-chains", _as_it_is)
            else:
                page = await self._connection.get(f"/option-chains/{segment(symbol)}/nested")
                roots = read_all(items_of(page), _as_it_is, self._faults, "chain")
        except NotKnownToBroker as unknown:
            raise SymbolNotFound(symbol) from unknown

        # In a thread: 20,000 contracts take a tenth of a second, in which nobody else is served.
        chain = await asyncio.to_thread(read_chain, symbol, today, roots)
        if not chain.contracts:
            raise SymbolNotFound(symbol)

        return chain

    def _make_room(self, today: date) -> None:
        contracts = 0
        for key, kept in reversed(self._chains.copy().items()):
            chain = kept.value
            if chain is None:
                # One that is being asked for stays, one that failed goes.
                gone = not kept.busy
            else:
                newest = contracts == 0
                contracts += len(chain.contracts)
                gone = key[0] != today or (contracts > KEPT_CONTRACTS and not newest)

            if gone:
                del self._chains[key]


def _as_it_is(item: Item) -> Item:
    return item
