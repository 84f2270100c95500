"""What happened in an account: its value, its bookings, its orders, through to the last page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import grpc
import pytest
import pytest_asyncio
from tasty.v1 import account_service_pb2 as pb
from tasty.v1 import order_service_pb2 as orders_pb

from server.brokerage.api.orders import TERMINAL_STATUSES
from server.clock import SystemClock, new_york_today
from server.simulator import Simulator, SimulatorSettings
from tests.broker import DEMO_ACCOUNT, EMPTY_ACCOUNT, open_brokerage, tenant
from tests.gateway import Gateway, open_gateway

YEAR = 365


pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One server for all tests of this file."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    sim: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path_factory.mktemp("data")) as running:
        yield running


def rows(table: str) -> int:
    return len(table.splitlines()) - 1


async def test_the_value_of_an_account_over_time(gateway: Gateway) -> None:
    ask = gateway.demo.accounts.ListNetLiquidatingValueHistory
    request = pb.ListNetLiquidatingValueHistoryRequest(account_id=DEMO_ACCOUNT)
    year = await ask(request)
    request.time_back = "1m"
    month = await ask(request)

    assert (year.account_id, year.time_back, month.time_back) == (DEMO_ACCOUNT, "1y", "1m")
    for answer in (year, month):
        times = [each.time.ToDatetime() for each in answer.history]
        assert times == sorted(times)
        assert rows(answer.table) == len(times) > 10
        for each in answer.history:
            low, high = Decimal(each.low), Decimal(each.high)
            assert low <= Decimal(each.open) <= high
            assert low <= Decimal(each.close) <= high
            assert Decimal(each.total_close) == Decimal(each.close) + Decimal(
                each.pending_cash_close
            )

    assert year.history[0].time.seconds < month.history[0].time.seconds


async def test_transactions_are_signed_and_newest_first(gateway: Gateway) -> None:
    answer = await gateway.demo.accounts.ListTransactions(
        pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=YEAR)
    )
    assert rows(answer.table) == len(answer.transactions) > 5
    assert answer.next_page_token == ""
    assert answer.skipped == 0
    moments = [each.executed_at.ToDatetime() for each in answer.transactions]
    assert moments == sorted(moments, reverse=True)
    for each in answer.transactions:
        if each.transaction_type == "Trade" and each.action.startswith("Buy"):
            assert Decimal(each.net_value) < Decimal(each.value) < 0
        if each.transaction_type == "Trade" and each.action.startswith("Sell"):
            assert Decimal(each.value) > Decimal(each.net_value) > 0
        if each.transaction_type == "Money Movement":
            assert not each.HasField("symbol")
            assert not each.HasField("commission")


async def test_transactions_are_filtered_by_the_broker(gateway: Gateway) -> None:
    ask = gateway.demo.accounts.ListTransactions
    everything = (
        await ask(pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=YEAR))
    ).transactions

    async def only(**chosen: Any) -> list[str]:
        request = pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=YEAR, **chosen)
        return [each.id for each in (await ask(request)).transactions]

    trades = [each.id for each in everything if each.transaction_type == "Trade"]
    moved = [each.id for each in everything if each.transaction_type == "Money Movement"]
    spy = [each.id for each in everything if each.underlying_symbol == "SPY"]
    assert trades
    assert moved
    assert spy
    assert await only(transaction_type="Trade") == trades
    assert await only(transaction_type="Money Movement") == moved
    assert await only(underlying_symbol="spy") == spy
    assert await only(underlying_symbol="NOPE") == []

    today = new_york_today(SystemClock())
    recent = await ask(pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=30))
    assert 0 < len(recent.transactions) < len(everything)
    assert all(
        each.transaction_date >= (today - timedelta(days=30)).isoformat()
        for each in recent.transactions
    )


async def test_pages_of_transactions_are_the_whole(gateway: Gateway) -> None:
    ask = gateway.demo.accounts.ListTransactions
    whole = await ask(pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=YEAR))
    seen: list[str] = []
    token = ""
    while True:
        page = await ask(
            pb.ListTransactionsRequest(
                account_id=DEMO_ACCOUNT, days=YEAR, page_size=4, page_token=token
            )
        )
        assert len(page.transactions) <= 4
        seen += [each.id for each in page.transactions]
        token = page.next_page_token
        if not token:
            break

    assert seen == [each.id for each in whole.transactions]


async def test_the_brokers_own_pages_are_read_to_the_last(sim: Simulator) -> None:
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        path = f"/accounts/{DEMO_ACCOUNT}/transactions"
        whole = await session.connection.pages(path, {}, per_page=2000)
        before = session.connection.transport.requests
        pages = await session.connection.pages(path, {}, per_page=5)

        assert [each["id"] for each in pages] == [each["id"] for each in whole]
        assert session.connection.transport.requests - before == -(-len(whole) // 5) > 1


async def test_live_orders_are_those_that_work(gateway: Gateway) -> None:
    ask = gateway.demo.orders.ListLiveOrders
    live = await ask(orders_pb.ListLiveOrdersRequest(account_id=DEMO_ACCOUNT))
    everything = await ask(
        orders_pb.ListLiveOrdersRequest(account_id=DEMO_ACCOUNT, include_terminal=True)
    )

    assert live.orders
    assert all(each.status not in TERMINAL_STATUSES for each in live.orders)
    assert {each.id for each in live.orders} <= {each.id for each in everything.orders}
    assert rows(live.table) == len(live.orders)
    for order in live.orders:
        assert order.legs
        assert all(leg.remaining_quantity <= leg.quantity for leg in order.legs)


async def test_order_history_and_one_order_of_it(gateway: Gateway) -> None:
    ask = gateway.demo.orders.ListOrderHistory
    week = await ask(orders_pb.ListOrderHistoryRequest(account_id=DEMO_ACCOUNT))
    year = await ask(orders_pb.ListOrderHistoryRequest(account_id=DEMO_ACCOUNT, days=YEAR))

    assert len(week.orders) < len(year.orders) == rows(year.table)
    assert {"Filled", "Live"} <= {each.status for each in year.orders}
    filled = next(each for each in year.orders if each.status == "Filled")
    assert filled.legs[0].fills
    assert Decimal(filled.legs[0].fills[0].fill_price) > 0

    one = await gateway.demo.orders.GetOrder(
        orders_pb.GetOrderRequest(account_id=DEMO_ACCOUNT, order_id=filled.id)
    )
    assert one.order == filled

    of_one = await ask(
        orders_pb.ListOrderHistoryRequest(
            account_id=DEMO_ACCOUNT, days=YEAR, underlying_symbol=filled.underlying_symbol
        )
    )
    assert {each.underlying_symbol for each in of_one.orders} == {filled.underlying_symbol}


@pytest.mark.parametrize("order_id", ["999999999", "9" * 18])
async def test_an_order_that_is_not_there(gateway: Gateway, order_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await gateway.demo.orders.GetOrder(
            orders_pb.GetOrderRequest(account_id=DEMO_ACCOUNT, order_id=order_id)
        )

    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert raised.value.details() == f"Order {order_id} not found"


@pytest.mark.parametrize("order_id", ["abc", "../positions", "1%2F2", "-1", "٧", "7\n", "9" * 19])
async def test_what_can_be_no_order_id_is_refused(gateway: Gateway, order_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await gateway.demo.orders.GetOrder(
            orders_pb.GetOrderRequest(account_id=DEMO_ACCOUNT, order_id=order_id)
        )

    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(raised.value.details()).startswith("Invalid order_id")


async def test_an_order_of_another_account_is_not_there(gateway: Gateway) -> None:
    live = await gateway.demo.orders.ListLiveOrders(
        orders_pb.ListLiveOrdersRequest(account_id=DEMO_ACCOUNT)
    )
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await gateway.demo.orders.GetOrder(
            orders_pb.GetOrderRequest(account_id=EMPTY_ACCOUNT, order_id=live.orders[0].id)
        )

    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_empty_account_has_no_orders(gateway: Gateway) -> None:
    live = await gateway.demo.orders.ListLiveOrders(
        orders_pb.ListLiveOrdersRequest(account_id=EMPTY_ACCOUNT)
    )
    past = await gateway.demo.orders.ListOrderHistory(
        orders_pb.ListOrderHistoryRequest(account_id=EMPTY_ACCOUNT)
    )
    assert (live.table, past.table) == ("No data", "No data")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, days=0),
            "Invalid days '0'. Expected a number from 1 to 3650.",
        ),
        (
            pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, transaction_type="trade"),
            "Invalid transaction_type 'trade'. Expected one of Trade, Money Movement.",
        ),
        (
            pb.ListTransactionsRequest(account_id=DEMO_ACCOUNT, page_size=1, page_token="x"),
            "Invalid page_token 'x'. Expected the next_page_token of an earlier page.",
        ),
        (
            pb.ListNetLiquidatingValueHistoryRequest(account_id=DEMO_ACCOUNT, time_back="2y"),
            "Invalid time_back '2y'. Expected one of 1d, 1w, 1m, 3m, 6m, 1y, all.",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
async def test_bad_input_is_told(gateway: Gateway, request_: Any, words: str) -> None:
    name = type(request_).__name__.removesuffix("Request")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await getattr(gateway.demo.accounts, name)(request_)

    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == words
