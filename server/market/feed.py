"""Keeps one tenant's connection to DXLink open, and its subscriptions the way the hub wants them.

The SDK's streamer neither reconnects nor notices a mute socket; both happen here. What is wanted
survives every connection: a new one starts by subscribing all of it again.
"""

from __future__ import annotations

__all__ = ["Connection", "Connector", "Feed", "FeedState", "FeedStatistics"]

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Protocol

import structlog

from server.brokerage.dxlink_events import ConnectionEnded, Row
from server.clock import Clock
from server.errors import FeedUnavailable, GatewayError, NotAllowed, NotAuthenticated
from server.market.backoff import Backoff
from server.market.hub import Hub

log = structlog.get_logger(__name__)


class Connection(Protocol):
    """One open, authorised connection; it ends by raising `ConnectionEnded` where it is entered."""

    async def add(self, event: str, symbols: Sequence[str]) -> None:
        """Subscribes, in messages small enough for the server and no faster than it likes."""

    async def add_candles(self, symbols: Mapping[str, int]) -> None:
        """Subscribes to candles, each from its epoch milliseconds on."""

    async def remove(self, event: str, symbols: Sequence[str]) -> None:
        """Ends subscriptions."""


Connector = Callable[[Callable[[str, Row], None]], AbstractAsyncContextManager[Connection]]
"""Opens a connection that hands its events to the sink it is given."""


class FeedState(StrEnum):
    """What the feed is doing."""

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatistics:
    """What the feed holds and did since it was opened."""

    state: FeedState
    wanted: int
    subscribed: int
    connections: int
    drops: int
    frames: int
    last_cause: str


