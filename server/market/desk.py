"""What the rpcs of market data ask for, in one call each: resolve, hold, wait or read."""

from __future__ import annotations

__all__ = ["Answer", "MarketDesk", "Pace", "Problem", "StreamItem", "SymbolResult"]

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from server.brokerage import Brokerage
from server.brokerage.lookup import InstrumentQuery, Resolved
from server.brokerage.rest_quotes import RestQuote, rest_quotes
from server.brokerage.symbols import InstrumentKind
from server.clock import Clock
from server.errors import (
    BadInput,
    GatewayError,
    MarketDataTimeout,
    NotAnOption,
    NotFound,
    SymbolNotFound,
)
from server.market.hub import Codec
from server.market.markets import Market, Markets
from server.market.reader import Item, Pace, Reader
from server.market.snapshots import snapshot
from server.market.topics import Kind, Topic
from server.tenants import Tenant

NOUNS: Mapping[Kind, str] = {
    Kind.QUOTES: "quotes",
    Kind.GREEKS: "Greeks",
    Kind.TRADES: "trades",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why one instrument of several got no answer."""

    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A snapshot, in the order of the request; read its topics before the next await."""

    items: tuple[Topic | RestQuote, ...]
    problems: tuple[Problem, ...]
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResult:
    """What became of one symbol of a subscription; `topic` is None where it is not known."""

    requested: str
    topic: Topic | None
    detail: str = ""


StreamItem = Item | tuple[SymbolResult, ...]
"""The acknowledgement comes first, then the items of `reader.read`."""


class MarketDesk:
    """The market data of every tenant, each by its own connection."""

    def __init__(self, brokerage: Brokerage, markets: Markets, clock: Clock) -> None:
        self._brokerage = brokerage
        self._markets = markets
        self._clock = clock

    async def snapshot(
        self, tenant: Tenant, kind: Kind, queries: Sequence[InstrumentQuery], timeout_s: float
    ) -> Answer:
        """Returns what came within the timeout.

        Raises BadInput for any query that cannot be right; NotFound or MarketDataTimeout only when
        nothing came at all.
        """
        market = self._markets.of(tenant)
        # Both waits, for the chain and for the feed, are within the one timeout.
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                resolved, failures = await self._resolve(tenant, market, kind, queries)
        except TimeoutError:
            raise MarketDataTimeout(NOUNS[kind], timeout_s) from None

        labels = {each.streamer_symbol: each.symbol for each in resolved if each is not None}
        if not labels:
            raise next(iter(failures.values()))

        left = max(0.0, timeout_s - (self._clock.monotonic() - started))
        kinds = {each.symbol: each.kind for each in resolved if each is not None}

        async def fallback(silent: Sequence[str]) -> Mapping[str, RestQuote]:
            session = await self._brokerage.session(tenant)
            return await rest_quotes(session, [(kinds[symbol], symbol) for symbol in silent])

        taken = await snapshot(
            market, kind, labels, left, fallback=fallback if kind is Kind.QUOTES else None
        )
        by_label: dict[str, Topic | RestQuote] = {t.label: t for t in taken.topics}
        by_label.update(taken.rest)
        items: list[Topic | RestQuote] = []
        problems: list[Problem] = []
        for query, each in zip(queries, resolved, strict=True):
            if each is None:
                problems.append(Problem(symbol=query.shown, reason=str(failures[query])))
            elif each.symbol in by_label:
                items.append(by_label[each.symbol])
            else:
                reason = _silence(each, taken.failure, kind, timeout_s)
                problems.append(Problem(symbol=query.shown, reason=str(reason)))

        if not items:
            first = next(each for each in resolved if each is not None)
            raise _silence(first, taken.failure, kind, timeout_s)
        return Answer(items=tuple(items), problems=tuple(problems), live=taken.live)

    async def stream(
        self,
        tenant: Tenant,
        kind: Kind,
        symbols: Sequence[str],
        pace: Pace,
        codec_for: Callable[[Market], Codec],
        ended: Callable[[], bool],
    ) -> AsyncGenerator[StreamItem, None]:
        """Yields the acknowledgement, then batches and notices until `ended()` or new credentials.

        Raises BadInput for a symbol that cannot be one; an unknown one is told in-band.
        """
        market = self._markets.of(tenant)
        queries = [InstrumentQuery(symbol=symbol) for symbol in dict.fromkeys(symbols)]
        resolved, failures = await self._resolve(tenant, market, kind, queries)
        labels = {each.streamer_symbol: each.symbol for each in resolved if each is not None}
        if not labels:
            raise next(iter(failures.values()))

        async with market.hub.hold(kind, labels) as topics:
            by_label = {topic.label: topic for topic in topics}
            results = []
            for query, each in zip(queries, resolved, strict=True):
                detail = str(failures.get(query, ""))
                topic = by_label[each.symbol] if each is not None else None
                results.append(SymbolResult(requested=query.symbol, topic=topic, detail=detail))
            yield tuple(results)

            async with market.hub.join(topics, codec_for(market)) as group:
                reader = Reader(market.hub, group, self._clock, pace)
                items = reader.items(lambda: ended() or market.ended.is_set())
                async with aclosing(items):
                    async for item in items:
                        yield item
                        market.feed.ensure_allowed()

    async def _resolve(
        self, tenant: Tenant, market: Market, kind: Kind, queries: Sequence[InstrumentQuery]
    ) -> tuple[list[Resolved | None], dict[InstrumentQuery, GatewayError]]:
        """Returns an instrument for each query, and the failures of those that have none."""
        session = await self._brokerage.session(tenant)
        resolved: list[Resolved | None] = []
        failures: dict[InstrumentQuery, GatewayError] = {}
        for query in queries:
            try:
                found = await market.lookup.resolve(session, query)
            except BadInput:
                raise
            except NotFound as failure:
                failures[query] = failure
                resolved.append(None)
                continue
            if kind is Kind.GREEKS and not found.is_option:
                raise NotAnOption(query.symbol)
            resolved.append(found)
        return resolved, failures


def _silence(
    instrument: Resolved, failure: GatewayError | None, kind: Kind, timeout_s: float
) -> GatewayError:
    """Returns why nothing is known of an instrument that was asked for."""
    if failure is not None:
        return failure
    if kind is Kind.QUOTES and instrument.kind is not InstrumentKind.EQUITY_OPTION:
        # Neither the feed nor the broker's own snapshot has it.
        return SymbolNotFound(instrument.symbol)
    return MarketDataTimeout(NOUNS[kind], timeout_s, [instrument.symbol])
