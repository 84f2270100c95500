"""What one customer does with all his keys costs another tenant nothing that he would notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import credentials_service_pb2, order_service_pb2
from tasty.v1 import market_data_stream_pb2 as stream_pb
from tasty.v1 import order_placement_pb2 as placement_pb

from server.secret import Secret
from server.simulator import Simulator, SimulatorSettings
from server.tenants import DEMO_API_KEY
from tests.gateway import Gateway, open_gateway
from tests.ordering import Trader, leg, open_trader
from tests.waiting import eventually

KEYS = 3


def greedy_key(number: int) -> str:
    return f"greedy-key-number-{number}"


async def register(gateway: Gateway) -> None:
    """Registers many keys of one customer."""
    for number in range(KEYS):
        await gateway.demo.credentials.SaveCredentials(
            credentials_service_pb2.SaveCredentialsRequest(
                api_key=greedy_key(number), client_secret="one", refresh_token="greedy"
            )
        )


async def account_of(gateway: Gateway, key: str) -> str:
    tenant = await gateway.app.tenants.authenticate(Secret(key))
    session = await gateway.app.brokerage.session(tenant)
    return (await session.accounts())[0].number


async def timed(call: Awaitable[Any]) -> tuple[float, Any]:
    started = time.monotonic()
    answer = await call
    return time.monotonic() - started, answer


@asynccontextmanager
async def in_background(*calls: Any) -> AsyncIterator[list[asyncio.Task[Any]]]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()

        await asyncio.gather(*tasks, return_exceptions=True)


class Crowd:
    """Keys of one customer that read as fast as they are answered."""

    def __init__(self, gateway: Gateway, account: str) -> None:
        self._gateway = gateway
        self._account = account
        self.refused: list[grpc.aio.AioRpcError] = []

    async def read_on(self, number: int) -> None:
        request = order_service_pb2.ListOrderHistoryRequest(account_id=self._account)
        caller = self._gateway.caller(greedy_key(number))
        while True:
            try:
                await caller.orders.ListOrderHistory(request)
            except grpc.aio.AioRpcError as error:
                self.refused.append(error)
                await asyncio.sleep(0.05)

    def reads(self, at_once: int) -> list[Any]:
        return [self.read_on(number % KEYS) for number in range(at_once)]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path, broker_pacing="on") as running,
    ):
        await register(running)
        yield running


async def use_the_pace_up(gateway: Gateway, trader: Trader) -> None:
    """Waits until the crowd's reads are many seconds behind, and the trader's session is open."""
    turns = gateway.app.brokerage
    await eventually(lambda: turns.statistics().turns.waiting > 150)
    await trader.caller.orders.ListLiveOrders(
        order_service_pb2.ListLiveOrdersRequest(account_id=trader.account)
    )


async def test_orders_cancels_and_reads_go_between_those_of_many_keys(gateway: Gateway) -> None:
    trader = await open_trader(gateway, "honest")
    crowd = Crowd(gateway, await account_of(gateway, greedy_key(0)))
    # Their accounts are asked for one a second, which is not what this is about.
    for number in range(1, KEYS):
        await account_of(gateway, greedy_key(number))

    async with in_background(*crowd.reads(200)):
        await use_the_pace_up(gateway, trader)
        order = trader.request(
            leg("AAPL", "Buy to Open"), price="-1.00", time_in_force="Day", order_type="Limit"
        )
        order_took, placed = await timed(trader.caller.orders.PlaceOrder(order))
        cancel = placement_pb.CancelOrderRequest(account_id=trader.account, order_id=placed.id)
        cancel_took, _ = await timed(trader.caller.orders.CancelOrder(cancel))
        history = order_service_pb2.ListOrderHistoryRequest(account_id=trader.account)
        read_took, _ = await timed(trader.caller.orders.ListOrderHistory(history))
        behind = gateway.app.brokerage.statistics().turns.waiting

    # In order of arrival each request of his would have waited for all of theirs, 3 s and more.
    assert behind > 150
    assert order_took < 1.5
    assert cancel_took < 1.0
    assert read_took < 1.0


async def test_his_own_orders_and_cancels_go_before_his_own_reads(gateway: Gateway) -> None:
    trader = await open_trader(gateway, "honest")
    history = order_service_pb2.ListOrderHistoryRequest(account_id=trader.account)

    async def read_on() -> None:
        while True:
            await trader.caller.orders.ListOrderHistory(history)

    async with in_background(*(read_on() for _ in range(200))):
        await eventually(lambda: gateway.app.brokerage.statistics().turns.waiting > 150)
        order = trader.request(leg("AAPL", "Buy to Open"), price="-1.00", order_type="Limit")
        order_took, placed = await timed(trader.caller.orders.PlaceOrder(order))
        cancel = placement_pb.CancelOrderRequest(account_id=trader.account, order_id=placed.id)
        cancel_took, _ = await timed(trader.caller.orders.CancelOrder(cancel))

    # Behind 150 of his reads each request would have waited for 3 s.
    assert order_took < 1.5
    assert cancel_took < 1.0


async def test_who_asks_too_much_is_told_that_it_is_himself(gateway: Gateway) -> None:
    account = await account_of(gateway, greedy_key(0))
    crowd = Crowd(gateway, account)
    async with in_background(*crowd.reads(600)):
        await eventually(lambda: bool(crowd.refused))

    words = crowd.refused[0].details() or ""
    assert crowd.refused[0].code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "requests of this customer, from all API keys that use his accounts, wait" in words
    assert "limiting our requests" not in words


async def test_pages_take_turns_and_keep_their_order(gateway: Gateway) -> None:
    greedy = await gateway.app.tenants.authenticate(DEMO_API_KEY)
    connection = (await gateway.app.brokerage.session(greedy)).connection
    path = "/accounts/5WT00001/transactions"
    trader = await open_trader(gateway, "honest")
    history = order_service_pb2.ListOrderHistoryRequest(account_id=trader.account)
    paged: list[list[Any]] = []

    async def page_on() -> None:
        while True:
            paged.append(await connection.pages(path, {"sort": "Desc"}, per_page=10))

    async with in_background(*(page_on() for _ in range(24))):
        await eventually(lambda: gateway.app.brokerage.statistics().turns.waiting >= 20)
        reads = [await timed(trader.caller.orders.ListOrderHistory(history)) for _ in range(5)]
        await eventually(lambda: bool(paged))

    # 24 turns before each of his would be half a second.
    assert sorted(took for took, _ in reads)[2] < 0.25
    whole = await connection.pages(path, {"sort": "Desc"}, per_page=2000)
    assert len(whole) > 10
    assert paged[0] == whole


@pytest.fixture
async def crowded(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(
            sim,
            tmp_path,
            streams_per_key=8,
            streams_total=16,
            account_streams_total=16,
            candles_per_key=50_000,
        ) as running,
    ):
        await register(running)
        yield running


async def test_streams_of_many_keys_leave_some_for_a_tenant_who_has_few(crowded: Gateway) -> None:
    trader = await open_trader(crowded, "honest")
    quotes = stream_pb.StreamQuotesRequest(symbols=["SPY"])
    events = order_service_pb2.StreamAccountEventsRequest(account_id=trader.account)
    async with AsyncExitStack() as stack:

        async def opened(call: Any) -> Any:
            """Returns the stream's first message; it stays open."""

            async def over() -> None:
                call.cancel()
                await call.code()

            stack.push_async_callback(over)
            return await call.read()

        refused = []
        for number in range(KEYS * 8):
            try:
                await opened(crowded.caller(greedy_key(number % KEYS)).market.StreamQuotes(quotes))
            except grpc.aio.AioRpcError as error:
                refused.append(error.details())

        assert len(refused) == KEYS * 8 - 12
        words = (
            "Too many open streams of market data: 12 of 12 allowed for this server, "
            "but for those with no more than 4 of them. "
            "Close one, or follow more symbols in one stream."
        )
        assert set(refused) == {words}
        assert await opened(trader.caller.market.StreamQuotes(quotes))
        assert await opened(trader.caller.orders.StreamAccountEvents(events))


async def test_a_history_that_is_too_long_is_refused_with_how_much_there_is_room_for(
    crowded: Gateway,
) -> None:
    request = stream_pb.StreamCandlesRequest(
        symbols=["SPY", "AAPL", "QQQ"], interval="1s", extended_trading_hours=True
    )
    call = crowded.demo.market.StreamCandles(request)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.read()

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.value.details() == (
        "Too many candles: this history may have 75000, and 50000 more can be kept for this API "
        "key now. Follow fewer symbols, begin later, or choose a longer interval."
    )
    hubs = crowded.app.markets.statistics().hubs
    assert sum(hub.candle_room for hub in hubs.values()) == 0
