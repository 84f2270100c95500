"""The market of an order's legs, with its age, out of the tenant's own market data.

A quote is stale when the feed is down, when it went silent while others moved, when it came from
the broker's snapshot, or when the exchange's own time of it lies too far back: an order priced from
yesterday's close is an order at the wrong price. The sandbox delays its quotes by a quarter of an
hour, so the exchange's time says nothing there.
"""

from __future__ import annotations

__all__ = ["OrderQuotes"]

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from server.brokerage.api.rest_quotes import RestQuote
from server.brokerage.instruments.contracts import Contract
from server.brokerage.instruments.lookup import InstrumentQuery
from server.brokerage.streaming.feed_numbers import number
from server.clock import Clock, instant_of
from server.errors import Late, NotFound
from server.market.market_data_service import MarketDataService
from server.market.topics import Kind, Topic
from server.orders.model.pricing import LegQuote
from server.settings import Settings
from server.tenants import Tenant

AFTERWARDS = timedelta(seconds=2)
"""How long the broker's snapshot may take, once the feed has had its time."""


class OrderQuotes:
    """Reads quotes of contracts from the market data service, and judges them."""

    def __init__(self, market: MarketDataService, settings: Settings, clock: Clock) -> None:
        self._market = market
        self._clock = clock
        delayed = settings.broker == "sandbox"
        self._oldest = None if delayed else timedelta(seconds=settings.order_quote_age_s)

    async def of(
        self, tenant: Tenant, contracts: Sequence[Contract], patience: timedelta
    ) -> Mapping[str, LegQuote]:
        """Returns what came in time, by symbol; raises the service's error when nothing did.

        The feed alone is asked first: opened a moment ago, it needs that moment. Where it stays
        silent the broker's snapshot is asked, which prices nothing but shows what there is.
        """
        queries = [InstrumentQuery(symbol=contract.symbol) for contract in contracts]
        live = await self._live(tenant, queries, patience)
        if len(live) == len(queries):
            return live

        silent = [query for query in queries if query.symbol not in live]
        return {**live, **await self._asked(tenant, silent, AFTERWARDS, live_only=False)}

    async def _live(
        self, tenant: Tenant, queries: Sequence[InstrumentQuery], patience: timedelta
    ) -> dict[str, LegQuote]:
        try:
            return await self._asked(tenant, queries, patience, live_only=True)
        except (Late, NotFound):
            return {}

    async def _asked(
        self,
        tenant: Tenant,
        queries: Sequence[InstrumentQuery],
        patience: timedelta,
        *,
        live_only: bool,
    ) -> dict[str, LegQuote]:
        answer = await self._market.snapshot(
            tenant, Kind.QUOTES, queries, patience.total_seconds(), live_only=live_only
        )
        now = self._clock.now()
        found = [
            self._of_topic(item, now) if isinstance(item, Topic) else _of_rest(item, now)
            for item in answer.items
        ]
        return {quote.symbol: quote for quote in found}

    def _of_topic(self, topic: Topic, now: datetime) -> LegQuote:
        quote = topic.quote
        received_at = datetime.fromtimestamp(topic.received_at, UTC)
        age = max(timedelta(), now - received_at)
        if quote is None:  # an index: it trades, or is computed, but nobody quotes it
            bid = ask = None
            moved_at = received_at
        else:
            bid, ask = number(quote.bid_price), number(quote.ask_price)
            moved_at = _moved_at(quote.bid_time, quote.ask_time) or received_at

        old = self._oldest is not None and now - moved_at > self._oldest
        return LegQuote(
            symbol=topic.label,
            bid=bid,
            ask=ask,
            received_at=received_at,
            age=age,
            source="stream",
            stale=topic.stale or old,
        )


def _of_rest(item: RestQuote, now: datetime) -> LegQuote:
    moved_at = item.updated_at or now
    return LegQuote(
        symbol=item.symbol,
        bid=item.bid,
        ask=item.ask,
        received_at=now,
        age=max(timedelta(), now - moved_at),
        source="rest",
        stale=True,
    )


def _moved_at(*milliseconds: object) -> datetime | None:
    instants = map(instant_of, milliseconds)
    return max((each for each in instants if each is not None), default=None)
