"""Connects to the broker's account streamer; wraps the SDK's streamer to fix three faults.

The SDK sends no heartbeat (the broker demands one every 2 to 60 seconds), fails at a notification
that it cannot parse, and waits for ever on a mute socket. Here notifications stay JSON, heartbeats
are sent, and a connection that answers none of them ends.
"""

from __future__ import annotations

__all__ = ["AlertConnection"]

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import orjson
import structlog

from server.brokerage.streaming.alert import Alert
from server.brokerage.streaming.dxlink_events import ConnectionEnded
from server.brokerage.transport import sdk
from server.clock import Clock, instant_of
from server.errors import GatewayError

# isort: split
from anyio import Event as Flag
from anyio import create_task_group, fail_after
from httpx2 import AsyncClient, HTTPError
from httpx2.websockets import HTTPXWSException, WebSocketDisconnect
from tastytrade import AlertStreamer

log = structlog.get_logger(__name__)

HEARTBEAT = timedelta(seconds=10)
"""The broker takes 2 to 60 seconds; this often, a mute connection is noticed soon."""

SILENCE = timedelta(seconds=25)
"""Two heartbeats unanswered, and some time for a slow one."""

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""An order of many fills is long, and a message that is too long would end the connection."""

HANDSHAKE_S = 10.0


class AlertConnection(AlertStreamer):
    """A connection subscribed to accounts while entered; ends by raising `ConnectionEnded`.

    `sink` is called on the event loop and must not block.
    """

    def __init__(
        self,
        session: sdk.Session,
        accounts: Sequence[str],
        sink: Callable[[Alert], None],
        clock: Clock,
    ) -> None:
        super().__init__(session)
        self._accounts = list(accounts)
        self._sink = sink
        self._clock = clock
        self._heard = clock.monotonic()

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        try:
            async with (
                AsyncClient(**self.session.client_kwargs) as client,
                client.websocket(
                    self.base_url,
                    keepalive_ping_interval_seconds=None,
                    max_message_size_bytes=MAX_MESSAGE_BYTES,
                ) as self._websocket,
                create_task_group() as tasks,
            ):
                tasks.start_soon(self._reader)
                await self._ask("connect", self._accounts)
                tasks.start_soon(self._beat)
                tasks.start_soon(self._watch)
                yield self
                tasks.cancel_scope.cancel()
        except* (GatewayError, ConnectionEnded) as group:
            raise _leaf(group) from None
        except* WebSocketDisconnect as group:
            code = getattr(_leaf(group), "code", 0)
            raise ConnectionEnded(f"closed with code {code}") from None
        except* (HTTPXWSException, HTTPError, TimeoutError, OSError) as group:
            raise ConnectionEnded(f"connection lost: {type(_leaf(group)).__name__}") from None

    async def _ask(self, action: str, value: list[str] | None = None) -> None:
        # The token is in every message, and lives a quarter of an hour.
        await self.session.refresh()
        self.request_id += 1
        answered = self._subscription_state[self.request_id] = Flag()
        message: dict[str, Any] = {
            "action": action,
            "auth-token": f"Bearer {self.session.session_token}",
            "request-id": self.request_id,
        }
        if value is not None:
            message["value"] = value

        await self._websocket.send_json(message)
        with fail_after(HANDSHAKE_S):
            await answered.wait()

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT)
            await self._ask("heartbeat")

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(timedelta(seconds=1))
            silence = self._clock.monotonic() - self._heard
            if silence > SILENCE.total_seconds():
                raise ConnectionEnded(f"mute for {silence:.0f} s")

    async def _reader(self) -> None:
        while True:
            text = await self._websocket.receive_text()
            self._heard = self._clock.monotonic()
            try:
                message = orjson.loads(text)
            except orjson.JSONDecodeError:
                message = None

            if isinstance(message, dict):
                self._take(message)
            else:
                log.warning("unreadable message of the account streamer")

    def _take(self, message: dict[str, Any]) -> None:
        kind, data = message.get("type"), message.get("data")
        if isinstance(kind, str):
            if isinstance(data, dict):
                self._sink(
                    Alert(kind=kind, data=data, sent_at=instant_of(message.get("timestamp")))
                )

            return

        if message.get("status") == "error":
            raise ConnectionEnded(f"refused: {message.get('message') or 'no reason given'}")

        answered = self._subscription_state.pop(_number(message.get("request-id")), None)
        if answered is not None:
            answered.set()


def _number(request_id: object) -> int:
    text = str(request_id)
    return int(text) if text.isdecimal() else 0


def _leaf(group: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]

    return found
