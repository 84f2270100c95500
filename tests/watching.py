"""What a client of a stream sees: the latest of every symbol, and what it was told beside it."""

from __future__ import annotations

__all__ = ["StillMarket", "View", "watched"]

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import grpc.aio
from tasty.v1 import stream_pb2

from server.simulator import Simulator
from server.simulator.clock import SystemTime
from server.wire.numbers import money

Kind = stream_pb2.StreamEventKind


class StillMarket(SystemTime):
    """The simulator's clock, whose time of day can be stopped: prices then stand still."""

    stopped_at: datetime | None = None

    def now(self) -> datetime:
        return self.stopped_at or super().now()

    def stop(self) -> None:
        self.stopped_at = self.now()


class View:
    """Reads one stream until it is cancelled."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.quotes: dict[str, Any] = {}
        self.told: Counter[int] = Counter()
        """Messages by kind."""
        self.outages: list[str] = []
        """What was said when data was live again."""
        self.conflated = 0
        self.order: list[int] = []
        """The kinds of all messages but updates, as they came."""

    async def read(self) -> None:
        while True:
            message = await self._call.read()
            assert message is not grpc.aio.EOF, "the stream ended"
            self.told[message.kind] += 1
            for quote in message.quotes:
                self.quotes[quote.symbol] = quote
            if message.kind != Kind.STREAM_EVENT_KIND_UPDATE:
                self.order.append(message.kind)
            if message.kind == Kind.STREAM_EVENT_KIND_RECONNECTED:
                self.outages.append(message.notice.detail)
            self.conflated = max(self.conflated, message.notice.conflated)

    def agrees_with(self, sim: Simulator, symbols: Iterable[str]) -> bool:
        """Whether every symbol has the market's present value, and is not flagged stale."""
        return all(
            (quote := self.quotes.get(symbol)) is not None
            and not quote.stale
            and (quote.bid_price, quote.ask_price) == _truth(sim, symbol)
            for symbol in symbols
        )


@asynccontextmanager
async def watched(*calls: Any) -> AsyncIterator[list[View]]:
    """Reads the streams while the block runs; a stream that ends fails the test."""
    views = [View(call) for call in calls]
    async with asyncio.TaskGroup() as tasks:
        reading = [tasks.create_task(view.read()) for view in views]
        yield views
        for task in reading:
            task.cancel()
    for call in calls:
        call.cancel()
        await call.code()


def _truth(sim: Simulator, symbol: str) -> tuple[str, str]:
    instrument = sim.market.find(symbol)
    assert instrument is not None
    quote = sim.market.quote(instrument)
    assert quote.bid is not None
    assert quote.ask is not None
    return money(quote.bid), money(quote.ask)
