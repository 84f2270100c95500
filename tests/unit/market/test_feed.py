"""The feed: whatever the connection does, everything wanted is subscribed again, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

import pytest

from server.brokerage.dxlink_events import ConnectionEnded, Row
from server.errors import BrokerUnavailable, GrantRevoked
from server.market.feed import Feed, FeedState
from server.market.hub import Hub
from server.market.topics import Kind
from tests.clock import ManualClock, settle


class Line:
    """A connection that a test plays the server of."""

    def __init__(self, sink: Callable[[str, Row], None]) -> None:
        self.sink = sink
        self.subscribed: list[tuple[str, str]] = []
        self.messages = 0
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def add(self, event: str, symbols: Sequence[str]) -> None:
        self.messages += 1
        self.subscribed += [(event, symbol) for symbol in symbols]

    async def remove(self, event: str, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            self.subscribed.remove((event, symbol))

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


async def test_a_wish_to_reconnect_is_granted_without_a_pause(at: Fixture) -> None:
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
