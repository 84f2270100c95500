"""Connects to DXLink; wraps the SDK's streamer to make it fast and to notice a dead connection.

The SDK parses each event into a model (58,000 a second) and drops those with a missing price; it
fails at any ERROR message, and waits for ever on a mute socket. Here events stay columns, read by a
fast parser in the order of our own fields; silence longer than the server promised ends the
connection; and subscriptions go out in messages that the server accepts.
"""

from __future__ import annotations

__all__ = ["DXLinkConnection", "QuoteToken", "Sink"]

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import orjson
import structlog
from anyio import TASK_STATUS_IGNORED, create_task_group, fail_after
from anyio import Event as Flag
from anyio.abc import TaskStatus
from httpx2 import AsyncClient, ConnectError, HTTPError, TimeoutException
from httpx2.websockets import HTTPXWSException, WebSocketDisconnect, WebSocketUpgradeError

from server.brokerage.streaming.dxlink_events import FIELDS, SYMBOLS_A_MESSAGE, ConnectionEnded, Row
from server.brokerage.transport import sdk  # noqa: F401 - first, or importing the SDK imports pandas
from server.clock import Clock
from server.errors import GatewayError
from server.secret import Secret

# isort: split
from tastytrade import DXLinkStreamer, Session
from tastytrade.streamer import DXLINK_VERSION

log = structlog.get_logger(__name__)

PAUSE_BETWEEN_MESSAGES_S = 0.1
"""The pace of dxFeed's own client, on each channel."""

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""The library's default of 64 KiB closes the socket on the first large snapshot."""

LIVENESS_MARGIN_S = 1.0
"""What a KEEPALIVE may be late by before the connection counts as mute."""

TOKEN_LIFE = timedelta(hours=24)
"""How long quote tokens live where the broker does not say when one ends."""

PART_OF_LIFE = 23 / 24
"""The part of a token's life after which its connection is renewed, before the server ends it."""

LEAST_LIFE_S = 60.0
"""A connection is not renewed sooner, whatever the broker says: it may give the same token again,
and the server tells when it has had enough of it."""

HANDSHAKE = timedelta(seconds=10)
"""The action timeout of dxFeed's own client."""

FATAL_ERRORS = frozenset({"UNSUPPORTED_PROTOCOL", "UNAUTHORIZED", "TIMEOUT"})
"""ERROR messages are informational by the protocol; after these nothing more can come."""

RECONNECT_REQUIRED = 1012

