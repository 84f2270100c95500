"""Quotes and greeks end to end: gRPC, the chain, the hub, the real SDK, and DXLink."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import grpc
import pytest
from tasty.v1 import instrument_pb2, quote_pb2, reference_service_pb2
from tasty.v1 import market_data_service_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.gateway import Gateway, open_gateway

Instrument = instrument_pb2.Instrument


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path) as running,
    ):
        yield running


async def quotes(gateway: Gateway, *symbols: str, timeout: float = 5) -> pb.GetQuotesResponse:
    instruments = [Instrument(symbol=symbol) for symbol in symbols]
    request = pb.GetQuotesRequest(instruments=instruments, timeout=timeout)
    return await gateway.demo.market.GetQuotes(request)


async def some_option(gateway: Gateway, underlying: str = "SPY") -> tuple[str, str, float, str]:
    """Returns symbol, streamer symbol, strike and expiration of a put near the money."""
    request = reference_service_pb2.GetOptionChainRequest(symbol=underlying)
    chain = await gateway.demo.reference.GetOptionChain(request)
    [quote] = (await quotes(gateway, underlying)).quotes
    day = chain.expiration_dates[3]
    spot = float(quote.last_price)
    option = min(chain.chain[day].puts, key=lambda each: abs(each.strike_price - spot))
    return option.symbol, option.streamer_symbol, option.strike_price, day


def is_sane(quote: quote_pb2.Quote) -> bool:
    bid, ask = Decimal(quote.bid_price), Decimal(quote.ask_price)
    return 0 < bid < ask and Decimal(quote.mid_price) == (bid + ask) / 2


async def test_every_kind_of_instrument_is_quoted_in_the_order_asked(gateway: Gateway) -> None:
    symbols = ["SPY", "/ESZ6", "BTC/USD", "SPX", "BRK/B", "AAPL"]
    answer = await quotes(gateway, *symbols)

    assert [quote.symbol for quote in answer.quotes] == symbols
    assert not answer.errors
    assert all(is_sane(quote) for quote in answer.quotes)
    assert all(quote.source == "stream" and not quote.stale for quote in answer.quotes)
    assert all(quote.received_at.seconds > 0 for quote in answer.quotes)
    header, *lines = answer.table.splitlines()
    assert header.split()[:4] == ["event_symbol", "bid_price", "ask_price", "last_price"]
    assert len(lines) == len(symbols)
    assert answer.claude_analysis == ""
    assert answer.claude_error


async def test_an_index_that_nobody_quotes_is_answered_by_its_last_trade(gateway: Gateway) -> None:
    for _ in range(2):
        [quote] = (await quotes(gateway, "VIX")).quotes
        assert Decimal(quote.last_price) > 0
        assert not quote.HasField("bid_price")
        assert not quote.HasField("mid_price")


async def test_an_option_is_found_by_parts_by_occ_and_by_streamer_symbol(gateway: Gateway) -> None:
    symbol, streamer, strike, day = await some_option(gateway)
    by_parts = Instrument(symbol="SPY", option_type="P", strike_price=strike, expiration_date=day)
    wanted = [by_parts, Instrument(symbol=symbol), Instrument(symbol=streamer)]
    answer = await gateway.demo.market.GetQuotes(pb.GetQuotesRequest(instruments=wanted))

    assert [quote.symbol for quote in answer.quotes] == [symbol] * 3
    assert [quote.streamer_symbol for quote in answer.quotes] == [streamer] * 3
    assert is_sane(answer.quotes[0])


async def test_what_is_not_known_is_named_beside_what_is(gateway: Gateway) -> None:
    answer = await quotes(gateway, "SPY", "NOSUCH")
    assert [quote.symbol for quote in answer.quotes] == ["SPY"]
    assert [error.symbol for error in answer.errors] == ["NOSUCH"]
    assert "search-symbols" in answer.errors[0].reason


async def test_nothing_known_at_all_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await quotes(gateway, "NOSUCH")
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND


async def test_an_option_that_was_never_listed_is_not_found(gateway: Gateway) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await quotes(gateway, "SPY   261218C00700510")
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("timeout", "fault"),
    [
        (0.02, Fault(kind="mute", path="/dxlink", count=None)),  # too short to ask REST at all
        (0.8, Fault(kind="hang", path="/market-data/*", count=None)),
    ],
    ids=["at once", "REST hangs"],
)
async def test_what_is_late_is_not_called_unknown(
    gateway: Gateway, timeout: float, fault: Fault
) -> None:
    await quotes(gateway, "AAPL")  # the feed is connected
    gateway.sim.faults.add(Fault(kind="mute-data", path="/dxlink", at="FEED_DATA", count=None))
    gateway.sim.faults.add(fault)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await quotes(gateway, "MSFT", timeout=timeout)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert failure.value.details() == f"Timeout getting quotes after {timeout}s"


async def test_greeks_join_on_the_occ_symbol(gateway: Gateway) -> None:
    symbol, streamer, _, _ = await some_option(gateway)
    request = pb.GetGreeksRequest(options=[Instrument(symbol=symbol)])
    [greeks] = (await gateway.demo.market.GetGreeks(request)).greeks

    assert greeks.event_symbol == symbol
    assert greeks.streamer_symbol == streamer
    assert -1 < Decimal(greeks.delta) < 0
    assert Decimal(greeks.gamma) > 0
    assert Decimal(greeks.vega) > 0
    assert Decimal(greeks.volatility) > 0


BAD: list[tuple[list[Instrument], str]] = [
    ([], "At least one option is required"),
    ([Instrument()], "At least one option is required"),
    ([Instrument(symbol="SPY")], "'SPY' is not an option."),
    (
        [Instrument(symbol="SPY", option_type="P", strike_price=685)],
        "expiration_date is required for option SPY",
    ),
    (
        [Instrument(symbol="SPY", option_type="P", expiration_date="2026-12-18")],
        "strike_price is required for option SPY",
    ),
    (
        [Instrument(symbol="SPY", option_type="X", strike_price=685, expiration_date="2026-12-18")],
        "Invalid option_type 'X'. Expected 'C' or 'P'.",
    ),
    (
        [Instrument(symbol="SPY", option_type="P", strike_price=685, expiration_date="18.12.2026")],
        "Invalid date format '18.12.2026'. Expected YYYY-MM-DD format.",
    ),
    (
        [Instrument(symbol="SPY", option_type="P", strike_price=-1, expiration_date="2026-12-18")],
        "Invalid strike price '-1.0'. Expected positive number.",
    ),
    ([Instrument(symbol="not a symbol!")], "Invalid symbol 'not a symbol!'."),
    ([Instrument(symbol="SPY")] * 10_000, "Too many options: 10000 given, 500 allowed."),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _, words in BAD])
async def test_bad_input_is_told_in_the_guides_words(
    gateway: Gateway, options: list[Instrument], words: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(pb.GetGreeksRequest(options=options))
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.value.details().startswith(words)


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 61.0, float("nan"), float("inf")])
async def test_a_timeout_out_of_range_is_refused(gateway: Gateway, timeout: float) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await quotes(gateway, "SPY", timeout=timeout)
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "timeout" in failure.value.details()


async def test_an_expiration_that_is_not_listed_names_those_that_are(gateway: Gateway) -> None:
    instrument = Instrument(
        symbol="SPY", option_type="P", strike_price=685, expiration_date="2031-01-01"
    )
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(pb.GetGreeksRequest(options=[instrument]))
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    assert failure.value.details().startswith(
        "No options found for SPY expiration 2031-01-01. Available: ['20"
    )


async def test_a_strike_that_is_not_listed_names_those_that_are(gateway: Gateway) -> None:
    _, _, _, day = await some_option(gateway)
    instrument = Instrument(symbol="SPY", option_type="P", strike_price=685.37, expiration_date=day)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(pb.GetGreeksRequest(options=[instrument]))
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    details = failure.value.details()
    assert details.startswith(f"Option not found: SPY {day} P 685.37. Available strikes: [")


async def test_a_mute_feed_is_answered_from_rest_with_the_source_named(gateway: Gateway) -> None:
    gateway.sim.faults.add(Fault(kind="mute-data", path="/dxlink", at="FEED_DATA", count=None))
    [quote] = (await quotes(gateway, "SPY")).quotes
    assert quote.source == "rest"
    assert quote.stale
    assert is_sane(quote)


async def test_greeks_that_do_not_come_are_late(gateway: Gateway) -> None:
    symbol, _, _, _ = await some_option(gateway)
    gateway.sim.faults.add(Fault(kind="mute-data", path="/dxlink", at="FEED_DATA", count=None))
    request = pb.GetGreeksRequest(options=[Instrument(symbol=symbol)], timeout=0.3)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(request)
    assert failure.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert failure.value.details() == "Timeout getting Greeks after 0.3s"


async def test_a_user_without_market_data_is_told_why(gateway: Gateway) -> None:
    gateway.sim.faults.add(
        Fault(
            kind="status",
            path="/api-quote-tokens",
            status=403,
            code="quote_streamer.customer_not_found_error",
            message="Customer not found",
            count=None,
        )
    )
    symbol = "SPY   261218P00685000"
    request = pb.GetGreeksRequest(options=[Instrument(symbol=symbol)], timeout=5)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(request)
    assert failure.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "Customer not found" in failure.value.details()


async def test_greeks_without_a_feed_are_unavailable_and_say_why(gateway: Gateway) -> None:
    symbol, _, _, _ = await some_option(gateway)
    gateway.sim.faults.add(Fault(kind="refuse", path="/dxlink", status=502, count=None))
    gateway.sim.faults.add(Fault(kind="drop", path="/dxlink", at="now"))
    request = pb.GetGreeksRequest(options=[Instrument(symbol=symbol)], timeout=0.5)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await gateway.demo.market.GetGreeks(request)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    assert failure.value.details().startswith("The market data feed is not connected (")


async def test_a_future_is_one_thing_by_either_of_its_names(gateway: Gateway) -> None:
    [by_streamer] = (await quotes(gateway, "/ESZ26:XCME")).quotes
    assert by_streamer.streamer_symbol == "/ESZ26:XCME"
    [by_symbol] = (await quotes(gateway, "/ESZ6")).quotes
    assert by_symbol.symbol == "/ESZ6"
    answer = await quotes(gateway, "/ESZ26:XCME", "/ESZ6")
    assert [quote.symbol for quote in answer.quotes] == ["/ESZ6", "/ESZ6"]