class Feed:
    """The supervised connection.

    `run` is its whole life; `want` and `unwant` may be called at any time, before it too.
    """

    def __init__(
        self,
        connector: Connector,
        clock: Clock,
        *,
        random: Random,
        data_silence: timedelta = timedelta(seconds=15),
    ) -> None:
        self._connector = connector
        self._clock = clock
        self._backoff = Backoff(random)
        self._data_silence = data_silence
        self._wanted: dict[tuple[str, str], int | None] = {}
        self._pending: dict[tuple[str, str], bool] = {}
        self._subscribed: set[tuple[str, str]] = set()
        self._work = asyncio.Event()
        self._hub: Hub | None = None
        self._connections = 0
        self._drops = 0
        self._frames = 0
        self._last_cause = ""
        self.state = FeedState.IDLE
        self.refusal: GatewayError | None = None
        """Why the broker gives this tenant no data; final until the credentials change."""
        self.refused = asyncio.Event()

    def attach(self, hub: Hub) -> None:
        """Names the hub that gets the events; once, before `run`."""
        self._hub = hub

    # --- what the hub calls

    def want(self, event: str, symbol: str, since: int | None = None) -> None:
        self._wanted[event, symbol] = since
        self._pending[event, symbol] = True
        if since is not None:
            # Asked for again on purpose: the history is to begin earlier.
            self._subscribed.discard((event, symbol))
        self._work.set()

    def unwant(self, event: str, symbol: str) -> None:
        self._wanted.pop((event, symbol), None)
        self._pending[event, symbol] = False
        self._work.set()

    # --- life

    async def run(self) -> None:
        """Connects when something is wanted, and again after every drop, until cancelled."""
        hub = self._attached()
        while True:
            if not self._wanted:
                self.state = FeedState.IDLE
                await self._work.wait()
                self._work.clear()
                continue

            self.state = FeedState.CONNECTING
            try:
                await self._connected(hub)
            except ConnectionEnded as drop:
                dropped = drop
            except (NotAuthenticated, NotAllowed) as refusal:
                self._refuse(hub, refusal)
                return
            except GatewayError as failure:
                dropped = ConnectionEnded(str(failure))

            self._drops += 1
            self._last_cause = dropped.cause
            self._subscribed.clear()
            hub.set_live(False, dropped.cause)
            pause = self._backoff.next_pause(at_once=dropped.at_once)
            log.info("feed_dropped", cause=dropped.cause, pause_s=round(pause.total_seconds(), 3))
            self.state = FeedState.WAITING
            await self._clock.sleep(pause)

    def statistics(self) -> FeedStatistics:
        return FeedStatistics(
            state=self.state,
            wanted=len(self._wanted),
            subscribed=len(self._subscribed),
            connections=self._connections,
            drops=self._drops,
            frames=self._frames,
            last_cause=self._last_cause,
        )

    def ensure_allowed(self) -> None:
        """Raises what the broker said, when it refuses this tenant any data."""
        if self.refusal is not None:
            raise self.refusal

    # --- inside

    def _attached(self) -> Hub:
        if self._hub is None:
            raise RuntimeError("attach a hub before running its feed")
        return self._hub

    async def _connected(self, hub: Hub) -> None:
        """Lives through one connection; always ends with an exception."""
        try:
            async with self._connector(self._take) as connection:
                self._connections += 1
                self._pending = dict.fromkeys(self._wanted, True)
                self._work.set()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._keep_subscribed(connection))
                    tasks.create_task(self._watch_silence(hub))
        except ExceptionGroup as group:
            # The pump, the subscriber and the SDK's own tasks fail together; one cause is enough.
            raise _cause(group) from group
        raise ConnectionEnded("the connection ended")

    def _take(self, event: str, flat: Row) -> None:
        hub = self._attached()
        self._frames += 1
        if self.state is not FeedState.LIVE:
            # Only data proves that the connection is worth something; an open socket does not.
            self.state = FeedState.LIVE
            self._backoff.reset()
            hub.set_live(True, "connected" if self._connections == 1 else "reconnected")
        hub.publish(event, flat)

    async def _keep_subscribed(self, connection: Connection) -> None:
        while True:
            await self._work.wait()
            # One turn of the loop, so that a stream of 500 symbols becomes one piece of work.
            await asyncio.sleep(0)
            self._work.clear()
            pending, self._pending = self._pending, {}
            added: dict[str, list[str]] = {}
            removed: dict[str, list[str]] = {}
            for (event, symbol), wanted in pending.items():
                if wanted and (event, symbol) not in self._subscribed:
                    added.setdefault(event, []).append(symbol)
                elif not wanted and (event, symbol) in self._subscribed:
                    removed.setdefault(event, []).append(symbol)

            for event, symbols in removed.items():
                self._subscribed.difference_update((event, symbol) for symbol in symbols)
                await connection.remove(event, symbols)
            for event, symbols in added.items():
                self._subscribed.update((event, symbol) for symbol in symbols)
                if event == "Candle":
                    since = {symbol: self._wanted.get((event, symbol)) or 0 for symbol in symbols}
                    await connection.add_candles(since)
                else:
                    await connection.add(event, symbols)

    async def _watch_silence(self, hub: Hub) -> None:
        """Calls data stale when a connection that has delivered stops delivering at all."""
        frames = self._frames
        while True:
            await self._clock.sleep(self._data_silence)
            if self._frames == frames and self.state is FeedState.LIVE and self._wanted:
                self.state = FeedState.CONNECTING
                hub.set_live(False, f"no data for {self._data_silence.total_seconds():g} s")
            frames = self._frames

    def _refuse(self, hub: Hub, refusal: GatewayError) -> None:
        self.state = FeedState.REFUSED
        self.refusal = refusal
        self._last_cause = refusal.reason
        hub.set_live(False, str(refusal))
        self.refused.set()
        hub.wake_all()
        log.warning("feed_refused", reason=refusal.reason)


def unavailable(feed: Feed) -> GatewayError:
    """Returns the error for a caller that got nothing because the feed is not connected."""
    return feed.refusal or FeedUnavailable(feed.statistics().last_cause or "connecting")


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """Returns the failure that explains the others, or the group where none of ours is in it."""
    for family in (GatewayError, ConnectionEnded):
        found: BaseException | None = group.subgroup(family)
        while isinstance(found, ExceptionGroup):
            found = found.exceptions[0]
        if isinstance(found, family):
            return found

    return group
