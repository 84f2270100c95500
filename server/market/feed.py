"""Keeps one tenant's connection to DXLink open and subscribed to what the hub needs.

The SDK's streamer neither reconnects nor notices a mute socket; both happen here. Subscriptions
outlive connections: a new one starts by sending all of them again.
"""

from __future__ import annotations

__all__ = ["Connector", "Feed", "FeedConnection", "FeedState", "FeedStatistics"]

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Protocol

import structlog

from server.brokerage.streaming.dxlink_events import SYMBOLS_A_MESSAGE, ConnectionEnded, Row
from server.clock import Clock
from server.errors import FeedUnavailable, GatewayError, NotACustomer, NotAuthenticated
from server.market.hub import Hub
from server.market.subscription_set import SubscriptionSet
from server.streams.backoff import Backoff

log = structlog.get_logger(__name__)

DATA_SILENCE_S = 15.0
"""A connection that delivers nothing for this long is no longer called live ..."""
MUTE_S = 30.0
"""... and after this it is given up, where there was reason to expect data."""
IDLE_S = 240.0
"""How long a connection that nobody needs is kept, beside the minute that the hub keeps topics:
opening one costs eight round trips, and clients come back."""
PATIENT_TRIES = 5
"""After so many connections without data in a row, the lack of it proves nothing any more."""
TICK = timedelta(seconds=1)


class FeedConnection(Protocol):
    """Sends subscriptions over one open, authorised connection.

    It ends by raising `ConnectionEnded` where it is entered.
    """

    async def add(self, event: str, symbols: Sequence[str]) -> None:
        """Subscribes, in messages small enough for the server and no faster than it likes."""

    async def add_candles(self, symbols: Mapping[str, int]) -> None:
        """Subscribes to candles, each from its epoch milliseconds on."""

    async def remove(self, event: str, symbols: Sequence[str]) -> None:
        """Ends subscriptions."""


Connector = Callable[[Callable[[str, Row], None]], AbstractAsyncContextManager[FeedConnection]]
"""Opens a connection that hands its events to the sink it is given."""


