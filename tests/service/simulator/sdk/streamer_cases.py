"""Calls every coroutine of the SDK's two streamers."""

from __future__ import annotations

__all__: list[str] = []

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from tastytrade.dxfeed import (
    Candle,
    Event,
    Greeks,
    Profile,
    Quote,
    Summary,
    TheoPrice,
    TimeAndSale,
    Trade,
    Underlying,
)
from tastytrade.instruments import NestedOptionChain
from tastytrade.order import PlacedOrder

from tests.service.simulator.conftest import alerts, quotes
from tests.service.simulator.sdk.case import CaseContext, covers

Steps = AsyncGenerator[Any, Any]
OF_STOCKS: tuple[type[Event], ...] = (Quote, Trade, Summary, Profile, TimeAndSale, Underlying)
OF_OPTIONS: tuple[type[Event], ...] = (Quote, Trade, Summary, Greeks, TheoPrice)


@covers("DXLinkStreamer.subscribe")
async def subscribe(context: CaseContext) -> Steps:
    async with quotes(context.session) as streamer:
        yield streamer.subscribe(Quote, ["SPY"])
        assert (await streamer.get_event(Quote)).event_symbol == "SPY"


@covers("DXLinkStreamer.get_event")
async def every_event_type(context: CaseContext) -> Steps:
    (chain, *_) = await NestedOptionChain.get(context.session, "SPY")
    strikes = chain.expirations[5].strikes
    option = strikes[len(strikes) // 2].call_streamer_symbol
    async with quotes(context.session) as streamer:
        for event_class in OF_STOCKS:
            await streamer.subscribe(event_class, ["SPY"])

        for event_class in OF_STOCKS:
            assert (await streamer.get_event(event_class)).event_symbol == "SPY"

        for event_class in OF_OPTIONS:
            await streamer.subscribe(event_class, [option])
            while (await streamer.get_event(event_class)).event_symbol != option:
                pass

        quote = yield streamer.get_event(Quote)
        assert quote.bid_price < quote.ask_price


@covers("DXLinkStreamer.listen")
async def listen(context: CaseContext) -> Steps:
    async with quotes(context.session) as streamer:
        await streamer.subscribe(Trade, ["SPY"])
        trade = yield streamer.listen(Trade)
        assert trade.price > 0


@covers("DXLinkStreamer.unsubscribe")
async def unsubscribe(context: CaseContext) -> Steps:
    async with quotes(context.session) as streamer:
        await streamer.subscribe(Quote, ["SPY", "AAPL"])
        await streamer.get_event(Quote)
        yield streamer.unsubscribe(Quote, ["SPY"])
        await _until(context, 1)


@covers("DXLinkStreamer.unsubscribe_all")
async def unsubscribe_all(context: CaseContext) -> Steps:
    async with quotes(context.session) as streamer:
        await streamer.subscribe(Quote, ["SPY", "AAPL"])
        await streamer.get_event(Quote)
        yield streamer.unsubscribe_all(Quote)
        await _until(context, 0)


@covers("DXLinkStreamer.subscribe_candle")
async def subscribe_candle(context: CaseContext) -> Steps:
    start = context.sim.clock.now() - timedelta(hours=3)
    async with quotes(context.session) as streamer:
        yield streamer.subscribe_candle(["SPY"], "5m", start, extended_trading_hours=True)
        # The SDK asks for contract AUTO, for which the broker has no history: see REPLIES 2.1.12.
        empty = await streamer.get_event(Candle)
        assert empty.snapshot_begin
        assert empty.snapshot_end
        assert empty.remove
        live = await streamer.get_event(Candle)
        assert live.event_symbol == "SPY{=5m}"
        assert live.low <= live.close <= live.high


@covers("DXLinkStreamer.unsubscribe_candle")
async def unsubscribe_candle(context: CaseContext) -> Steps:
    async with quotes(context.session) as streamer:
        await streamer.subscribe_candle(["SPY"], "1d")
        await streamer.get_event(Candle)
        yield streamer.unsubscribe_candle("SPY", "1d")
        await _until(context, 0)


@covers("AlertStreamer.subscribe_accounts")
async def subscribe_accounts(context: CaseContext) -> Steps:
    async with alerts(context.session, context.sim) as streamer:
        yield streamer.subscribe_accounts([context.account])
        assert context.sim.streamer.statistics().accounts == 1


@covers("AlertStreamer.subscribe_public_watchlists")
async def subscribe_public_watchlists(context: CaseContext) -> Steps:
    async with alerts(context.session, context.sim) as streamer:
        await streamer.subscribe_accounts([context.account])
        yield streamer.subscribe_public_watchlists()


@covers("AlertStreamer.subscribe_quote_alerts")
async def subscribe_quote_alerts(context: CaseContext) -> Steps:
    async with alerts(context.session, context.sim) as streamer:
        await streamer.subscribe_accounts([context.account])
        yield streamer.subscribe_quote_alerts()


@covers("AlertStreamer.listen")
async def listen_to_orders(context: CaseContext) -> Steps:
    async with alerts(context.session, context.sim) as streamer:
        await streamer.subscribe_accounts([context.account])
        placed = await context.working()
        # The account has other orders that work, and each step of each is told.
        async for order in streamer.listen(PlacedOrder):
            if order.id == placed.id:
                break

        await context.account.delete_order(context.session, placed.id)
        order = yield streamer.listen(PlacedOrder)
        assert order.account_number == "5WT00001"


async def _until(context: CaseContext, subscriptions: int) -> None:
    # Nothing is answered to an unsubscription, so the simulator is asked.
    while context.sim.dxlink.statistics().subscriptions != subscriptions:
        await context.sim.clock.sleep(timedelta(milliseconds=5))
