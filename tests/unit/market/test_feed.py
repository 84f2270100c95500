"""The feed: whatever the connection does, everything wanted is subscribed again, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from random import Random

import pytest

from server.brokerage.streaming.dxlink_events import ConnectionEnded, Row
from server.errors import BrokerUnavailable, ForbiddenByBroker, GrantRevoked
from server.market.candles import CandleKey
from server.market.feed import Feed, FeedState
from server.market.hub import Hub
from server.market.topics import Kind
from tests.clock import ManualClock, settle


class Line:
    """A connection that a test plays the server of."""

    def __init__(self, sink: Callable[[str, Row], None]) -> None:
        self.sink = sink
        self.subscribed: list[tuple[str, str]] = []
        self.candles: dict[str, int] = {}
        self.messages = 0
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def add(self, event: str, symbols: Sequence[str]) -> None:
        self.messages += 1
        self.subscribed += [(event, symbol) for symbol in symbols]

    async def remove(self, event: str, symbols: Sequence[str]) -> None:
        self.messages += 1
        for symbol in symbols:
            self.subscribed.remove((event, symbol))

    async def add_candles(self, symbols: Mapping[str, int]) -> None:
        self.messages += 1
        for symbol, since in symbols.items():
            self.candles[symbol] = since
            self.subscribed.append(("Candle", symbol))

    def send(self, symbol: str, bid: float) -> None:
        self.sink("Quote", [symbol, bid, bid + 1, 1, 1, 0, 0, "Q", "Q"])


class Fixture:
    """A feed and its hub on a manual clock, with every connection that was opened."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.lines: list[Line] = []
        self.opened_at: list[float] = []
        self.refusals: list[Exception] = []
        self.feed = Feed(self._connect, self.clock, random=Random(1))
        self.hub = Hub(self.feed, self.clock)
        self.feed.attach(self.hub)

    @asynccontextmanager
    async def _connect(self, sink: Callable[[str, Row], None]) -> AsyncIterator[Line]:
        self.opened_at.append(self.clock.monotonic())
        if self.refusals:
            raise self.refusals.pop(0)
        line = Line(sink)
        self.lines.append(line)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live(line))
            yield line

    @staticmethod
    async def _live(line: Line) -> None:
        await line.end

    async def drop(self, cause: str = "gone", *, at_once: bool = False) -> None:
        self.lines[-1].end.set_exception(ConnectionEnded(cause, at_once=at_once))
        await settle()


@pytest.fixture
async def at() -> AsyncIterator[Fixture]:
    fixture = Fixture()
    life = asyncio.create_task(fixture.feed.run())
    yield fixture
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)


async def test_connects_only_when_something_is_wanted(at: Fixture) -> None:
    await at.clock.advance(100)
    assert at.lines == []
    assert at.feed.state is FeedState.IDLE

    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY", "AAPL": "AAPL"}):
        await settle()
        [line] = at.lines
        assert sorted(line.subscribed) == [
            ("Quote", "AAPL"),
            ("Quote", "SPY"),
            ("Trade", "AAPL"),
            ("Trade", "SPY"),
        ]
        assert line.messages == 2


async def test_everything_wanted_is_subscribed_again_exactly_once(at: Fixture) -> None:
    symbols = {f"S{number}": f"S{number}" for number in range(300)}
    async with at.hub.hold(Kind.QUOTES, symbols):
        await settle()
        for _ in range(20):
            await at.drop()
            await at.clock.advance(31)
            assert len(set(at.lines[-1].subscribed)) == len(at.lines[-1].subscribed) == 600
    assert len(at.lines) == 21


