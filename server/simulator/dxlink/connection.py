"""Serves one dxLink connection: SETUP, AUTH, channels, keepalives and data.

The order is strict: SETUP comes first and AUTH next. A message that comes too early ends the
connection; a message that is merely wrong is answered with an ERROR.
"""

from __future__ import annotations

__all__ = ["Connection"]

import asyncio
import math
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from server.simulator.clock import SimClock
from server.simulator.dxlink import messages
from server.simulator.dxlink.channel import CONTRACTS, FeedChannel, Frame
from server.simulator.dxlink.liveness import Liveness
from server.simulator.dxlink.messages import (
    BadAction,
    InvalidMessage,
    ProtocolError,
    Unauthorized,
    UnsupportedProtocol,
)
from server.simulator.faults import Fault
from server.simulator.market import Market
from server.simulator.oauth import OAuth
from server.simulator.settings import SimulatorSettings
from server.simulator.socket import Socket, SocketClosed

AUTH_TRIES = 3  # after so many refused tokens the connection is closed
MAX_CHANNELS = 100
MAX_SUBSCRIPTIONS = 100_000
NORMAL, POLICY, RESTART = 1000, 1008, 1012


class Connection:
    """Runs the protocol with one client until either side ends the connection."""

    def __init__(
        self,
        socket: Socket,
        settings: SimulatorSettings,
        clock: SimClock,
        oauth: OAuth,
        market: Market,
    ) -> None:
        self._socket = socket
        self._settings = settings
        self._clock = clock
        self._oauth = oauth
        self._market = market
        self._channels: dict[int, FeedChannel] = {}
        self._set_up = False
        self._authorized_until: float | None = None
        self._refused = 0
        self._liveness = Liveness(clock)
        self._wake = asyncio.Event()
        self._urgent: deque[Frame] = deque()
        self._closed_channel_events = 0
        socket.on_fault = self._apply_fault

    @property
    def channels(self) -> int:
        return len(self._channels)

    @property
    def subscriptions(self) -> int:
        return sum(channel.subscriptions for channel in self._channels.values())

    @property
    def events_sent(self) -> int:
        return self._closed_channel_events + sum(
            each.events_sent for each in self._channels.values()
        )

    async def run(self) -> None:
        """Runs the connection; returns when it has ended and no task is left."""
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self._pump(tasks)),
                tasks.create_task(self._watch_deadlines()),
            ]
            try:
                with suppress(SocketClosed):
                    while True:
                        await self._handle(await self._socket.receive())
            finally:
                for helper in helpers:
                    helper.cancel()

    async def _handle(self, raw: bytes) -> None:
        self._liveness.record_received()
        try:
            message = messages.parse(raw)
            self._socket.apply_incoming_fault(message["type"])
            await self._dispatch(message)
        except ProtocolError as mistake:
            await self._send(
                "ERROR", messages.error(mistake.type, mistake.message, mistake.channel)
            )
            if isinstance(mistake, UnsupportedProtocol | Unauthorized):
                await self._socket.close(POLICY, mistake.message)

    async def _dispatch(self, message: dict[str, Any]) -> None:
        kind, channel = message["type"], message["channel"]
        if kind == "SETUP":
            await self._setup(message)
        elif not self._set_up:
            raise Unauthorized("SETUP comes first")
        elif kind == "KEEPALIVE":
            pass
        elif kind == "AUTH":
            await self._auth(message)
        elif kind == "ERROR":
            pass  # errors are for information only, in both directions
        elif self._authorized_until is None:
            raise Unauthorized("AUTH comes before any channel", channel=channel)
        elif channel == 0:
            raise BadAction(f"{kind} does not belong to the main channel")
        elif kind == "CHANNEL_REQUEST":
            await self._open(channel, message)
        else:
            await self._dispatch_to_channel(kind, channel, message)

    async def _dispatch_to_channel(self, kind: str, channel: int, message: dict[str, Any]) -> None:
        feed = self._channels.get(channel)
        if feed is None:
            raise BadAction("The channel is not open", channel=channel)

        if kind == "FEED_SETUP":
            await self._send("FEED_CONFIG", feed.configure(message))
        elif kind == "FEED_SUBSCRIPTION":
            added = messages.read_subscriptions(message, "add")
            if self.subscriptions + len(added) > MAX_SUBSCRIPTIONS:
                raise BadAction(f"More than {MAX_SUBSCRIPTIONS} subscriptions", channel=channel)

            feed.subscribe(message)
            self._wake.set()
        elif kind == "CHANNEL_CANCEL":
            self._closed_channel_events += feed.events_sent
            del self._channels[channel]
            await self._send("CHANNEL_CLOSED", messages.channel_closed(channel))
        else:
            raise BadAction(f"{kind} is not understood", channel=channel)

    async def _setup(self, message: dict[str, Any]) -> None:
        if self._set_up:
            raise BadAction("SETUP comes once")

        version = message.get("version")
        if not isinstance(version, str) or not re.match(r"(0\.1|1\.[0-9]+)([^0-9.]|\.|$)", version):
            raise UnsupportedProtocol(f"Version {version} is not supported; 0.1 and 1.0 are")

        ours, theirs = self._liveness.negotiate(
            messages.read_number(message, "keepaliveTimeout"),
            messages.read_number(message, "acceptKeepaliveTimeout"),
        )
        self._set_up = True
        await self._send("SETUP", messages.setup(ours, theirs))
        await self._send("AUTH_STATE", messages.auth_state(None))

    async def _auth(self, message: dict[str, Any]) -> None:
        found = self._oauth.find_quote_customer(message.get("token"))
        if found is None:
            self._authorized_until = None
            self._refused += 1
            await self._send("AUTH_STATE", messages.auth_state(None))
            if self._refused >= AUTH_TRIES:
                raise Unauthorized("The token was refused")

            return

        customer, expires_at = found
        left = expires_at - self._clock.now()
        self._refused = 0
        self._authorized_until = self._clock.monotonic() + left.total_seconds()
        self._socket.customer_id = customer.id
        await self._send("AUTH_STATE", messages.auth_state(customer.user_id))
        self._wake.set()

    async def _open(self, channel: int, message: dict[str, Any]) -> None:
        parameters = message.get("parameters")
        contract = parameters.get("contract") if isinstance(parameters, dict) else None
        if channel % 2 == 0:
            raise BadAction("Clients open odd channels", channel=channel)

        if channel in self._channels:
            raise BadAction("The channel is already open", channel=channel)

        if message.get("service") != "FEED":
            raise BadAction("Only the FEED service is served here", channel=channel)

        if contract not in CONTRACTS:
            raise InvalidMessage(f"contract is one of {', '.join(CONTRACTS)}", channel=channel)

        if len(self._channels) >= MAX_CHANNELS:
            raise BadAction(f"More than {MAX_CHANNELS} channels", channel=channel)

        self._channels[channel] = FeedChannel(
            channel,
            contract,
            self._market,
            min_period=self._settings.min_aggregation.total_seconds(),
            auto_candle_history=self._settings.auto_candle_history,
        )
        granted = {"contract": contract, "subFormat": "LIST"}
        await self._send("CHANNEL_OPENED", messages.channel_opened(channel, "FEED", granted))

    async def _pump(self, tasks: asyncio.TaskGroup) -> None:
        # One task sends all data of the connection. Its next round begins when the client has taken
        # the last one, so a slow client gets fewer and newer values, and no queue grows.
        with suppress(SocketClosed):
            while True:
                while self._urgent:
                    await self._send(*self._urgent.popleft())

                pause = await self._send_due()
                timer = tasks.create_task(self._clock.sleep(timedelta(seconds=pause)))
                timer.add_done_callback(self._on_timer_end)
                try:
                    await self._wake.wait()
                finally:
                    timer.cancel()
                    self._wake.clear()

    def _on_timer_end(self, timer: asyncio.Task[None]) -> None:
        # The timer is cancelled after something else has woken the pump. A cancelled timer must not
        # wake it again, or the pump would cancel its next timer too and never pause.
        if not timer.cancelled():
            self._wake.set()

    async def _send_due(self) -> float:
        # Sends what is due; returns the seconds until something is due again.
        if self._authorized_until is None:
            return self._liveness.send_interval

        for channel in tuple(self._channels.values()):
            if channel.has_new:
                await self._send_frames(channel, channel.first_frames(self._clock.now()))

            now = self._clock.monotonic()
            if channel.subscriptions and channel.due_at <= now:
                # Keeps a fixed period, unless the client was so slow that periods were missed.
                on_beat = channel.due_at + channel.period
                channel.due_at = on_beat if on_beat > now else now + channel.period
                await self._send_frames(channel, channel.update_frames(self._clock.now()))

        now = self._clock.monotonic()
        due = [each.due_at for each in self._channels.values() if each.subscriptions]
        return max(min(due) - now, 0.0) if due else self._liveness.send_interval

    async def _send_frames(self, channel: FeedChannel, frames: Iterator[Frame]) -> None:
        for kind, frame in frames:
            if channel.number not in self._channels:
                return  # the channel was cancelled while the client was slow

            await self._send(kind, frame, data=kind == "FEED_DATA")
            # Sending may not suspend, and making the next frame takes time: let other tasks run.
            await asyncio.sleep(0)

    async def _watch_deadlines(self) -> None:
        # Handles time-outs, restarts, token expiry and keepalives; sleeps until the earliest of
        # them.
        liveness, restart = self._liveness, self._settings.feed_restart
        with suppress(SocketClosed):
            while True:
                if liveness.client_timed_out:
                    silence = f"Nothing was heard for {liveness.receive_timeout:g} seconds"
                    await self._send("ERROR", messages.error("TIMEOUT", silence))
                    await self._socket.close(NORMAL, "timeout")
                    return

                if restart is not None and liveness.age >= restart.total_seconds():
                    await self._socket.close(RESTART, "Reconnection is required")
                    return

                if self._clock.monotonic() >= (self._authorized_until or math.inf):
                    self._authorized_until = None
                    await self._send("AUTH_STATE", messages.auth_state(None))

                if liveness.keepalive_is_due:
                    await self._send("KEEPALIVE", messages.KEEPALIVE)

                await self._clock.sleep(timedelta(seconds=self._seconds_to_deadline()))

    def _seconds_to_deadline(self) -> float:
        deadlines = [self._liveness.next_deadline, self._authorized_until or math.inf]
        if (restart := self._settings.feed_restart) is not None:
            deadlines.append(self._liveness.opened_at + restart.total_seconds())

        # At most a second: SETUP and AUTH may bring a deadline that is earlier than the current
        # sleep.
        return min(max(min(deadlines) - self._clock.monotonic(), 0.001), 1.0)

    def _apply_fault(self, fault: Fault) -> None:
        if fault.kind == "expire-token":
            # The same token still works if the client sends it again; expire the token to refuse
            # it, too.
            self._authorized_until = None
            self._urgent.append(("AUTH_STATE", messages.auth_state(None)))
        else:
            kind = fault.code or "UNKNOWN"
            self._urgent.append(("ERROR", messages.error(kind, fault.message)))

        self._wake.set()

    async def _send(self, kind: str, frame: bytes, *, data: bool = False) -> None:
        await self._socket.send(kind, frame, data=data)
        self._liveness.record_sent()
