"""Wraps one WebSocket connection of a client, with emulated latency and faults.

Frames are sent in the order of the calls, one at a time, and a call returns only when the client
has taken what was sent: a sender to a client that does not read waits, and queues nothing.
"""

from __future__ import annotations

__all__ = ["Socket", "SocketClosed", "Sockets"]

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import WSCloseCode, WSMsgType, web

from server.simulator.clock import SimClock
from server.simulator.faults import SOCKET_KINDS, Fault, Faults
from server.simulator.settings import SimulatorSettings

CLOSE_WAIT_S = 1.0  # a client that does not answer a close frame is cut off after it (real seconds)
DELAYED_FRAMES = 256  # frames that latency may hold back; a sender beyond them waits
POLL_S = 0.1  # how often a half-open connection checks whether the client has gone (real seconds)


class SocketClosed(ConnectionError):
    """Tells that the connection has ended, from whichever side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketsStatistics:
    """Counts connections, frames and bytes."""

    open: int
    accepted: int
    frames_out: int
    bytes_out: int


class Sockets:
    """Keeps all open WebSocket connections; applies latency, faults and shutdown to them."""

    def __init__(self, settings: SimulatorSettings, clock: SimClock, faults: Faults) -> None:
        self.clock = clock
        self.faults = faults
        self.latency = settings.latency
        self._open: set[Socket] = set()
        self._accepted = 0
        self.frames_out = 0
        self.bytes_out = 0

    @asynccontextmanager
    async def accept(self, request: web.Request, *, max_message: int) -> AsyncIterator[Socket]:
        """Upgrades a request and yields its connection, which is closed at the end of the block."""
        # No compression: it would cost more than all other work of the feed.
        response = web.WebSocketResponse(
            timeout=CLOSE_WAIT_S, autoping=False, compress=False, max_msg_size=max_message
        )
        await response.prepare(request)
        async with asyncio.TaskGroup() as tasks:
            socket = Socket(self, request, response, tasks)
            self._open.add(socket)
            self._accepted += 1
            detach = self.faults.attach(socket.apply_now_fault)
            wire = tasks.create_task(socket.write_delayed()) if self.latency else None
            try:
                yield socket
            except SocketClosed:
                pass
            finally:
                detach()
                self._open.discard(socket)
                await socket.close(WSCloseCode.GOING_AWAY)
                if wire is not None:
                    wire.cancel()

    async def close_all(self) -> None:
        """Closes every connection with 1001, as a stopping server does."""
        await asyncio.gather(*(each.close(WSCloseCode.GOING_AWAY) for each in tuple(self._open)))

    def statistics(self) -> SocketsStatistics:
        return SocketsStatistics(
            open=len(self._open),
            accepted=self._accepted,
            frames_out=self.frames_out,
            bytes_out=self.bytes_out,
        )


class Socket:
    """Sends and receives the messages of one connection."""

    def __init__(
        self,
        sockets: Sockets,
        request: web.Request,
        response: web.WebSocketResponse,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.response = response
        self.path = request.path
        self.customer_id = ""
        """Set by the protocol once the customer is known; a fault may be for one customer only."""

        self.on_fault: Callable[[Fault], None] = lambda _: None
        """Carries out `error` and `expire-token` faults in the protocol; set by the protocol."""

        self._sockets = sockets
        self._request = request
        self._tasks = tasks
        self._send_lock = asyncio.Lock()
        self._delayed: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(DELAYED_FRAMES)
        self._held_back: bytes | None = None
        self._mute = False
        self._mute_data = False
        self._half_open = False

    async def receive(self) -> bytes:
        """Returns the next text message; raises SocketClosed when the connection has ended."""
        while True:
            if self._half_open:
                await self._wait_until_gone()

            message = await self.response.receive()
            if self._half_open:
                continue

            if message.type is WSMsgType.TEXT:
                return message.data.encode() if isinstance(message.data, str) else message.data

            if message.type is WSMsgType.BINARY:
                return bytes(message.data)

            if message.type is WSMsgType.PING:
                if not self._mute:
                    await self.response.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                raise SocketClosed

    def apply_incoming_fault(self, kind: str) -> None:
        """Applies a fault to an incoming message of a type that the protocol has read."""
        faults = self._sockets.faults
        if faults and (
            fault := faults.take(SOCKET_KINDS, self.path, at=kind, customer=self.customer_id)
        ):
            self._apply_fault(fault)

    async def send(self, kind: str, frame: bytes, *, data: bool = False) -> None:
        """Sends one text frame; `data` marks frames that `mute-data` suppresses.

        Returns when the client has room for more. A cancelled call may have sent the frame.
        """
        async with self._send_lock:
            fault = self._take_fault(kind)
            if self._mute or (data and self._mute_data):
                return

            if fault is not None and fault.kind == "slow":
                await self._sockets.clock.sleep(fault.delay)

            if fault is not None and fault.kind == "reorder" and self._held_back is None:
                self._held_back = frame
                return

            await self._transmit(frame)
            if fault is not None and fault.kind == "duplicate":
                await self._transmit(frame)

            if self._held_back is not None:
                held, self._held_back = self._held_back, None
                await self._transmit(held)

    async def close(self, code: int, reason: str = "") -> None:
        """Closes with a close frame; cuts the connection if the client does not answer it."""
        if self.response.closed:
            return

        if self._mute:
            self.abort()
            return

        # A client that does not read does not take the close frame either.
        try:
            async with asyncio.timeout(CLOSE_WAIT_S):
                await self.response.close(code=code, message=reason.encode()[:120])
        except (TimeoutError, ConnectionError):
            self.abort()

        if self.response.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            self.abort()

    def abort(self) -> None:
        """Cuts the TCP connection."""
        if (transport := self._request.transport) is not None:
            transport.abort()

    def apply_now_fault(self, fault: Fault) -> bool:
        """Applies a fault with `at` "now" if it matches; returns whether it did."""
        if not fault.matches(self.path, at="now", customer=self.customer_id):
            return False

        self._apply_fault(fault)
        return True

    async def write_delayed(self) -> None:
        """Writes frames when their emulated latency is over; runs as long as the connection."""
        clock = self._sockets.clock
        while True:
            due, frame = await self._delayed.get()
            wait = due - clock.monotonic()
            if wait > 0:
                await clock.sleep(timedelta(seconds=wait))

            try:
                await self._write(frame)
            except SocketClosed:
                return

    async def _transmit(self, frame: bytes) -> None:
        if self._sockets.latency:
            due = self._sockets.clock.monotonic() + self._sockets.latency.total_seconds()
            await self._delayed.put((due, frame))
        else:
            await self._write(frame)

    async def _write(self, frame: bytes) -> None:
        if self.response.closed:
            raise SocketClosed

        try:
            await self.response.send_frame(frame, WSMsgType.TEXT)
        except ConnectionError as error:
            raise SocketClosed from error

        self._sockets.frames_out += 1
        self._sockets.bytes_out += len(frame)

    def _take_fault(self, kind: str) -> Fault | None:
        # Returns a fault of this one message for the sender; applies one of the whole connection
        # itself.
        faults = self._sockets.faults
        if not faults:
            return None

        fault = faults.take(SOCKET_KINDS, self.path, at=kind, customer=self.customer_id)
        if fault is None or fault.kind in ("slow", "reorder", "duplicate"):
            return fault

        self._apply_fault(fault)
        if fault.kind in ("drop", "close"):
            raise SocketClosed

        return None

    def _apply_fault(self, fault: Fault) -> None:
        if fault.kind == "drop":
            self.abort()
        elif fault.kind == "close":
            self._tasks.create_task(self.close(int(fault.code or 1012), fault.message))
        elif fault.kind == "mute":
            self._mute = True
        elif fault.kind == "mute-data":
            self._mute_data = True
        elif fault.kind == "half-open":
            self._mute = self._half_open = True
        elif fault.kind in ("error", "expire-token"):
            self.on_fault(fault)

    async def _wait_until_gone(self) -> None:
        # Nothing reads the connection, so no event tells that the client has gone.
        def gone() -> bool:
            transport = self._request.transport
            return transport is None or transport.is_closing()

        while not gone():  # noqa: ASYNC110 - there is no event to wait for, as said above
            await asyncio.sleep(POLL_S)

        raise SocketClosed