class FeedState(StrEnum):
    """Says what the feed is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    MUTE = "mute"
    """Connected, but without data."""
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatistics:
    """Counts what the feed holds, and what it did since it was opened."""

    state: FeedState
    wanted: int
    subscribed: int
    connections: int
    drops: int
    frames: int
    last_cause: str


class Feed:
    """Supervises the connection.

    `run` is its whole life; `subscribe` and `unsubscribe` may be called at any time, before it too.
    """

    def __init__(self, connector: Connector, clock: Clock, *, random: Random) -> None:
        self._connector = connector
        self._clock = clock
        self._backoff = Backoff(random)
        self._subscriptions = SubscriptionSet()
        self._hub: Hub | None = None
        self._connections = 0
        self._drops = 0
        self._frames = 0
        self._heard_at = 0.0
        self._last_cause = ""
        self.state = FeedState.IDLE
        self.refusal: GatewayError | None = None
        """Why the broker gives this tenant no data; final until the credentials change."""
        self.refused = asyncio.Event()

    def attach(self, hub: Hub) -> None:
        """Names the hub that gets the events; once, before `run`."""
        self._hub = hub

    def subscribe(self, event: str, symbol: str, since: int | None = None) -> None:
        self._subscriptions.subscribe(event, symbol, since)

    def unsubscribe(self, event: str, symbol: str) -> None:
        self._subscriptions.unsubscribe(event, symbol)

    async def run(self) -> None:
        """Connects when there is a subscription, and again after every drop, until cancelled."""
        hub = self._attached()
        while True:
            if not self._subscriptions:
                self.state = FeedState.IDLE
                await self._subscriptions.changed()
                continue

            self.state = FeedState.CONNECTING
            try:
                await self._connected(hub)
            except ConnectionEnded as drop:
                dropped = drop
            except (NotAuthenticated, NotACustomer) as refusal:
                self._refuse(hub, refusal)
                return
            except GatewayError as failure:
                dropped = ConnectionEnded(str(failure))
            except Exception as error:
                # A feed that dies would leave its readers without a word.
                log.exception("feed_failed")
                dropped = ConnectionEnded(f"unforeseen: {type(error).__name__}")

            if not self._subscriptions:
                hub.rest()
                continue

            self._drops += 1
            self._last_cause = dropped.cause
            hub.interrupt(dropped.cause)
            pause = self._backoff.next_pause(at_once=dropped.at_once)
            log.info("feed_dropped", cause=dropped.cause, pause_s=round(pause.total_seconds(), 3))
            self.state = FeedState.WAITING
            await self._clock.sleep(pause)

    def statistics(self) -> FeedStatistics:
        return FeedStatistics(
            state=self.state,
            wanted=len(self._subscriptions),
            subscribed=self._subscriptions.sent,
            connections=self._connections,
            drops=self._drops,
            frames=self._frames,
            last_cause=self._last_cause,
        )

    def ensure_allowed(self) -> None:
        """Raises the broker's refusal, if it gives this tenant no data."""
        if self.refusal is not None:
            raise self.refusal

    @property
    def failure(self) -> GatewayError | None:
        """Why there is no data, if the connection cannot be made or kept."""
        trying_again = self.state is FeedState.CONNECTING and self._last_cause
        if self.state is FeedState.WAITING or trying_again:
            return FeedUnavailable(self._last_cause)
        return self.refusal

    def _attached(self) -> Hub:
        if self._hub is None:
            raise RuntimeError("attach a hub before running its feed")
        return self._hub

    async def _connected(self, hub: Hub) -> None:
        """Runs one connection; always ends with an exception."""
        try:
            async with self._connector(self._take) as connection:
                self._connections += 1
                self._subscriptions.begin_anew()
                hub.connected()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._keep_subscribed(connection))
                    tasks.create_task(self._watch(hub))
        except ExceptionGroup as group:
            # The pump, the subscriber and the SDK's own tasks fail together; one cause is enough.
            raise _cause(group) from group
        finally:
            self._subscriptions.end()
        raise ConnectionEnded("the connection ended")

    def _take(self, event: str, flat: Row) -> None:
        hub = self._attached()
        self._frames += 1
        self._heard_at = self._clock.monotonic()
        if self.state is not FeedState.LIVE:
            # Only data proves that the connection is worth something; an open socket does not.
            self.state = FeedState.LIVE
            self._backoff.reset()
            hub.resume()
        hub.publish(event, flat)

    async def _keep_subscribed(self, connection: FeedConnection) -> None:
        while True:
            await self._subscriptions.changed()
            # One turn of the loop, so that a stream of 500 symbols becomes one piece of work.
            await asyncio.sleep(0)
            while diff := self._subscriptions.next_diff(SYMBOLS_A_MESSAGE):
                for event, symbols in diff.removed.items():
                    await connection.remove(event, symbols)
                for event, symbols in diff.added.items():
                    await connection.add(event, symbols)
                if diff.candles:
                    await connection.add_candles(diff.candles)

    async def _watch(self, hub: Hub) -> None:
        """Reports data as stale when it stops, and ends a connection that is mute or not needed.

        The connection itself notices a server that sends no keepalives; this is about one that
        sends keepalives and nothing else.
        """
        self._heard_at = needed_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(TICK)
            now = self._clock.monotonic()
            if not self._subscriptions:
                if now - needed_at >= IDLE_S:
                    raise ConnectionEnded("nobody needs it")
                self._heard_at = now  # who is asked for nothing is not silent
                continue

            needed_at = now
            silence = now - self._heard_at
            if silence >= DATA_SILENCE_S and self.state is FeedState.LIVE:
                self.state = FeedState.MUTE
                hub.interrupt(f"no data for {silence:.0f} s")
            if silence >= MUTE_S and self._expects_data(hub):
                raise ConnectionEnded(f"connected, but no data for {silence:.0f} s")

    def _expects_data(self, hub: Hub) -> bool:
        if self.state is FeedState.MUTE:
            return hub.is_lively
        # Of a symbol that it knows, DXLink sends the current value at once.
        return hub.knows_something and self._backoff.failures < PATIENT_TRIES

    def _refuse(self, hub: Hub, refusal: GatewayError) -> None:
        self.state = FeedState.REFUSED
        self.refusal = refusal
        self._last_cause = refusal.reason
        self.refused.set()
        hub.interrupt(str(refusal))
        log.warning("feed_refused", reason=refusal.reason)


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """Returns the failure that explains the others, or the group where none of ours is in it."""
    for family in (GatewayError, ConnectionEnded):
        found: BaseException | None = group.subgroup(family)
        while isinstance(found, ExceptionGroup):
            found = found.exceptions[0]
        if isinstance(found, family):
            return found

    return group