Sink = Callable[[str, Row], None]
"""Takes the event type and the values of any number of events, flat, in the order of `FIELDS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteToken:
    """Where to connect, and the token that proves who does."""

    url: str
    token: Secret
    expires_at: datetime | None = None


class DXLinkConnection(DXLinkStreamer):
    """An open, authorised connection while entered; ends by raising `ConnectionEnded`.

    `sink` is called on the event loop and must not block: nothing is queued between the socket and
    it, so a burst is bounded by TCP. Raises a GatewayError when the broker refuses the quote token.
    """

    def __init__(
        self,
        session: Session,
        quote_token: Callable[[], Awaitable[QuoteToken]],
        sink: Sink,
        clock: Clock,
        *,
        handshake: timedelta = HANDSHAKE,
    ) -> None:
        super().__init__(session)
        # The library's own queues: nothing goes through them here, and left open they warn.
        for sender in self._send.values():
            sender.close()
        for receiver in self._recv.values():
            receiver.close()

        self._quote_token = quote_token
        self._sink = sink
        self._handshake_s = handshake.total_seconds()
        self._clock = clock
        self._heard = clock.monotonic()
        self._silence_limit_s = 60.0
        self._spoken_at: dict[str, float] = {}
        self._ends_at = 0.0
        self._asked_for_token = False
        self._orders: dict[str, list[int] | None] = {}

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        token = await self._quote_token()
        self._auth_token = token.token.reveal()
        self._heard = self._clock.monotonic()
        self._ends_at = self._heard + self._life_of(token)
        try:
            async with (
                AsyncClient(**self.session.client_kwargs) as client,
                client.websocket(
                    token.url,
                    keepalive_ping_interval_seconds=None,
                    max_message_size_bytes=MAX_MESSAGE_BYTES,
                ) as self._websocket,
                create_task_group() as tasks,
            ):
                with fail_after(self._handshake_s):
                    await tasks.start(self._reader)
                tasks.start_soon(self._heartbeat)
                tasks.start_soon(self._watch)
                yield self
                tasks.cancel_scope.cancel()
        except* ConnectionEnded:
            raise
        except* GatewayError as group:
            # Of the upgrade; whether the tenant may have data at all, the token has told.
            raise ConnectionEnded(f"refused: {_leaf(group)}") from None
        except* WebSocketDisconnect as group:
            raise _disconnected(group) from None
        except* (HTTPXWSException, HTTPError, TimeoutError, OSError) as group:
            log.info("dxlink_lost", error=type(_leaf(group)).__name__)
            raise ConnectionEnded(_in_words(_leaf(group))) from None

    async def add(self, event: str, symbols: Sequence[str]) -> None:
        """Subscribes to one type of event; returns once all messages are sent."""
        await self._send_paced(event, "add", [{"type": event, "symbol": s} for s in symbols])

    async def remove(self, event: str, symbols: Sequence[str]) -> None:
        """Ends subscriptions; symbols that were not subscribed do no harm."""
        await self._send_paced(event, "remove", [{"type": event, "symbol": s} for s in symbols])

    async def add_candles(self, symbols: Mapping[str, int]) -> None:
        """Subscribes to candle symbols (`SPY{=5m}`), each from its epoch milliseconds on."""
        items = [
            {"type": "Candle", "symbol": symbol, "fromTime": since}
            for symbol, since in symbols.items()
        ]
        await self._send_paced("Candle", "add", items)

    async def _send_paced(self, event: str, verb: str, items: list[dict[str, Any]]) -> None:
        await self._open_channel(event)
        for start in range(0, len(items), SYMBOLS_A_MESSAGE):
            wait = self._spoken_at.get(event, 0) + PAUSE_BETWEEN_MESSAGES_S
            wait -= self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(timedelta(seconds=wait))
            self._spoken_at[event] = self._clock.monotonic()
            await self._websocket.send_json(
                {
                    "type": "FEED_SUBSCRIPTION",
                    "channel": self._channels[event],
                    verb: items[start : start + SYMBOLS_A_MESSAGE],
                }
            )

    async def _open_channel(self, event: str) -> None:
        opened = self._subscription_state.get(event)
        if opened is None:
            opened = self._subscription_state[event] = Flag()
            channel = self._channels[event]
            # The AUTO contract answers a candle subscription with an empty snapshot, not history.
            contract = "HISTORY" if event == "Candle" else "AUTO"
            await self._websocket.send_json(
                {
                    "type": "CHANNEL_REQUEST",
                    "channel": channel,
                    "service": "FEED",
                    "parameters": {"contract": contract},
                }
            )
            with fail_after(self._handshake_s):
                await opened.wait()
            await self._websocket.send_json(
                {
                    "type": "FEED_SETUP",
                    "channel": channel,
                    "acceptAggregationPeriod": 0.1,
                    "acceptDataFormat": "COMPACT",
                    "acceptEventFields": {event: list(FIELDS[event])},
                }
            )
        else:
            await opened.wait()

    async def _reader(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        await self._websocket.send_json(
            {
                "type": "SETUP",
                "channel": 0,
                "keepaliveTimeout": 60,
                "acceptKeepaliveTimeout": 60,
                "version": DXLINK_VERSION,
            }
        )
        receive = self._websocket.receive_text
        while True:
            text = await receive()
            self._heard = self._clock.monotonic()
            try:
                message = orjson.loads(text)
                if message["type"] != "FEED_DATA":
                    await self._control(message, task_status)
                    continue
                batches = list(self._batches(message["data"]))
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                # Its text may hold anything, so only its kind is told.
                raise ConnectionEnded(f"a malformed message: {type(error).__name__}") from None

            for event, flat in batches:
                self._sink(event, flat)

    def _batches(self, data: list[Any]) -> Iterator[tuple[str, Row]]:
        """Yields whole events; raises ValueError where a row is cut short."""
        if data and isinstance(data[0], dict):  # FULL, which a server may insist on
            for item in data:
                event = item["eventType"]
                if event in FIELDS:
                    yield event, [item.get(field) for field in FIELDS[event]]
            return

        for event, flat in zip(data[::2], data[1::2], strict=True):
            order = self._orders.get(event)
            row = flat if order is None else _reordered(flat, order)
            if event in FIELDS and len(row) % len(FIELDS[event]):
                raise ValueError(event)
            yield event, row

    async def _control(self, message: dict[str, Any], task_status: TaskStatus[None]) -> None:
        match message["type"]:
            case "SETUP":
                self._silence_limit_s = float(message.get("keepaliveTimeout") or 60)
            case "AUTH_STATE" if message["state"] == "AUTHORIZED":
                task_status.started()
            case "AUTH_STATE" if self._asked_for_token:
                raise ConnectionEnded("the quote token was refused")
            case "AUTH_STATE":
                self._asked_for_token = True
                auth = {"type": "AUTH", "channel": 0, "token": self._auth_token}
                await self._websocket.send_json(auth)
            case "CHANNEL_OPENED":
                self._subscription_state[self._channels_reversed[message["channel"]]].set()
            case "CHANNEL_CLOSED":
                raise ConnectionEnded("the server closed a channel")
            case "FEED_CONFIG":
                self._configure(message.get("eventFields") or {})
            case "ERROR":
                kind = str(message.get("error", "UNKNOWN"))
                log.warning("dxlink_error", error=kind, message=message.get("message"))
                if kind in FATAL_ERRORS:
                    raise ConnectionEnded(f"error {kind}")
            case _:
                pass  # KEEPALIVE, and whatever later versions of the protocol add

    def _configure(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Notes where a server sends other fields, or another order, than it was asked for."""
        for event, sent in fields.items():
            wanted = FIELDS.get(event)
            if wanted is None or tuple(sent) == wanted:
                self._orders[event] = None
                continue
            missing = [field for field in wanted if field not in sent]
            if missing:
                log.warning("dxlink_fields_missing", event_type=event, fields=missing)
            places = {field: place for place, field in enumerate(sent)}
            self._orders[event] = [len(sent), *(places.get(field, -1) for field in wanted)]

    async def _watch(self) -> None:
        """Ends a connection that is mute, or whose token is about to expire."""
        while True:
            await self._clock.sleep(timedelta(seconds=1))
            now = self._clock.monotonic()
            if now - self._heard > self._silence_limit_s + LIVENESS_MARGIN_S:
                raise ConnectionEnded(f"mute for {now - self._heard:.0f} s")
            if now > self._ends_at:
                raise ConnectionEnded("the quote token is about to expire", at_once=True)

    def _life_of(self, token: QuoteToken) -> float:
        life = TOKEN_LIFE.total_seconds()
        if token.expires_at is not None:
            life = min(life, (token.expires_at - self._clock.now()).total_seconds())
        return max(life * PART_OF_LIFE, LEAST_LIFE_S)


def _reordered(flat: Row, order: list[int]) -> Row:
    width, *places = order
    if len(flat) % width:
        raise ValueError("a row is cut short")
    return [
        flat[start + place] if place >= 0 else None
        for start in range(0, len(flat), width)
        for place in places
    ]


def _leaf(group: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _in_words(error: BaseException) -> str:
    if isinstance(error, TimeoutError | TimeoutException):
        return "no answer in time"
    if isinstance(error, WebSocketUpgradeError | ConnectError):
        return "the connection was refused"
    return "the connection was lost"


def _disconnected(group: BaseExceptionGroup[WebSocketDisconnect]) -> ConnectionEnded:
    leaf = _leaf(group)
    code = getattr(leaf, "code", 0)
    return ConnectionEnded(f"closed with code {code}", at_once=code == RECONNECT_REQUIRED)
