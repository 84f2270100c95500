"""Replaces the client's end of a connection, without a network."""

from __future__ import annotations

__all__ = ["FakeSocket"]

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from server.simulator.clock import run_ready_tasks
from server.simulator.faults import Fault
from server.simulator.socket import SocketClosed


class FakeSocket:
    """Stands in for `server.simulator.socket.Socket`."""

    def __init__(self) -> None:
        self.customer_id = ""
        self.on_fault: Callable[[Fault], None] = lambda _: None
        self.sent: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def receive(self) -> bytes:
        raw = await self._inbox.get()
        if raw is None:
            raise SocketClosed

        return raw

    def apply_incoming_fault(self, kind: str) -> None:
        """No faults here."""

    async def send(self, kind: str, frame: bytes, *, data: bool = False) -> None:
        await self.reading.wait()
        if self.closed is not None:
            raise SocketClosed

        message = orjson.loads(frame)
        assert message["type"] == kind
        self.sent.append(message)

    async def close(self, code: int, reason: str = "") -> None:
        self.closed = self.closed or code
        self._inbox.put_nowait(None)

    def hang_up(self) -> None:
        self._inbox.put_nowait(None)

    async def say(self, *given: dict[str, Any] | bytes) -> list[dict[str, Any]]:
        """Sends messages and returns what was answered."""
        self.sent.clear()
        for message in given:
            self._inbox.put_nowait(message if isinstance(message, bytes) else orjson.dumps(message))
            await run_ready_tasks(30)

        return list(self.sent)
