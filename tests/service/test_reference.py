"""Metrics, hours, symbols and option chains end to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from tasty.v1 import reference_service_pb2 as pb

from server.clock import SystemClock, new_york_today
from server.simulator import Simulator, SimulatorSettings
from tests.broker import open_brokerage, tenant
from tests.gateway import Gateway, open_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
"""One server for all tests of this file: they read, and leave it as it was."""


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


async def refused(call: Any, status: grpc.StatusCode) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call

    assert raised.value.code() is status
    return str(raised.value.details())


async def test_metrics_come_in_the_order_of_the_request(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.GetMarketMetrics(
        pb.GetMarketMetricsRequest(symbols=["QQQ", "spy", "NOPE", "AAPL", "SPY"])
    )
    assert [each.symbol for each in answer.metrics] == ["QQQ", "SPY", "AAPL"]
    assert [each.symbol for each in answer.errors] == ["NOPE"]
    assert len(answer.table.splitlines()) == 4
    for each in answer.metrics:
        assert 0 <= each.iv_rank <= 1
        assert 0 <= each.iv_percentile <= 1
        assert each.HasField("beta")
        assert each.liquidity_rating
        assert each.HasField("liquidity_rating_value")


async def test_metrics_that_cannot_be_given(gateway: Gateway) -> None:
    ask = gateway.demo.reference.GetMarketMetrics
    bad, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    none = await refused(ask(pb.GetMarketMetricsRequest()), bad)
    assert none == "At least one symbol is required"
    many = [f"A{number}" for number in range(501)]
    assert "501 given, 500 allowed" in await refused(
        ask(pb.GetMarketMetricsRequest(symbols=many)), bad
    )
    assert "'NOPE' not found" in await refused(
        ask(pb.GetMarketMetricsRequest(symbols=["NOPE"])), missing
    )
    assert "Invalid symbols" in await refused(
        ask(pb.GetMarketMetricsRequest(symbols=["SPY", "a b"])), bad
    )


async def test_hours_of_an_open_market(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.GetMarketStatus(pb.GetMarketStatusRequest())
    (equity,) = answer.sessions
    assert (equity.exchange, equity.status) == ("Equity", "open")
    assert datetime.fromisoformat(equity.close_at) > datetime.now(UTC)
    assert equity.close_at[-6:] in ("-04:00", "-05:00")
    assert not equity.HasField("next_open")
    assert equity.HasField("is_holiday")


async def test_exchanges_may_share_an_element_and_smalls_is_no_error(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.GetMarketStatus(
        pb.GetMarketStatusRequest(exchanges=["Smalls, cme", "Equity", "CFE"])
    )
    assert [each.exchange for each in answer.sessions] == ["Smalls", "CME", "Equity", "CFE"]
    assert answer.sessions[0].status == "unsupported"
    assert {each.status for each in answer.sessions[1:]} == {"open"}


async def test_an_unknown_exchange_is_told(gateway: Gateway) -> None:
    words = await refused(
        gateway.demo.reference.GetMarketStatus(pb.GetMarketStatusRequest(exchanges=["NYSE"])),
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    assert words == "Invalid exchanges 'NYSE'. Expected one of Equity, CME, CFE, Smalls."


async def test_a_closed_market_says_when_it_opens(tmp_path: Path) -> None:
    saturday = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
    settings = SimulatorSettings(port=0, real_hours=True, start=saturday)
    async with Simulator(settings) as sim, open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        (equity,) = await session.hours(["Equity"])
        assert equity.status == "closed"
        assert equity.next_open_at == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

        holidays = await session.holidays("Equity")
        assert holidays is not None
        asked = session.connection.transport.requests
        assert await session.holidays("Equity") is holidays
        assert session.connection.transport.requests == asked


async def test_search(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.SearchSymbols(pb.SearchSymbolsRequest(symbol="AAP"))
    assert "AAPL" in [each.symbol for each in answer.results]
    apple = next(each for each in answer.results if each.symbol == "AAPL")
    assert (apple.instrument_type, apple.options) == ("Equity", True)
    assert apple.description
    assert apple.listed_market


@pytest.mark.parametrize("text", ["zzzzzz", "../../customers/me", "BRK/B%", "naïve", "..", "?a=b"])
async def test_a_search_without_results_is_empty(gateway: Gateway, text: str) -> None:
    answer = await gateway.demo.reference.SearchSymbols(pb.SearchSymbolsRequest(symbol=text))
    assert not answer.results
    assert answer.table == "No data"


async def test_the_first_search_of_a_session_finds_something(sim: Simulator) -> None:
    """The SDK's own search does not: it sends the token that it does not have yet."""
    async with open_brokerage(sim) as brokerage:
        session = await brokerage.session(tenant())
        sim.oauth.expire_access_tokens()
        assert await session.search("SPY")


@pytest.mark.parametrize("text", ["", "   ", "x" * 65])
async def test_a_search_for_nothing_is_refused(gateway: Gateway, text: str) -> None:
    words = await refused(
        gateway.demo.reference.SearchSymbols(pb.SearchSymbolsRequest(symbol=text)),
        grpc.StatusCode.INVALID_ARGUMENT,
    )
    assert "symbol" in words


