"""Accounts end to end: gRPC, the chain, the real SDK, and the simulated broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import grpc
import pytest
from tasty.v1 import account_service_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from tests.broker import DEMO_ACCOUNT, EMPTY_ACCOUNT
from tests.gateway import Gateway, open_gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path) as running,
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
