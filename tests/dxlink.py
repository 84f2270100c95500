"""A DXLink server that breaks its connections as it is told, and a clock that runs fast.

The simulator has faults as well, and a market to price. This one has neither prices nor patience:
what it is asked for it sends at once, so hundreds of broken connections take seconds.
"""

from __future__ import annotations

__all__ = ["FastClock", "Line", "Mishap", "ScriptedFeed", "open_feed"]

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import orjson
from aiohttp import web
from httpx2 import AsyncHTTPTransport

from server.brokerage.streaming.dxlink import DXLinkConnection, QuoteToken
from server.brokerage.transport.sdk import Session
from server.clock import Clock
from server.market.feed import Feed
from server.market.hub import Hub
from server.secret import Secret

FIELDS_OF = {"Quote": 9, "Trade": 10, "Greeks": 9, "Candle": 12}
HANDSHAKE = timedelta(seconds=0.3)
"""Real time: what a server that answers nothing costs a test."""


class FastClock:
    """The machine's time, so many times faster; satisfies `server.clock.Clock`."""

    def __init__(self, speed: float = 20.0) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._began) * self._speed

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(duration.total_seconds() / self._speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """What happens to one connection, and when."""

    step: str
    """`upgrade`, or the type of the client's message that is answered by it; `FEED_DATA`: instead
    of that message of ours."""
    act: str
    """`refuse`, `drop`, `mute`, `unauthorized`, `garbage`, `cut`, `channel-closed`, `error CODE`,
    `close CODE`."""
    skip: int = 0
    """How many of these messages pass first."""


class Line:
    """One connection, as the server sees it."""

    def __init__(self, number: int, opened_at: float) -> None:
        self.number = number
        self.opened_at = opened_at
        self.subscribed: Counter[tuple[str, str]] = Counter()
        self.messages = 0
        """FEED_SUBSCRIPTION messages."""
        self.largest = 0
        """Bytes of the largest of them."""


class ScriptedFeed:
    """Serves DXLink on a free port; the mishaps come one a connection, then all is well."""

    keepalive_s = 60.0
    """After how much silence of ours it tells clients to go; it sends no keepalives."""
    token_life: timedelta | None = None

    def __init__(self, mishaps: Iterable[Mishap], clock: Clock) -> None:
        self.mishaps = deque(mishaps)
        self.lines: list[Line] = []
        self.open = 0
        """Connections that are open."""
        self.tokens = 0
        """Quote tokens handed out."""
        self.port = 0
        self._clock = clock
        self._ended = asyncio.Event()

    async def token(self) -> QuoteToken:
        """What the broker's REST service would answer."""
        self.tokens += 1
        life = self.token_life
        return QuoteToken(
            url=f"ws://127.0.0.1:{self.port}/",
            token=Secret(f"token-{self.tokens}"),
            expires_at=None if life is None else self._clock.now() + life,
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.add_routes([web.get("/", self._serve)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            self._ended.set()
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        line = Line(len(self.lines), self._clock.monotonic())
        self.lines.append(line)
        mishap = self.mishaps.popleft() if self.mishaps else Mishap(step="", act="")
        if mishap.step == "upgrade":
            if mishap.act == "drop":
                assert request.transport is not None
                request.transport.abort()
            if mishap.act == "mute":
                await self._ended.wait()  # nobody ends a handler whose client has gone
            status = int(mishap.act.partition(" ")[2] or 500)
            return web.json_response({"error": {"code": "x"}}, status=status)
        response = web.WebSocketResponse(compress=False, autoping=False)
        await response.prepare(request)
        self.open += 1
        try:
            await _Talk(request, response, line, mishap, self.keepalive_s).run()
        finally:
            self.open -= 1
        return response


class _Talk:
    def __init__(
        self,
        request: web.Request,
        response: web.WebSocketResponse,
        line: Line,
        mishap: Mishap,
        keepalive_s: float,
    ) -> None:
        self._keepalive_s = keepalive_s
        self._request = request
        self._response = response
        self._line = line
        self._mishap = mishap
        self._skip = mishap.skip
        self._over = False

    async def run(self) -> None:
        async for frame in self._response:
            message = orjson.loads(frame.data)
            if not await self._spoiled(message["type"], message["channel"]):
                await self._answer(message, len(frame.data))
            if self._over:
                return

    async def _answer(self, message: dict[str, Any], size: int) -> None:
        channel = message["channel"]
        match message["type"]:
            case "SETUP":
                times = {"keepaliveTimeout": self._keepalive_s, "acceptKeepaliveTimeout": 60}
                await self._say("SETUP", 0, **times)
                await self._say("AUTH_STATE", 0, state="UNAUTHORIZED")
            case "AUTH":
                await self._say("AUTH_STATE", 0, state="AUTHORIZED", userId="x")
            case "CHANNEL_REQUEST":
                await self._say("CHANNEL_OPENED", channel, service="FEED", parameters={})
            case "FEED_SETUP":
                fields = message["acceptEventFields"]
                await self._say("FEED_CONFIG", channel, dataFormat="COMPACT", eventFields=fields)
            case "FEED_SUBSCRIPTION":
                self._line.messages += 1
                self._line.largest = max(self._line.largest, size)
                await self._subscribe(message)

    async def _subscribe(self, message: dict[str, Any]) -> None:
        for each in message.get("remove", ()):
            self._line.subscribed[each["type"], each["symbol"]] -= 1
        flat: dict[str, list[Any]] = {}
        for each in message.get("add", ()):
            self._line.subscribed[each["type"], each["symbol"]] += 1
            zeros = [0.0] * (FIELDS_OF[each["type"]] - 2)
            flat.setdefault(each["type"], []).extend([each["symbol"], self._line.number, *zeros])
        for event, values in flat.items():
            if await self._spoiled("FEED_DATA", message["channel"]):
                continue
            await self._say("FEED_DATA", message["channel"], data=[event, values])

    async def _spoiled(self, kind: str, channel: int) -> bool:
        """Does what is to go wrong at this message, if it is the one."""
        if kind != self._mishap.step or self._over:
            return False
        self._skip -= 1
        if self._skip >= 0:
            return False

        act, _, code = self._mishap.act.partition(" ")
        if act == "drop":
            assert self._request.transport is not None
            self._request.transport.abort()
            self._over = True
        elif act == "close":
            await self._response.close(code=int(code), message=b"as scripted")
            self._over = True
        elif act == "error":
            await self._say("ERROR", channel, error=code, message="as scripted")
            return False
        elif act == "unauthorized":
            await self._say("AUTH_STATE", 0, state="UNAUTHORIZED")
        elif act == "channel-closed":
            await self._say("CHANNEL_CLOSED", channel)
        elif act == "garbage":
            await self._send(b'{"type": "FEED_DATA", "channel"')
        elif act == "cut":
            await self._say("FEED_DATA", channel, data=["Quote", ["SPY", 1.0]])
        return True

    async def _say(self, kind: str, channel: int, **payload: Any) -> None:
        await self._send(orjson.dumps({"type": kind, "channel": channel, **payload}))

    async def _send(self, frame: bytes) -> None:
        try:
            await self._response.send_str(frame.decode())
        except ConnectionError:
            self._over = True


@asynccontextmanager
async def open_feed(
    mishaps: Iterable[Mishap] = (), *, seed: int = 1, clock: Clock | None = None
) -> AsyncIterator[tuple[Feed, Hub, ScriptedFeed]]:
    """Yields our feed and hub, running, and the scripted server at the other end of the line."""
    clock = clock or FastClock()
    server = ScriptedFeed(mishaps, clock)
    wire = _Wire(verify=False)
    limit_s = HANDSHAKE.total_seconds()
    session = Session("client-secret", "refresh-token", transport=wire, timeout=limit_s)

    def connect(sink: Any) -> DXLinkConnection:
        return DXLinkConnection(session, server.token, sink, clock, handshake=HANDSHAKE)

    feed = Feed(connect, clock, random=Random(seed))
    hub = Hub(feed, clock)
    feed.attach(hub)
    async with server.serving(), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(feed.run()), tasks.create_task(hub.run())]
        try:
            yield feed, hub, server
        finally:
            for each in running:
                each.cancel()
    await wire.close()


class _Wire(AsyncHTTPTransport):
    """Stays open when a streamer's client closes what it was given, as the brokerage's own does."""

    async def aclose(self) -> None:
        pass

    async def close(self) -> None:
        await super().aclose()