async def test_a_chain_has_the_guides_shape(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.GetOptionChain(pb.GetOptionChainRequest(symbol="tsla"))

    assert answer.symbol == "TSLA"
    days = list(answer.expiration_dates)
    assert days == sorted(set(days))
    assert answer.total_expirations == len(days) == len(answer.chain)
    assert answer.total_options == len(answer.all_options)
    assert sum(each.total_options for each in answer.chain.values()) == answer.total_options
    for day, expiration in answer.chain.items():
        assert expiration.total_options == len(expiration.calls) + len(expiration.puts)
        assert list(expiration.strikes) == sorted({each.strike_price for each in expiration.calls})
        for each in expiration.calls:
            assert (each.option_type, each.expiration_date) == ("C", day)
            assert len(each.symbol) == 21
            assert each.streamer_symbol.startswith(".TSLA")

    keys = [(o.expiration_date, o.strike_price, o.option_type) for o in answer.all_options]
    assert keys == sorted(keys)
    title, header, rule, *lines = answer.table.split("\n")
    assert title == "Complete Option Chain for TSLA"
    assert header == "Expiration   DTE    Calls    Puts     Strikes   Total   "
    assert rule == "-" * 60
    assert [line.split()[0] for line in lines] == days


async def test_days_to_expiration_are_new_yorks(gateway: Gateway) -> None:
    answer = await gateway.demo.reference.GetOptionChain(pb.GetOptionChainRequest(symbol="SPY"))
    today = new_york_today(SystemClock())
    for each in answer.all_options:
        day = today + timedelta(days=each.days_to_expiration)
        assert day.isoformat() == each.expiration_date


async def test_filters_cut_the_chain_down(gateway: Gateway) -> None:
    ask = gateway.demo.reference.GetOptionChain
    whole = await ask(pb.GetOptionChainRequest(symbol="SPY"))
    day = whole.expiration_dates[2]
    strikes = whole.chain[day].strikes
    low, high = strikes[len(strikes) // 3], strikes[len(strikes) // 2]

    part = await ask(
        pb.GetOptionChainRequest(
            symbol="SPY",
            expiration_date=day,
            option_type="P",
            min_strike=low,
            max_strike=high,
            all_options=False,
        )
    )
    wanted = [each for each in whole.chain[day].puts if low <= each.strike_price <= high]
    assert list(part.expiration_dates) == [day]
    assert list(part.chain[day].puts) == wanted
    assert not part.chain[day].calls
    assert part.total_options == len(wanted)
    assert not part.all_options

    near = await ask(pb.GetOptionChainRequest(symbol="SPY", min_dte=3, max_dte=30))
    assert near.all_options
    assert all(3 <= each.days_to_expiration <= 30 for each in near.all_options)


@pytest.mark.parametrize(
    ("chosen", "status", "words"),
    [
        ({"symbol": ""}, "INVALID_ARGUMENT", "Invalid symbol ''."),
        ({"symbol": "../x"}, "INVALID_ARGUMENT", "Invalid symbol"),
        ({"symbol": "NOPE"}, "NOT_FOUND", "Symbol 'NOPE' not found."),
        ({"expiration_date": "12/19/2026"}, "INVALID_ARGUMENT", "Expected YYYY-MM-DD format."),
        ({"expiration_date": "2020-01-01"}, "NOT_FOUND", "No options found for SPY expiration"),
        ({"min_dte": -1}, "INVALID_ARGUMENT", "Invalid min_dte '-1'."),
        ({"min_dte": 9, "max_dte": 8}, "INVALID_ARGUMENT", "Expected at least min_dte, 9."),
        ({"min_strike": 9, "max_strike": 8}, "INVALID_ARGUMENT", "at least min_strike, 9"),
        ({"min_strike": float("nan")}, "INVALID_ARGUMENT", "Invalid min_strike"),
        ({"option_type": "X"}, "INVALID_ARGUMENT", "Expected one of C, P."),
    ],
)
async def test_a_chain_that_cannot_be_given(
    gateway: Gateway, chosen: dict[str, Any], status: str, words: str
) -> None:
    request = pb.GetOptionChainRequest(**{"symbol": "SPY", **chosen})
    told = await refused(
        gateway.demo.reference.GetOptionChain(request), getattr(grpc.StatusCode, status)
    )
    assert words in told


async def test_the_largest_chain_is_asked_for_once(gateway: Gateway) -> None:
    ask = gateway.demo.reference.GetOptionChain
    request = pb.GetOptionChainRequest(symbol="SPX")
    first, second = await asyncio.gather(ask(request), ask(request))
    assert first.total_options > 20_000
    assert len(first.all_options) == first.total_options
    assert first == second
    roots = {each.root_symbol for each in first.all_options}
    assert roots == {"SPX", "SPXW"}
    settlements = {(each.root_symbol, each.settlement_type) for each in first.all_options}
    assert ("SPX", "AM") in settlements
    assert ("SPXW", "PM") in settlements

    asked = gateway.app.brokerage.statistics().requests
    third = await ask(request)
    assert third == first
    assert gateway.app.brokerage.statistics().requests == asked


async def test_a_chain_does_not_outlive_its_day(sim: Simulator) -> None:
    from tests.clock import ManualClock

    clock = ManualClock(start=datetime.now(UTC))
    async with open_brokerage(sim, clock) as brokerage:
        session = await brokerage.session(tenant())
        first = await session.chain("AAPL")
        assert await session.chain("aapl") is first

        await clock.advance(86_400)
        session = await brokerage.session(tenant())
        assert (await session.chain("AAPL")).today == first.today + timedelta(days=1)


async def test_chains_of_futures_and_of_share_classes(gateway: Gateway) -> None:
    ask = gateway.demo.reference.GetOptionChain
    class_b = await ask(pb.GetOptionChainRequest(symbol="BRK.B", max_dte=30))
    assert class_b.symbol == "BRK/B"
    assert class_b.all_options[0].symbol.startswith("BRKB  ")

    future = await ask(pb.GetOptionChainRequest(symbol="/ESZ6", max_dte=30))
    assert future.all_options
    assert all(each.symbol.startswith("./ESZ6") for each in future.all_options)
