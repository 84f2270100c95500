"""Accounts end to end: gRPC, the chain, the real SDK, and the simulated broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import grpc
import pytest
import pytest_asyncio
from tasty.v1 import account_service_pb2 as pb
from tasty.v1 import credentials_service_pb2 as credentials_pb
from tasty.v1 import order_service_pb2 as orders_pb

from server.simulator import Simulator, SimulatorSettings
from tests.broker import DEMO_ACCOUNT, EMPTY_ACCOUNT
from tests.gateway import Gateway, open_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One server for all tests of this file."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    data_dir = tmp_path_factory.mktemp("data")
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, data_dir) as running,
    ):
        yield running


async def test_balances(gateway: Gateway) -> None:
    answer = await gateway.demo.accounts.GetBalances(pb.GetBalancesRequest(account_id=DEMO_ACCOUNT))

    assert answer.account_number == DEMO_ACCOUNT
    assert answer.cash == answer.cash_balance
    assert answer.buying_power == answer.derivative_buying_power
    for field in ("cash", "net_liquidating_value", "buying_power", "equity"):
        assert Decimal(getattr(answer, field)) > 0
    assert Decimal(answer.day_trading_buying_power) >= 0
    assert answer.updated_at.seconds > 0


async def test_positions_have_prices_and_profit(gateway: Gateway) -> None:
    answer = await gateway.demo.accounts.ListPositions(
        pb.ListPositionsRequest(account_id=DEMO_ACCOUNT)
    )

    assert len(answer.positions) >= 3
    assert {"Long", "Short"} <= {each.quantity_direction for each in answer.positions}
    for position in answer.positions:
        sign = 1 if position.quantity_direction == "Long" else -1
        units = sign * Decimal(position.quantity) * Decimal(position.multiplier)
        entry, price = Decimal(position.average_open_price), Decimal(position.current_price)
        assert position.quantity > 0
        assert Decimal(position.unrealized_pnl) == (price - entry) * units
        if position.instrument_type == "Equity":
            assert not position.HasField("delta")
            assert Decimal(position.position_delta) == units
        else:
            assert len(position.symbol) == 21
            assert position.streamer_symbol.startswith(".")

    header, *lines = answer.table.splitlines()
    assert header.startswith("symbol")
    assert len(lines) == len(answer.positions)


async def test_an_empty_account_has_no_positions(gateway: Gateway) -> None:
    answer = await gateway.demo.accounts.ListPositions(
        pb.ListPositionsRequest(account_id=EMPTY_ACCOUNT)
    )
    assert not answer.positions
    assert answer.table == "No data"


@pytest.mark.parametrize("name", ["GetBalances", "ListPositions", "ListTransactions"])
@pytest.mark.parametrize(
    ("account_id", "status", "words"),
    [
        (
            "",
            grpc.StatusCode.INVALID_ARGUMENT,
            "account_id is required. Provide it as a query parameter.",
        ),
        (
            "123456789",
            grpc.StatusCode.NOT_FOUND,
            "Account '123456789' not found. Available accounts: ['5WT00001', '5WT00002']",
        ),
        (
            "../5WT00001",
            grpc.StatusCode.NOT_FOUND,
            "Account '../5WT00001' not found. Available accounts: ['5WT00001', '5WT00002']",
        ),
    ],
)
async def test_a_missing_or_foreign_account(
    gateway: Gateway, name: str, account_id: str, status: grpc.StatusCode, words: str
) -> None:
    request = getattr(pb, f"{name}Request")(account_id=account_id)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await getattr(gateway.demo.accounts, name)(request)

    assert raised.value.code() is status
    assert raised.value.details() == words


READS = [
    ("accounts", "GetBalances", pb.GetBalancesRequest),
    ("accounts", "ListPositions", pb.ListPositionsRequest),
    ("accounts", "ListTransactions", pb.ListTransactionsRequest),
    ("accounts", "ListNetLiquidatingValueHistory", pb.ListNetLiquidatingValueHistoryRequest),
    ("orders", "ListLiveOrders", orders_pb.ListLiveOrdersRequest),
    ("orders", "ListOrderHistory", orders_pb.ListOrderHistoryRequest),
    ("orders", "GetOrder", orders_pb.GetOrderRequest),
]


async def test_another_tenants_account_is_like_one_that_does_not_exist(gateway: Gateway) -> None:
    """Every read, with every form of an id: nothing tells whether an account exists elsewhere."""
    key = "key-of-another-tenant-altogether"
    await gateway.caller("").credentials.SaveCredentials(
        credentials_pb.SaveCredentialsRequest(
            api_key=key, client_secret="another", refresh_token="another-grant"
        )
    )
    other = gateway.caller(key)
    # The demo tenant's own orders exist while the other one asks for them.
    live = await gateway.demo.orders.ListLiveOrders(
        orders_pb.ListLiveOrdersRequest(account_id=DEMO_ACCOUNT)
    )
    order_id = live.orders[0].id
    for service, name, request_type in READS:
        answers = set()
        for account_id in (DEMO_ACCOUNT, EMPTY_ACCOUNT, "5WT99999", f"{DEMO_ACCOUNT}/../x"):
            request = request_type(account_id=account_id)
            if name == "GetOrder":
                request.order_id = order_id

            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await getattr(getattr(other, service), name)(request)

            words = str(raised.value.details())
            assert f"Account '{account_id}' not found." in words
            answers.add((raised.value.code(), words.replace(account_id, "…")))

        assert len(answers) == 1, name
        (answer,) = answers
        assert answer[0] is grpc.StatusCode.NOT_FOUND
        assert DEMO_ACCOUNT not in answer[1]
