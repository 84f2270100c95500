"""A proxy before the broker that loses answers in the ways that the real one's does.

It carries each request to the simulator and back. A rule decides what happens to the next change
(POST, PUT or DELETE of an order): the request may be done and its answer lost, replaced or late;
and the lists of orders may hide what came in a moment ago.
"""

from __future__ import annotations

__all__ = ["Meddler", "Mischief"]

import asyncio
import time
from collections import Counter, deque
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import ClientSession, WSMsgType, web

PASSED_ON = ("authorization", "content-type", "accept", "user-agent", "accept-version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """What happens to one change."""

    done: bool = True
    """Whether the broker gets it at all."""
    status: int = 0
    """The status of a page of HTML that is answered instead; 0 answers the broker's own."""
    code: str = ""
    """Answers with that status in the broker's own envelope, with this code, instead of HTML."""
    cut: str = ""
    """`reset` cuts the connection without an answer, `body` in the middle of the broker's."""
    delay_s: float = 0.0
    """How late the answer comes."""
    hide_s: float = 0.0
    """For how long the lists do not show any order that came in meanwhile."""


class Meddler:
    """Runs while it is entered; `url` takes the simulator's place."""

    def __init__(self, broker_url: str) -> None:
        self._broker = broker_url
        self.mischief: deque[Mischief] = deque()
        self.changes: Counter[str] = Counter()
        """Changes that reached the broker, by method."""
        self.down = False
        """Whether everything is answered 503 without asking the broker."""
        self._hidden_until = 0.0
        self._hidden_after = ""
        self._stack = AsyncExitStack()
        self._port = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(ClientSession(auto_decompress=False))
            stack.push_async_callback(self.leave)
            await self.listen()
            self._stack = stack.pop_all()

        return self

    async def listen(self) -> None:
        """Begins to accept connections, again on the port of before."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=0.1,
            handler_cancellation=True,  # a caller that gave up leaves no late answer behind
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def leave(self) -> None:
        """Cuts every connection, and refuses new ones."""
        await self._runner.cleanup()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("upgrade", "").lower() == "websocket":
            return await self._bridge(request)
        if self.down:
            return web.Response(status=503, text="<html>down</html>", content_type="text/html")

        changes = request.method != "GET" and "orders" in request.path
        dry = request.path.endswith("dry-run")
        mischief = self.mischief.popleft() if changes and not dry and self.mischief else Mischief()
        if mischief.done and changes and not dry:
            self.changes[request.method] += 1
        if mischief.hide_s:
            self._hidden_until = time.monotonic() + mischief.hide_s

        answer = await self._carried(request) if mischief.done else web.Response(status=200)
        if mischief.delay_s:
            await asyncio.sleep(mischief.delay_s)
        if mischief.cut:
            return await self._cut(request, answer, mischief.cut)
        if mischief.code:
            error = {"code": mischief.code, "message": f"Refused: {mischief.code}"}
            return web.json_response({"error": error}, status=mischief.status)
        if mischief.status:
            return web.Response(
                status=mischief.status, text="<html>sorry</html>", content_type="text/html"
            )

        return self._without_hidden(request, answer)

    async def _carried(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        async with self._client.request(
            request.method,
            self._broker + request.raw_path,
            headers=headers,
            data=await request.read(),
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    def _without_hidden(self, request: web.Request, answer: web.Response) -> web.Response:
        lists = request.method == "GET" and request.path.endswith(("/orders/live", "/orders"))
        if not lists or time.monotonic() >= self._hidden_until:
            return answer

        body: Any = orjson.loads(answer.body or b"{}")
        items = body["data"]["items"]
        body["data"]["items"] = [each for each in items if "external-identifier" not in each]
        return web.json_response(body=orjson.dumps(body))

    async def _cut(
        self, request: web.Request, answer: web.Response, how: str
    ) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        if how == "reset":
            transport.abort()
            return answer

        body = answer.body if isinstance(answer.body, bytes) else b""
        half = web.StreamResponse(
            status=answer.status, headers={"content-type": "application/json"}
        )
        half.content_length = len(body)
        await half.prepare(request)
        await half.write(body[: len(body) // 2])
        transport.abort()
        return half

    async def _bridge(self, request: web.Request) -> web.WebSocketResponse:
        ours = web.WebSocketResponse()
        await ours.prepare(request)
        async with self._client.ws_connect(self._broker + request.raw_path) as theirs:

            async def back() -> None:
                async for message in theirs:
                    if message.type is WSMsgType.TEXT:
                        await ours.send_str(message.data)

            answering = asyncio.create_task(back())
            try:
                async for message in ours:
                    if message.type is WSMsgType.TEXT:
                        await theirs.send_str(message.data)
            finally:
                answering.cancel()

        return ours
