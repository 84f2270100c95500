"""Serves the account streamer: notifications about accounts, over WebSocket.

A client sends `connect` first, then `heartbeat` every 2 to 60 seconds, each with its access token
(the word Bearer included). Notifications carry whole objects, never differences. A connection that
is too slow to take them is closed, because a lost order event would be worse than a lost
connection.
"""

from __future__ import annotations

__all__ = ["AccountStreamer", "StreamerStatistics"]

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import WSCloseCode, web

from server.simulator.clock import SimClock
from server.simulator.customers import Customer
from server.simulator.envelope import BrokerError, dumps
from server.simulator.faults import Fault
from server.simulator.oauth import OAuth
from server.simulator.settings import SimulatorSettings
from server.simulator.socket import Socket, SocketClosed, Sockets

MAX_MESSAGE = 1 << 20
OUTBOX_SIZE = 10_000  # notifications that may wait for one client; with more it is too slow
SUBSCRIPTION_KINDS = {
    "public-watchlists-subscribe": "PublicWatchlists",
    "quote-alerts-subscribe": "QuoteAlert",
    "user-message-subscribe": "UserMessage",
}
"""What each subscription other than an account's delivers, by its action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamerStatistics:
    """Counts connections, subscribed accounts and notifications."""

    connections: int
    accounts: int
    """Accounts with at least one listener."""

    published: int
    delivered: int
    closed_slow: int


class AccountStreamer:
    """Serves account notifications to any number of connections."""

    def __init__(
        self,
        settings: SimulatorSettings,
        clock: SimClock,
        oauth: OAuth,
        sockets: Sockets,
    ) -> None:
        self._limit = settings.heartbeat_limit
        self._clock = clock
        self._oauth = oauth
        self._sockets = sockets
        self._connections: set[_Connection] = set()
        self._published = 0
        self._delivered = 0
        self._closed_slow = 0

    def publish(self, account_number: str, kind: str, data: Mapping[str, Any]) -> None:
        """Sends a whole object (`Order`, `CurrentPosition`, …) to the subscribers of an account.

        Never waits. Call it in the order of events: clients receive notifications in the order of
        the calls.
        """
        self._published += 1
        text = self._make_notification(kind, data)
        for connection in tuple(self._connections):
            if account_number in connection.accounts:
                self._enqueue(connection, kind, text)

    def publish_to_all(self, kind: str, data: Mapping[str, Any]) -> None:
        """Sends an object that belongs to no account (`PublicWatchlists`) to its subscribers."""
        self._published += 1
        text = self._make_notification(kind, data)
        for connection in tuple(self._connections):
            if kind in connection.kinds:
                self._enqueue(connection, kind, text)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serves one connection until it ends."""
        async with self._sockets.accept(request, max_message=MAX_MESSAGE) as socket:
            connection = _Connection(socket, self._clock.monotonic())
            self._connections.add(connection)
            try:
                async with asyncio.TaskGroup() as tasks:
                    helpers = [
                        tasks.create_task(self._deliver(connection)),
                        tasks.create_task(self._watch_heartbeat(connection)),
                    ]
                    try:
                        await self._handle_messages(connection)
                    finally:
                        for helper in helpers:
                            helper.cancel()
            finally:
                self._connections.discard(connection)

        return socket.response

    def statistics(self) -> StreamerStatistics:
        return StreamerStatistics(
            connections=len(self._connections),
            accounts=len({number for each in self._connections for number in each.accounts}),
            published=self._published,
            delivered=self._delivered,
            closed_slow=self._closed_slow,
        )

    async def _handle_messages(self, connection: _Connection) -> None:
        socket = connection.socket
        with suppress(SocketClosed):
            while True:
                raw = await socket.receive()
                connection.received_at = self._clock.monotonic()
                answer = self._answer(connection, raw)
                await socket.send(str(answer["action"]), dumps(answer))

    def _answer(self, connection: _Connection, raw: bytes) -> dict[str, Any]:
        try:
            message = orjson.loads(raw)
        except orjson.JSONDecodeError:
            message = None

        if not isinstance(message, dict):
            return {"status": "error", "action": "", "message": "invalid-message"}

        action = str(message.get("action", ""))
        answer: dict[str, Any] = {
            "status": "ok",
            "action": action,
            "web-socket-session-id": connection.id,
        }
        if "value" in message:
            answer["value"] = message["value"]

        if "request-id" in message:
            answer["request-id"] = message["request-id"]

        connection.socket.apply_incoming_fault(action)
        if refusal := self._execute(connection, action, message):
            answer |= {"status": "error", "message": refusal}

        return answer

    def _execute(
        self, connection: _Connection, action: str, message: Mapping[str, Any]
    ) -> str | None:
        # Returns the streamer's error message, or None if the action was carried out.
        try:
            customer = self._oauth.authenticate(str(message.get("auth-token", "")))
        except BrokerError:
            return "invalid-auth-token"

        if connection.token_expired:
            return "invalid-auth-token"

        if connection.customer is not None and connection.customer.id != customer.id:
            return "invalid-auth-token"

        if action == "connect":
            value = message.get("value")
            numbers = [value] if isinstance(value, str) else value
            if not isinstance(numbers, list) or not numbers:
                return "invalid-value"

            if not all(isinstance(each, str) and customer.owns(each) for each in numbers):
                return "not-permitted"

            connection.customer = customer
            connection.socket.customer_id = customer.id
            connection.accounts.update(numbers)
            return None

        if connection.customer is None:
            return "connect-not-completed"

        if action in SUBSCRIPTION_KINDS:
            connection.kinds.add(SUBSCRIPTION_KINDS[action])
            return None

        return None if action == "heartbeat" else "not-implemented"

    def _make_notification(self, kind: str, data: Mapping[str, Any]) -> bytes:
        stamp = int(self._clock.now().timestamp() * 1000)
        return dumps({"type": kind, "data": data, "timestamp": stamp})

    def _enqueue(self, connection: _Connection, kind: str, frame: bytes) -> None:
        try:
            connection.outbox.put_nowait((kind, frame))
        except asyncio.QueueFull:
            self._closed_slow += 1
            self._connections.discard(connection)
            connection.socket.abort()

    async def _deliver(self, connection: _Connection) -> None:
        with suppress(SocketClosed):
            while True:
                kind, frame = await connection.outbox.get()
                await connection.socket.send(kind, frame, data=True)
                self._delivered += 1

    async def _watch_heartbeat(self, connection: _Connection) -> None:
        # Sleeps until the moment at which the silence would be too long, then checks again.
        while True:
            silent = self._clock.monotonic() - connection.received_at
            left = self._limit.total_seconds() - silent
            if left <= 0:
                await connection.socket.close(WSCloseCode.GOING_AWAY, "heartbeat missing")
                return

            await self._clock.sleep(timedelta(seconds=left))


class _Connection:
    """Holds the state of one connection."""

    def __init__(self, socket: Socket, now: float) -> None:
        self.id = secrets.token_hex(4)
        self.socket = socket
        self.customer: Customer | None = None
        self.accounts: set[str] = set()
        self.kinds: set[str] = set()
        self.received_at = now
        self.token_expired = False
        self.outbox: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(OUTBOX_SIZE)
        socket.on_fault = self._apply_fault

    def _apply_fault(self, fault: Fault) -> None:
        if fault.kind == "expire-token":
            self.token_expired = True
        else:
            refusal = {"status": "error", "action": "", "message": fault.message}
            with suppress(asyncio.QueueFull):
                self.outbox.put_nowait(("error", dumps(refusal)))
