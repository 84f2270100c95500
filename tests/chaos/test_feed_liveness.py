"""A connection that is open and no good: mute, half-open, about to lose its token, not needed.

Time is moved by hand; the sockets are real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from server.market.topics import Kind
from tests.clock import ManualClock
from tests.dxlink import open_feed
from tests.waiting import eventually

SPY = {"SPY": "SPY"}


class JumpingClock(ManualClock):
    """Passes over hours without waking whoever looks every second for each of them."""

    async def jump(self, hours: float) -> None:
        self._elapsed += 3600 * hours
        await self.advance(1)


async def soon(clock: ManualClock, condition: Callable[[], object]) -> None:
    """As `eventually`, while the clock creeps on: sockets take real time, pauses the clock's."""
    async with asyncio.timeout(10):
        while not condition():
            await clock.advance(0.01)
            await asyncio.sleep(0.001)


async def test_silence_is_noticed_by_what_the_server_promised() -> None:
    """It sends data once, then neither data nor keepalives, and never closes."""
    clock = ManualClock()
    async with (
        open_feed(clock=clock) as (feed, hub, server),
        hub.hold(Kind.QUOTES, SPY) as [spy],
    ):
        await eventually(lambda: hub.live)
        await clock.advance(14)
        assert not spy.stale
        await clock.advance(2)
        assert spy.stale
        assert hub.status.outage is not None

        await clock.advance(60 - 16)
        assert feed.statistics().drops == 0
        await clock.advance(2)
        await soon(clock, lambda: len(server.lines) == 2 and not spy.stale)
        assert feed.statistics().last_cause == "mute for 62 s"


async def test_a_server_may_promise_to_speak_more_often() -> None:
    clock = ManualClock()
    async with open_feed(clock=clock) as (feed, hub, server):
        server.keepalive_s = 5
        async with hub.hold(Kind.QUOTES, SPY):
            await eventually(lambda: hub.live)
            await clock.advance(7.1)
            await soon(clock, lambda: len(server.lines) == 2)
            assert feed.statistics().last_cause == "mute for 7 s"


async def test_a_connection_is_renewed_before_its_token_ends() -> None:
    clock = JumpingClock()
    async with open_feed(clock=clock) as (feed, hub, server):
        server.keepalive_s = 1e9
        async with hub.hold(Kind.QUOTES, SPY) as [spy]:
            await eventually(lambda: hub.live)
            await clock.jump(22.9)
            assert len(server.lines) == 1
            await clock.jump(0.2)
            await soon(clock, lambda: len(server.lines) == 2 and not spy.stale)
            assert server.tokens == 2
            assert feed.statistics().last_cause == "the quote token is about to expire"


async def test_a_token_that_ends_sooner_is_renewed_sooner() -> None:
    clock = JumpingClock()
    async with open_feed(clock=clock) as (_, hub, server):
        server.keepalive_s = 1e9
        server.token_life = timedelta(hours=1)
        async with hub.hold(Kind.QUOTES, SPY):
            await eventually(lambda: hub.live)
            await clock.jump(57 / 60)
            assert server.tokens == 1
            await clock.jump(1 / 60)
            await soon(clock, lambda: server.tokens == 2)


async def test_a_connection_that_nobody_needs_is_closed_at_the_server_too() -> None:
    clock = ManualClock()
    async with open_feed(clock=clock) as (feed, hub, server):
        server.keepalive_s = 1e9
        async with hub.hold(Kind.QUOTES, SPY):
            await eventually(lambda: hub.live)
        await clock.advance(61)
        await eventually(lambda: not +server.lines[0].subscribed)
        await clock.advance(241)
        await eventually(lambda: not server.open)
        assert feed.statistics().wanted == 0
