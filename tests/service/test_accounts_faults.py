"""What a client is told when the broker fails, and that the broker's own limits are kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import account_service_pb2 as pb
from tasty.v1 import credentials_service_pb2 as credentials_pb
from tasty.v1 import reference_service_pb2 as reference_pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.broker import DEMO, DEMO_ACCOUNT, open_brokerage, tenant
from tests.gateway import Gateway, open_gateway

BALANCES = f"/accounts/{DEMO_ACCOUNT}/balances*"
REVOKED = (
    "TastyTrade refresh token is invalid or revoked. Please update your credentials using "
    "POST /api/v1/credentials. To get a new refresh token, visit "
    "https://my.tastytrade.com/app.html#/manage/api-access/oauth-applications and create a new "
    "Personal OAuth Grant. Error: Grant revoked"
)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(port=0)) as running:
        yield running


@pytest.fixture
async def gateway(sim: Simulator, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(sim, tmp_path, broker_timeout_s=2) as running:
        yield running


def balances(gateway: Gateway, api_key: str = "", **options: Any) -> Any:
    caller = gateway.caller(api_key) if api_key else gateway.demo
    return caller.accounts.GetBalances(pb.GetBalancesRequest(account_id=DEMO_ACCOUNT), **options)


async def failure(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call

    return raised.value.code(), str(raised.value.details())


async def test_a_revoked_grant_has_the_guides_words_and_is_not_tried_again(
    gateway: Gateway, sim: Simulator
) -> None:
    key = "a-key-of-somebody-whose-grant-is-gone"
    await gateway.caller("").credentials.SaveCredentials(
        credentials_pb.SaveCredentialsRequest(
            api_key=key, client_secret="secret", refresh_token="revoked-token"
        )
    )
    for _ in range(3):
        assert await failure(balances(gateway, key)) == (
            grpc.StatusCode.UNAUTHENTICATED,
            REVOKED,
        )

    assert sim.oauth.statistics().refused == 1

    await gateway.caller(key).credentials.SaveCredentials(
        credentials_pb.SaveCredentialsRequest(
            api_key=key, client_secret="secret", refresh_token=DEMO
        )
    )
    assert (await balances(gateway, key)).account_number == DEMO_ACCOUNT


async def test_one_429_is_waited_out(gateway: Gateway, sim: Simulator) -> None:
    await balances(gateway)
    sim.faults.add(Fault(kind="rate-limit", path=BALANCES))
    assert (await balances(gateway)).account_number == DEMO_ACCOUNT


async def test_an_expired_token_is_not_noticed(gateway: Gateway, sim: Simulator) -> None:
    await balances(gateway)
    sim.oauth.expire_access_tokens()
    assert (await balances(gateway)).account_number == DEMO_ACCOUNT


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Fault(kind="rate-limit", path=BALANCES, count=2), "UNAVAILABLE", "(429)"),
        (Fault(kind="status", path=BALANCES, status=500), "UNAVAILABLE", "HTTP 500"),
        (Fault(kind="html", path=BALANCES), "UNAVAILABLE", "HTTP 502"),
        (Fault(kind="reset", path=BALANCES), "UNAVAILABLE", "connection lost"),
        (Fault(kind="hang", path=BALANCES), "DEADLINE_EXCEEDED", "did not answer in time"),
        (
            Fault(kind="slow", path=BALANCES, delay=timedelta(seconds=2.5)),
            "DEADLINE_EXCEEDED",
            "did not answer in time",
        ),
        (
            Fault(kind="status", path=BALANCES, status=403, code="x", message="Not for you"),
            "PERMISSION_DENIED",
            "Not for you",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_each_failure_is_told_and_passes(
    gateway: Gateway, sim: Simulator, fault: Fault, status: str, words: str
) -> None:
    await balances(gateway)
    sim.faults.add(fault)
    started = time.monotonic()
    code, told = await failure(balances(gateway))

    assert code is getattr(grpc.StatusCode, status)
    assert words in told
    assert time.monotonic() - started < 4  # the bound is 2 s
    assert (await balances(gateway)).account_number == DEMO_ACCOUNT


async def test_a_callers_deadline_is_kept_while_the_broker_hangs(
    gateway: Gateway, sim: Simulator
) -> None:
    await balances(gateway)
    sim.faults.add(Fault(kind="hang", path=BALANCES))
    code, _ = await failure(balances(gateway, timeout=0.2))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (await balances(gateway)).account_number == DEMO_ACCOUNT


async def test_the_chain_survives_a_failed_first_attempt(gateway: Gateway, sim: Simulator) -> None:
    sim.faults.add(Fault(kind="status", path="/option-chains/*", status=502))
    request = reference_pb.GetOptionChainRequest(symbol="SPY", max_dte=10)
    ask = gateway.demo.reference.GetOptionChain
    results = await asyncio.gather(*(ask(request) for _ in range(4)), return_exceptions=True)
    assert any(isinstance(each, grpc.aio.AioRpcError) for each in results)
    assert (await ask(request)).total_options > 0


async def test_the_brokers_limits_are_kept_by_pacing() -> None:
    async with (
        Simulator(SimulatorSettings(port=0, rate_limits=True)) as strict,
        open_brokerage(strict, broker_pacing="on") as brokerage,
    ):
        session = await brokerage.session(tenant())
        account = await session.account(DEMO_ACCOUNT)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(session.balances(account))
                group.create_task(session.positions(account))

        # One a second of each kind: the third leaves two seconds after the first.
        assert 1.9 < time.monotonic() - started < 6


async def test_without_pacing_the_broker_refuses_and_we_say_so() -> None:
    async with (
        Simulator(SimulatorSettings(port=0, rate_limits=True)) as strict,
        open_brokerage(strict, broker_pacing="off") as brokerage,
    ):
        session = await brokerage.session(tenant())
        account = await session.account(DEMO_ACCOUNT)
        results = await asyncio.gather(
            *(session.balances(account) for _ in range(12)), return_exceptions=True
        )
        assert any("(429)" in str(each) for each in results if isinstance(each, Exception))
