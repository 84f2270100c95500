"""At night, and of what nobody bids for, there is still an answer: with its source and its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tasty.v1 import instrument_pb2, quote_pb2, reference_service_pb2, stream_pb2
from tasty.v1 import market_data_service_pb2 as pb
from tasty.v1 import market_data_stream_pb2 as stream

from server.simulator import Simulator, SimulatorSettings
from tests.gateway import Gateway, open_gateway
from tests.waiting import eventually
from tests.watching import watched

SUNDAY_NIGHT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""Three in the morning in New York; futures open in the evening, coins never close."""

Instrument = instrument_pb2.Instrument


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    settings = SimulatorSettings(port=0, real_hours=True, start=SUNDAY_NIGHT)
    async with Simulator(settings) as sim, open_gateway(sim, tmp_path) as running:
        yield running


async def ask(gateway: Gateway, *symbols: str) -> list[quote_pb2.Quote]:
    instruments = [Instrument(symbol=symbol) for symbol in symbols]
    answer = await gateway.demo.market.GetQuotes(pb.GetQuotesRequest(instruments=instruments))
    assert not answer.errors
    return list(answer.quotes)


def has_price(quote: quote_pb2.Quote) -> bool:
    return Decimal(quote.last_price or quote.bid_price or quote.ask_price or 0) > 0


async def test_everything_answers_at_night(gateway: Gateway) -> None:
    symbols = ["SPY", "AAPL", "SPX", "VIX", "/ESZ6", "BTC/USD", "BRK/B"]
    quotes = {quote.symbol: quote for quote in await ask(gateway, *symbols)}
    assert list(quotes) == symbols
    for quote in quotes.values():
        assert has_price(quote), quote.symbol
        assert quote.source in ("stream", "rest")
        assert quote.received_at.seconds > 0
        assert quote.event_time.seconds > 0
    # When the prices were made: on Friday for what closed then, now for what never closes.
    friday = datetime(2026, 11, 21, 2, 0, tzinfo=UTC).timestamp()
    for symbol in ("SPY", "AAPL"):
        assert quotes[symbol].event_time.seconds < friday
    assert quotes["BTC/USD"].event_time.seconds > friday


async def test_a_contract_that_nobody_bids_for(gateway: Gateway) -> None:
    request = reference_service_pb2.GetOptionChainRequest(symbol="SPY", all_options=False)
    chain = await gateway.demo.reference.GetOptionChain(request)
    without_a_bid = [
        contract.symbol
        for day in chain.expiration_dates
        for contract in chain.chain[day].puts[:5]
        if gateway.sim.market.quote(_found(gateway, contract.symbol)).bid is None
    ]
    assert without_a_bid, "the simulator has such contracts"
    [quote] = await ask(gateway, without_a_bid[0])
    assert not quote.HasField("bid_price")
    assert not quote.HasField("mid_price")
    assert quote.bid_size == 0
    assert quote.source in ("stream", "rest")
    assert quote.received_at.seconds > 0


async def test_greeks_answer_at_night(gateway: Gateway) -> None:
    request = reference_service_pb2.GetOptionChainRequest(symbol="SPY", all_options=False)
    chain = await gateway.demo.reference.GetOptionChain(request)
    calls = chain.chain[chain.expiration_dates[5]].calls
    symbol = calls[len(calls) // 2].symbol
    asked = pb.GetGreeksRequest(options=[Instrument(symbol=symbol)])
    [greeks] = (await gateway.demo.market.GetGreeks(asked)).greeks
    assert 0 < Decimal(greeks.delta) < 1
    assert greeks.time.seconds > 0
    assert greeks.received_at.seconds > 0


async def test_a_stream_at_night_is_quiet_and_alive(gateway: Gateway) -> None:
    request = stream.StreamQuotesRequest(symbols=["SPY", "AAPL"], heartbeat_interval=1)
    async with watched(gateway.demo.market.StreamQuotes(request)) as [view]:
        await eventually(lambda: set(view.quotes) == {"SPY", "AAPL"})
        await eventually(lambda: view.told[stream_pb2.STREAM_EVENT_KIND_HEARTBEAT] >= 2)
        assert all(has_price(quote) for quote in view.quotes.values())


def _found(gateway: Gateway, symbol: str) -> object:
    instrument = gateway.sim.market.find(symbol)
    assert instrument is not None
    return instrument
