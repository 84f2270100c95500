"""Reads live prices and greeks of positions, as far as they come in a short time."""

from __future__ import annotations

__all__ = ["LivePrices"]

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from server.brokerage.api.positions import Position
from server.brokerage.streaming.feed_numbers import number
from server.clock import instant_of
from server.errors import GatewayError
from server.market.markets import Market, Markets
from server.market.snapshots import snapshot
from server.market.topics import Kind, Topic
from server.portfolio.valuation import NO_GREEKS, GreekValues, Price
from server.tenants import Tenant

log = structlog.get_logger(__name__)

PATIENCE_S = 1.5
"""How long positions wait for a cold feed; without it they show the broker's own marks."""


class LivePrices:
    """Reads the tenant's own feed; never fails, since positions are worth showing without."""

    def __init__(self, markets: Markets) -> None:
        self._markets = markets

    async def of_positions(
        self, tenant: Tenant, positions: Sequence[Position]
    ) -> tuple[Mapping[str, Price], Mapping[str, GreekValues]]:
        """Returns prices, and greeks of options, by streamer symbol, both waited for together."""
        labels = {each.streamer_symbol: each.symbol for each in positions if each.streamer_symbol}
        options = {
            each.streamer_symbol: each.symbol
            for each in positions
            if each.streamer_symbol and each.is_option
        }
        if not labels:
            return {}, {}

        try:
            market = self._markets.of(tenant)
            quotes, greeks = await asyncio.gather(
                _topics(market, Kind.QUOTES, labels), _topics(market, Kind.GREEKS, options)
            )
        except GatewayError as failure:
            log.info("positions without live prices", reason=failure.reason)
            return {}, {}

        prices = ((topic.key.symbol, price_of(topic)) for topic in quotes)
        return (
            {symbol: price for symbol, price in prices if price is not None},
            {topic.key.symbol: greeks_of(topic) for topic in greeks},
        )


def price_of(topic: Topic) -> Price | None:
    """Returns the mid where both sides are quoted, else the last trade."""
    quote = topic.quote
    if quote is not None:
        bid, ask = number(quote.bid_price), number(quote.ask_price)
        if bid is not None and ask is not None and bid <= ask:
            times = (instant_of(quote.bid_time), instant_of(quote.ask_time))
            newest = max((time for time in times if time is not None), default=None)
            return Price(value=(bid + ask) / 2, source="quote", time=newest)

    trade = topic.trade
    last = None if trade is None else number(trade.price)
    if trade is None or last is None:
        return None
    return Price(value=last, source="trade", time=instant_of(trade.time))


def greeks_of(topic: Topic) -> GreekValues:
    """Returns the greeks of one contract, exactly as the feed has them."""
    row = topic.greeks
    if row is None:
        return NO_GREEKS

    return GreekValues(
        delta=number(row.delta),
        gamma=number(row.gamma),
        theta=number(row.theta),
        vega=number(row.vega),
    )


async def _topics(market: Market, kind: Kind, labels: Mapping[str, str]) -> tuple[Topic, ...]:
    if not labels:
        return ()
    return (await snapshot(market, kind, labels, PATIENCE_S)).topics
