"""Opens streams of market data: acknowledged, paced, counted, ended with the credentials."""

from __future__ import annotations

__all__ = ["MarketStreams"]

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import ExitStack, aclosing, suppress
from datetime import datetime

from server.brokerage import Brokerage
from server.brokerage.instruments.lookup import InstrumentQuery, Resolved
from server.clock import Clock
from server.market.candle_reader import CandleItem, CandleReader
from server.market.candles import CandleKey
from server.market.changes import Change, apply_changes
from server.market.group import Codec
from server.market.markets import Markets
from server.market.reader import Item, Reader
from server.market.resolving import resolve_all
from server.market.results import Acknowledgement, Outcome, SymbolResult
from server.market.subscription_session import SubscriptionSession
from server.market.topics import Kind
from server.streams.send_pacer import SendInterval
from server.streams.stream_count import StreamCount
from server.tenants import Tenant


class MarketStreams:
    """Opens streams of the calling tenant's market data."""

    def __init__(
        self,
        brokerage: Brokerage,
        markets: Markets,
        clock: Clock,
        count: StreamCount,
        codec: Codec,
    ) -> None:
        self._brokerage = brokerage
        self._markets = markets
        self._clock = clock
        self._count = count
        self._codec = codec

    async def follow(
        self,
        tenant: Tenant,
        kind: Kind,
        symbols: Sequence[str],
        send_interval: SendInterval,
        ended: Callable[[], bool],
    ) -> AsyncGenerator[Item, None]:
        """Yields the acknowledgement, then what `Reader` does, until `ended()` or new credentials.

        Raises BadInput for a symbol that cannot be one, NotFound when none is known; one of several
        that is not known is told in-band.
        """
        with self._count.one(tenant.id) as place:
            market = self._markets.of(tenant)
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)
            queries = [InstrumentQuery(symbol=symbol) for symbol in symbols]
            resolved, failures = await resolve_all(session, market.lookup, kind, queries)
            labels = {each.streamer_symbol: each.symbol for each in resolved if each is not None}
            if not labels:
                raise next(iter(failures.values()))

            async with market.hub.hold(kind, labels) as topics:
                by_symbol = {topic.key.symbol: topic for topic in topics}
                results = (
                    SymbolResult.unknown(query.symbol, str(failures[query]))
                    if each is None
                    else SymbolResult.followed(query.symbol, by_symbol[each.streamer_symbol])
                    for query, each in zip(queries, resolved, strict=True)
                )
                yield Acknowledgement(results=tuple(results))
                async with market.hub.join(topics, self._codec) as group:
                    reader = Reader(market.hub, group, self._clock, send_interval)
                    items = reader.items(lambda: ended() or market.is_over)
                    async with aclosing(items):
                        async for item in items:
                            yield item
                    market.feed.ensure_allowed()

    async def candles(
        self,
        tenant: Tenant,
        symbols: Sequence[str],
        interval: str,
        since: datetime,
        send_interval: SendInterval,
        ended: Callable[[], bool],
        *,
        extended: bool,
    ) -> AsyncGenerator[CandleItem, None]:
        """Yields the acknowledgement, the history since a moment, then candles as they change."""
        with self._count.one(tenant.id) as place, ExitStack() as held:
            market = self._markets.of(tenant)
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)
            queries = [InstrumentQuery(symbol=symbol) for symbol in symbols]
            resolved, failures = await resolve_all(session, market.lookup, Kind.TRADES, queries)
            known = {each.streamer_symbol: each.symbol for each in resolved if each is not None}
            if not known:
                raise next(iter(failures.values()))

            start = int(since.timestamp() * 1000)
            keys = {symbol: CandleKey(symbol, interval, extended) for symbol in known}
            market.hub.candles.ensure_room(keys.values(), start)
            series = [
                held.enter_context(market.hub.candles.hold(keys[symbol], label, start))
                for symbol, label in known.items()
            ]
            results = (
                SymbolResult.unknown(query.symbol, str(failures[query]))
                if each is None
                else SymbolResult(
                    requested=query.symbol,
                    symbol=each.symbol,
                    streamer_symbol=keys[each.streamer_symbol].streamer_symbol,
                    outcome=Outcome.NO_DATA_YET,
                )
                for query, each in zip(queries, resolved, strict=True)
            )
            yield Acknowledgement(results=tuple(results))
            reader = CandleReader(market.hub, series, start, self._clock, send_interval)
            items = reader.items(lambda: ended() or market.is_over)
            async with aclosing(items):
                async for item in items:
                    yield item
            market.feed.ensure_allowed()

    async def follow_changes(
        self,
        tenant: Tenant,
        changes: AsyncIterator[Change],
        send_interval: SendInterval,
        ended: Callable[[], bool],
        *,
        allowed: int,
    ) -> AsyncGenerator[Item, None]:
        """Yields answers to the changes as they come, and data of the symbols subscribed meanwhile.

        A change that cannot be read at all ends the stream with its error.
        """
        with self._count.one(tenant.id) as place:
            market = self._markets.of(tenant)
            session = await self._brokerage.session(tenant)
            place.belongs_to(session.customer)

            async def resolve(query: InstrumentQuery) -> Resolved:
                return await market.lookup.resolve(session, query)

            subscriptions = SubscriptionSession(market.hub, self._codec, self._clock, send_interval)
            async with subscriptions:
                # Not in a TaskGroup: this generator yields, and a group may not span a yield.
                changing = asyncio.create_task(
                    apply_changes(subscriptions, changes, resolve, allowed=allowed)
                )
                changing.add_done_callback(lambda _: subscriptions.reader.wake())
                items = subscriptions.reader.items(
                    lambda: ended() or market.is_over or _failed(changing)
                )
                try:
                    async with aclosing(items):
                        async for item in items:
                            yield item
                    market.feed.ensure_allowed()
                    if _failed(changing):
                        await changing
                finally:
                    changing.cancel()
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([changing])


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None