async def test_a_server_that_asks_for_a_reconnect_gets_it_without_a_pause(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        at.lines[0].send("SPY", 1)
        await at.drop("closed with code 1012", at_once=True)
        assert at.feed.state is FeedState.WAITING
        await at.clock.advance(0)
        assert len(at.lines) == 2


async def test_failures_slow_the_tries_down_to_half_a_minute(at: Fixture) -> None:
    at.refusals = [BrokerUnavailable("502") for _ in range(60)]
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await at.clock.advance(900)
    pauses = [b - a for a, b in zip(at.opened_at, at.opened_at[1:], strict=False)]
    assert max(pauses) <= 30.0
    assert min(pauses[5:]) >= 1.0
    assert len(at.opened_at) < 120


async def test_only_data_resets_the_backoff(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        for _ in range(6):
            await at.drop()
            await at.clock.advance(31)
        opened = len(at.lines)
        at.lines[-1].send("SPY", 1)
        await at.drop()
        await at.clock.advance(0.5)
        assert len(at.lines) == opened + 1


async def test_a_revoked_grant_is_final(at: Fixture) -> None:
    at.refusals = [GrantRevoked()]
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await at.clock.advance(3600)
        assert len(at.opened_at) == 1
        assert at.feed.state is FeedState.REFUSED
        with pytest.raises(GrantRevoked):
            at.feed.ensure_allowed()


async def test_data_that_stops_altogether_is_stale_until_it_comes_again(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        at.lines[0].send("SPY", 1)
        assert at.hub.live
        await at.clock.advance(31)
        assert not at.hub.live
        at.lines[0].send("SPY", 2)
        assert at.hub.live
        assert len(at.lines) == 1


async def test_symbols_come_and_go_on_an_open_connection(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        async with at.hub.hold(Kind.QUOTES, {"QQQ": "QQQ"}):
            await settle()
            assert ("Quote", "QQQ") in at.lines[0].subscribed
        at.hub.drop_all()
        await settle()
        assert sorted(at.lines[0].subscribed) == [("Quote", "SPY"), ("Trade", "SPY")]


async def test_a_feed_that_meets_the_unforeseen_goes_on(at: Fixture) -> None:
    at.refusals = [KeyError("what is this"), ForbiddenByBroker("not today")]
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await at.clock.advance(60)
        assert len(at.lines) == 1
        assert at.feed.statistics().drops == 2


async def test_data_that_stops_though_the_market_moved_costs_the_connection(at: Fixture) -> None:
    upkeep = asyncio.create_task(at.hub.run())
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        for bid in range(10):
            at.lines[0].send("SPY", bid)
            await at.clock.advance(1)
        await at.clock.advance(15)
        assert at.feed.state is FeedState.MUTE
        await at.clock.advance(15 + 1)
        assert at.feed.statistics().last_cause == "connected, but no data for 30 s"
        assert len(at.lines) == 2

        # The market has closed: the last values come again, and then nothing, all night.
        at.lines[1].send("SPY", 9)
        await at.clock.advance(3600)
        assert len(at.lines) == 2
    upkeep.cancel()
    await asyncio.gather(upkeep, return_exceptions=True)


async def test_a_connection_that_never_delivers_what_is_known_is_given_up(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        at.lines[0].send("SPY", 1)
        await at.drop()
        await at.clock.advance(3600)
        # The first without data, and four more; then its lack proves nothing any more.
        assert len(at.lines) == 6


async def test_a_connection_that_knows_nothing_is_waited_for(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"NOSUCH": "NOSUCH"}):
        await at.clock.advance(3600)
        assert len(at.lines) == 1


async def test_a_connection_that_nobody_needs_is_closed_without_a_word(at: Fixture) -> None:
    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        at.lines[0].send("SPY", 1)
    at.hub.drop_all()
    await at.clock.advance(239)
    assert at.feed.state is FeedState.LIVE
    await at.clock.advance(3)
    assert at.feed.state is FeedState.IDLE
    assert at.feed.statistics().drops == 0
    assert at.hub.status.outage is None

    async with at.hub.hold(Kind.QUOTES, {"SPY": "SPY"}):
        await settle()
        assert len(at.lines) == 2


async def test_the_newest_subscription_does_not_wait_behind_the_others(at: Fixture) -> None:
    many = {f"S{number}": f"S{number}" for number in range(1000)}
    async with at.hub.hold(Kind.TRADES, many), at.hub.hold(Kind.TRADES, {"SPY": "SPY"}):
        await settle()
        [line] = at.lines
        assert line.subscribed[0] == ("Trade", "SPY")
        assert len(line.subscribed) == 1001
        assert line.messages == 6


async def test_candles_that_reach_further_back_are_asked_for_again_and_end_once(
    at: Fixture,
) -> None:
    key = CandleKey("SPY", "5m", extended=True)
    with ExitStack() as held:
        held.enter_context(at.hub.candles.hold(key, "SPY", 2_000))
        await settle()
        [line] = at.lines
        assert line.candles == {key.streamer_symbol: 2_000}
        with at.hub.candles.hold(key, "SPY", 1_000):
            await settle()
            assert line.candles == {key.streamer_symbol: 1_000}
        with at.hub.candles.hold(key, "SPY", 500):
            held.close()  # before the line has heard of it
    line.subscribed.pop()  # asked for twice, which DXLink takes as once
    await settle()
    assert line.subscribed == []
