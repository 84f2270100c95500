"""Answers requests for snapshots: resolves the instruments and reads them, within one timeout."""

from __future__ import annotations

__all__ = ["Answer", "MarketDataService", "Problem"]

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.brokerage import Brokerage
from server.brokerage.api.rest_quotes import RestQuote, rest_quotes
from server.brokerage.instruments.lookup import InstrumentQuery, Resolved
from server.clock import Clock
from server.errors import (
    GatewayError,
    MarketDataTimeout,
    SymbolNotFound,
)
from server.market.markets import Markets
from server.market.resolving import resolve_all
from server.market.snapshots import Snapshot, snapshot
from server.market.topics import Kind, Topic
from server.tenants import Tenant

NOUNS: Mapping[Kind, str] = {
    Kind.QUOTES: "quotes",
    Kind.GREEKS: "Greeks",
    Kind.TRADES: "trades",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Says why one instrument of several got no answer."""

    symbol: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Holds a snapshot, in the order of the request; read its topics before the next await."""

    items: tuple[Topic | RestQuote, ...]
    problems: tuple[Problem, ...]


class MarketDataService:
    """Answers from the market data of the calling tenant, each from its own connection."""

    def __init__(self, brokerage: Brokerage, markets: Markets, clock: Clock) -> None:
        self._brokerage = brokerage
        self._markets = markets
        self._clock = clock

    async def snapshot(
        self,
        tenant: Tenant,
        kind: Kind,
        queries: Sequence[InstrumentQuery],
        timeout_s: float,
        *,
        live_only: bool = False,
    ) -> Answer:
        """Returns the values that came within the timeout.

        `live_only` waits for the feed all that time, and does not ask the broker's REST service
        where a cold feed is a moment late: an order is not priced from a snapshot.

        Raises BadInput for any query that cannot be right; NotFound or MarketDataTimeout only when
        nothing came at all.
        """
        market = self._markets.of(tenant)
        # Both waits, for the chain and for the feed, are within the one timeout.
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                session = await self._brokerage.session(tenant)
                resolved, failures = await resolve_all(session, market.lookup, kind, queries)
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

        rest = kind is Kind.QUOTES and not live_only
        taken = await snapshot(market, kind, labels, left, fallback=fallback if rest else None)
        found: dict[str, Topic | RestQuote] = {t.key.symbol: t for t in taken.topics}
        found.update(taken.rest)
        items: list[Topic | RestQuote] = []
        problems: list[Problem] = []
        for query, each in zip(queries, resolved, strict=True):
            if each is None:
                problems.append(Problem(symbol=query.shown, reason=str(failures[query])))
            elif each.streamer_symbol in found:
                items.append(found[each.streamer_symbol])
            else:
                reason = _silence(each, taken, kind, timeout_s)
                problems.append(Problem(symbol=query.shown, reason=str(reason)))

        if not items:
            first = next(each for each in resolved if each is not None)
            raise _silence(first, taken, kind, timeout_s)
        return Answer(items=tuple(items), problems=tuple(problems))


def _silence(instrument: Resolved, taken: Snapshot, kind: Kind, timeout_s: float) -> GatewayError:
    """Returns why nothing is known of an instrument that was asked for."""
    if taken.failure is not None:
        return taken.failure
    if instrument.symbol in taken.unknown:
        return SymbolNotFound(instrument.symbol)
    # A silent feed does not prove that the symbol is unknown: it may be slow, or just connected.
    return MarketDataTimeout(NOUNS[kind], timeout_s, [instrument.symbol])
