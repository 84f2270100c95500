"""Streams end to end: acknowledged, honest about what is stale, and ended with a last word."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from tasty.v1 import account_service_pb2, credentials_service_pb2, stream_pb2, subscription_pb2
from tasty.v1 import market_data_stream_pb2 as pb

from server.simulator import Simulator, SimulatorSettings
from server.simulator.faults import Fault
from tests.clock import ManualClock
from tests.gateway import Gateway, open_gateway
from tests.waiting import eventually

ACK = stream_pb2.STREAM_EVENT_KIND_ACKNOWLEDGEMENT
SNAPSHOT = stream_pb2.STREAM_EVENT_KIND_SNAPSHOT
UPDATE = stream_pb2.STREAM_EVENT_KIND_UPDATE
HEARTBEAT = stream_pb2.STREAM_EVENT_KIND_HEARTBEAT
STALE = stream_pb2.STREAM_EVENT_KIND_STALE
RECONNECTED = stream_pb2.STREAM_EVENT_KIND_RECONNECTED
END = stream_pb2.STREAM_EVENT_KIND_END
DATA = (SNAPSHOT, UPDATE)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path, streams_per_key=5, stream_symbols=50) as running,
    ):
        yield running


@asynccontextmanager
async def opened(call: Any) -> AsyncIterator[Any]:
    """Cancels the call when the block ends, and waits until it is over."""
    try:
        yield call
    finally:
        call.cancel()
        # Not before the call is over: its task would count as leaked.
        await call.code()


async def until(call: Any, *kinds: int, limit: float = 10) -> Any:
    """Returns the next message of one of the kinds."""
    async with asyncio.timeout(limit):
        while True:
            message = await call.read()
            assert message is not grpc.aio.EOF, "the stream ended"
            if message.kind in kinds:
                return message


def follow(gateway: Gateway, *symbols: str, **options: Any) -> Any:
    request = pb.StreamQuotesRequest(symbols=symbols, **options)
    return opened(gateway.demo.market.StreamQuotes(request))


async def test_acknowledges_each_symbol_then_sends_what_moves(gateway: Gateway) -> None:
    async with follow(gateway, "SPY", "AAPL", "/NOSUCHZ6") as call:
        first = await call.read()
        assert first.kind == ACK
        results = {each.requested_symbol: each for each in first.notice.subscriptions}
        assert results["SPY"].streamer_symbol == "SPY"
        assert results["/NOSUCHZ6"].status == stream_pb2.SUBSCRIPTION_STATUS_UNKNOWN
        assert "not found" in results["/NOSUCHZ6"].detail

        seen: dict[str, set[str]] = {}
        while any(len(seen.get(symbol, ())) < 2 for symbol in ("SPY", "AAPL")):
            for quote in (await until(call, *DATA)).quotes:
                seen.setdefault(quote.symbol, set()).add(quote.bid_price)


async def test_a_second_reader_starts_with_a_snapshot(gateway: Gateway) -> None:
    async with follow(gateway, "SPY") as one:
        await until(one, UPDATE)
        async with follow(gateway, "SPY") as two:
            assert (await two.read()).notice.subscriptions[0].status == (
                stream_pb2.SUBSCRIPTION_STATUS_ACCEPTED
            )
            snapshot = await two.read()
            assert snapshot.kind == SNAPSHOT
            assert [quote.symbol for quote in snapshot.quotes] == ["SPY"]


async def test_a_quiet_symbol_still_has_a_pulse(gateway: Gateway) -> None:
    async with follow(gateway, "NOSUCH", heartbeat_interval=1) as call:
        assert (await until(call, HEARTBEAT)).notice.sent_at.seconds > 0


async def test_greeks_are_for_options_only(gateway: Gateway) -> None:
    call = gateway.demo.market.StreamGreeks(pb.StreamGreeksRequest(symbols=["SPY"]))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "is not an option" in failure.value.details()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"symbols": []}, "At least one symbol is required"),
        ({"symbols": ["", "  "]}, "At least one symbol is required"),
        ({"symbols": [f"A{n}" for n in range(51)]}, "Too many symbols: 51 given, 50 allowed."),
        ({"symbols": ["what is this"]}, "Invalid symbol 'what is this'."),
        ({"symbols": ["SPY"], "min_interval": -1}, "Invalid min_interval '-1.0'."),
        ({"symbols": ["SPY"], "min_interval": 1e9}, "Invalid min_interval"),
        ({"symbols": ["SPY"], "min_interval": float("nan")}, "Invalid min_interval"),
        ({"symbols": ["SPY"], "heartbeat_interval": 0.1}, "Invalid heartbeat_interval"),
    ],
)
async def test_bad_input_is_a_plain_status(
    gateway: Gateway, fields: dict[str, Any], words: str
) -> None:
    call = gateway.demo.market.StreamQuotes(pb.StreamQuotesRequest(**fields))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.value.details().startswith(words)


async def test_symbols_given_twice_count_once(gateway: Gateway) -> None:
    async with follow(gateway, *["SPY"] * 200) as call:
        assert len((await call.read()).notice.subscriptions) == 1


async def test_one_stream_too_many_is_refused_with_the_numbers(gateway: Gateway) -> None:
    calls = [
        gateway.demo.market.StreamQuotes(pb.StreamQuotesRequest(symbols=["SPY"])) for _ in range(5)
    ]
    for call in calls:
        await call.read()
    refused = gateway.demo.market.StreamQuotes(pb.StreamQuotesRequest(symbols=["SPY"]))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await refused.read()
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "5 of 5 allowed for this API key" in failure.value.details()

    for call in calls:
        call.cancel()
    await eventually(lambda: not gateway.app.streams.total)
    async with follow(gateway, "SPY") as call:
        assert (await call.read()).kind == ACK


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="drop", path="/dxlink", at="now"),
        Fault(kind="close", path="/dxlink", at="now", code="1012"),
        Fault(kind="error", path="/dxlink", at="FEED_DATA", code="TIMEOUT"),
        Fault(kind="expire-token", path="/dxlink", at="FEED_DATA"),
    ],
    ids=lambda fault: fault.kind,
)
async def test_a_broken_connection_is_told_and_mended(gateway: Gateway, fault: Fault) -> None:
    async with follow(gateway, "SPY", "AAPL", min_interval=0) as call:
        await until(call, UPDATE)
        gateway.sim.faults.add(fault)
        stale = await until(call, STALE)
        assert stale.notice.detail
        assert stale.notice.last_received_at.seconds
        back = await until(call, RECONNECTED)
        assert back.notice.detail.startswith("live again after ")
        snapshot = await call.read()
        assert snapshot.kind == SNAPSHOT
        live = {quote.symbol for quote in snapshot.quotes if not quote.stale}
        assert live == {"SPY", "AAPL"}


async def test_an_error_that_is_only_information_changes_nothing(gateway: Gateway) -> None:
    async with follow(gateway, "SPY", min_interval=0) as call:
        await until(call, UPDATE)
        gateway.sim.faults.add(
            Fault(kind="error", path="/dxlink", at="FEED_DATA", code="INVALID_MESSAGE")
        )
        for _ in range(10):
            assert (await call.read()).kind == UPDATE


async def test_messages_twice_and_out_of_order_do_no_harm(gateway: Gateway) -> None:
    for kind in ("duplicate", "reorder"):
        gateway.sim.faults.add(Fault(kind=kind, path="/dxlink", at="FEED_DATA", count=5))
    async with follow(gateway, "SPY", min_interval=0) as call:
        for _ in range(15):
            message = await until(call, *DATA)
            assert len(message.quotes) == 1


async def test_new_credentials_end_the_streams_of_the_old(gateway: Gateway) -> None:
    key = "a-key-of-my-own-0123456789"
    save = credentials_service_pb2.SaveCredentialsRequest
    mine = gateway.caller(key)
    old = save(api_key=key, client_secret="one", refresh_token="first")
    await gateway.demo.credentials.SaveCredentials(old)
    call = mine.market.StreamQuotes(pb.StreamQuotesRequest(symbols=["SPY"]))
    await until(call, UPDATE)

    new = save(api_key=key, client_secret="two", refresh_token="second")
    await mine.credentials.SaveCredentials(new)
    assert (await until(call, END)).notice.detail
    assert await call.read() is grpc.aio.EOF


async def test_a_revoked_grant_ends_the_stream_with_its_reason(gateway: Gateway) -> None:
    async with follow(gateway, "SPY") as call:
        await until(call, UPDATE)
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
        gateway.sim.faults.add(Fault(kind="drop", path="/dxlink", at="now"))
        failed = await until(call, stream_pb2.STREAM_EVENT_KIND_ERROR)
        assert failed.notice.error.reason == "ERROR_REASON_NOT_A_CUSTOMER"
        assert failed.notice.error.status == 403
        assert (await call.read()).kind == END
        assert await call.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_tenants_have_feeds_of_their_own(gateway: Gateway) -> None:
    key = "another-key-0123456789"
    await gateway.demo.credentials.SaveCredentials(
        credentials_service_pb2.SaveCredentialsRequest(
            api_key=key, client_secret="one", refresh_token="first"
        )
    )
    other = gateway.caller(key).market.StreamQuotes(pb.StreamQuotesRequest(symbols=["SPY"]))
    async with follow(gateway, "SPY", min_interval=0) as mine, opened(other):
        await until(mine, UPDATE)
        await until(other, UPDATE)
        feeds = gateway.app.markets.statistics().feeds
        assert [feed.connections for feed in feeds.values()] == [1, 1]

        assert len(gateway.sim.customers.all()) == 2


async def test_subscriptions_change_while_the_stream_is_open(gateway: Gateway) -> None:
    call = gateway.demo.market.StreamMarketData()

    async def ask(action: int, number: int, *symbols: str, kinds: tuple[int, ...] = ()) -> Any:
        await call.write(
            pb.StreamMarketDataRequest(
                action=action, symbols=symbols, event_types=kinds, request_id=number
            )
        )
        answer = await until(call, ACK)
        assert answer.request_id == number
        return [(each.requested_symbol, each.status) for each in answer.notice.subscriptions]

    quotes_and_trades = (
        subscription_pb2.MARKET_EVENT_TYPE_QUOTE,
        subscription_pb2.MARKET_EVENT_TYPE_TRADE,
    )
    async with opened(call):
        subscribe = subscription_pb2.SUBSCRIPTION_ACTION_SUBSCRIBE
        await ask(subscribe, 1, "SPY")
        assert {quote.symbol for quote in (await until(call, *DATA)).quotes} == {"SPY"}
        answer = await ask(subscribe, 2, "AAPL", "no such thing", kinds=quotes_and_trades)
        assert answer[1] == ("no such thing", stream_pb2.SUBSCRIPTION_STATUS_UNKNOWN)
        traded: set[str] = set()
        while not traded:
            traded |= {trade.symbol for trade in (await until(call, *DATA)).trades}
        assert traded == {"AAPL"}

        unsubscribe = subscription_pb2.SUBSCRIPTION_ACTION_UNSUBSCRIBE
        removed = stream_pb2.SUBSCRIPTION_STATUS_REMOVED
        assert await ask(unsubscribe, 3, "SPY", "QQQ") == [("SPY", removed), ("QQQ", removed)]
        await call.done_writing()
        for _ in range(3):
            assert {quote.symbol for quote in (await until(call, *DATA)).quotes} <= {"AAPL"}


async def test_a_request_that_makes_no_sense_ends_the_stream(gateway: Gateway) -> None:
    call = gateway.demo.market.StreamMarketData()
    await call.write(pb.StreamMarketDataRequest(symbols=["SPY"]))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await until(call, END)
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "action" in failure.value.details()


async def test_a_thousand_streams_closed_leave_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        Simulator(SimulatorSettings(port=0)) as sim,
        open_gateway(sim, tmp_path, clock, streams_per_key=1000) as gateway,
    ):
        tasks = len(asyncio.all_tasks())
        request = pb.StreamQuotesRequest(symbols=["SPY", "AAPL"])
        calls = [gateway.demo.market.StreamQuotes(request) for _ in range(1000)]
        for call in calls:
            assert (await call.read()).kind == ACK
        [hub] = gateway.app.markets.statistics().hubs.values()
        assert (hub.readers, hub.groups, hub.topics) == (1000, 1, 2)

        for call in calls:
            call.cancel()
        await eventually(lambda: not gateway.app.streams.total)
        [hub] = gateway.app.markets.statistics().hubs.values()
        assert (hub.readers, hub.groups, hub.held) == (0, 0, 0)

        assert sim.dxlink.statistics().subscriptions == 4
        await clock.advance(61)
        [hub] = gateway.app.markets.statistics().hubs.values()
        assert hub.topics == 0
        await eventually(lambda: not sim.dxlink.statistics().subscriptions)
        await clock.advance(241)
        await eventually(lambda: not sim.dxlink.statistics().connections)
        [feed] = gateway.app.markets.statistics().feeds.values()
        assert (feed.state, feed.wanted) == ("idle", 0)
        # What is left is the tenant's: its feed and its hub, both asleep, and what runs them.
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks + 3)


async def test_positions_are_valued_live_with_their_sums(gateway: Gateway) -> None:
    request = account_service_pb2.StreamPositionsRequest(account_id="5WT00001", min_interval=0.1)
    async with opened(gateway.demo.accounts.StreamPositions(request)) as call:
        acknowledged = await call.read()
        assert acknowledged.kind == ACK
        first = await until(call, SNAPSHOT)
        known = {each.symbol: each for each in first.positions}
        assert len(known) == len(acknowledged.notice.subscriptions) > 3

        totals = first.totals
        while not totals.HasField("beta_weighted_delta") or any(
            symbol in known for symbol in totals.incomplete_symbols
        ):
            message = await until(call, UPDATE)
            totals = message.totals
            known |= {each.symbol: each for each in message.positions}

        assert {each.price_source for each in known.values()} == {"quote"}
        options = [each for each in known.values() if each.instrument_type == "Equity Option"]
        assert options
        for name in ("delta", "theta"):
            sums = [Decimal(getattr(each, f"position_{name}") or 0) for each in known.values()]
            assert Decimal(getattr(totals, name)) == sum(sums)
        profits = [Decimal(each.unrealized_pnl) for each in known.values()]
        assert Decimal(totals.unrealized_pnl) == sum(profits)


async def test_positions_of_somebody_else_are_not_found(gateway: Gateway) -> None:
    request = account_service_pb2.StreamPositionsRequest(account_id="5WT99999")
    call = gateway.demo.accounts.StreamPositions(request)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
    assert "Available accounts: ['5WT00001', '5WT00002']" in failure.value.details()


async def test_candles_are_history_then_live_without_a_seam(gateway: Gateway) -> None:
    request = pb.StreamCandlesRequest(symbols=["SPY", "NOSUCH"], interval="1m", min_interval=0)
    async with opened(gateway.demo.market.StreamCandles(request)) as call:
        assert (await call.read()).kind == ACK
        history = await until(call, SNAPSHOT)
        times = [candle.time.seconds for candle in history.candles]
        while (message := await until(call, *DATA)).kind != UPDATE:
            times += [candle.time.seconds for candle in message.candles]
        assert len(times) > 30
        assert [b - a for a, b in itertools.pairwise(times)] == [60] * (len(times) - 1)
        for candle in message.candles:
            assert candle.time.seconds - times[-1] in (0, 60)
            low, high = Decimal(candle.low), Decimal(candle.high)
            assert low <= Decimal(candle.open) <= high
            assert low <= Decimal(candle.close) <= high


async def test_candles_come_again_after_a_reconnect_without_repeating_the_history(
    gateway: Gateway,
) -> None:
    request = pb.StreamCandlesRequest(symbols=["SPY"], interval="5m", min_interval=0)
    async with opened(gateway.demo.market.StreamCandles(request)) as call:
        await until(call, UPDATE)
        gateway.sim.faults.add(Fault(kind="drop", path="/dxlink", at="now"))
        await until(call, RECONNECTED)
        for _ in range(5):
            assert len((await until(call, *DATA)).candles) <= 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"interval": "5 minutes"}, "Invalid interval '5 minutes'."),
        ({"interval": "0m"}, "Invalid interval '0m'."),
        ({"start_time": "yesterday"}, "Invalid start_time 'yesterday'."),
        ({"start_time": "2999-01-01"}, "Invalid start_time '2999-01-01'."),
    ],
)
async def test_bad_candles_are_refused(
    gateway: Gateway, fields: dict[str, Any], words: str
) -> None:
    call = gateway.demo.market.StreamCandles(pb.StreamCandlesRequest(symbols=["SPY"], **fields))
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call.read()
    assert failure.value.details().startswith(words)
