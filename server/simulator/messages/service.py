"""Serves the endpoint: parses, refuses, answers at once or as a stream, and fails on demand.

Any key is accepted, as the broker accepts any refresh token. A missing key is 401, so that a client
that does not send one fails here, too.
"""

from __future__ import annotations

__all__ = ["MessagesApi", "MessagesStatistics"]

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson
from aiohttp import web

from server.simulator.clock import SimClock
from server.simulator.faults import MODEL_KINDS, Fault, Faults
from server.simulator.messages import obedient, stand_in
from server.simulator.messages.api_errors import ApiError
from server.simulator.messages.prompt_cache import PromptCache
from server.simulator.messages.replies import (
    ContentBlock,
    Reply,
    Usage,
    reply_with_calls,
    to_events,
    to_message,
)
from server.simulator.messages.requests import MessagesRequest, read_request

ERROR_FAULTS = {
    "model-throttled": (429, "rate_limit_error", "This request would exceed your rate limit."),
    "model-overloaded": (529, "overloaded_error", "Overloaded"),
    "model-error": (500, "api_error", "Internal server error"),
    "model-key": (401, "authentication_error", "invalid x-api-key"),
}
"""Faults that answer with an error before anything else."""

POLL_INTERVAL = timedelta(milliseconds=20)

CUT_AFTER = 6
"""Number of stream events before a cut or failure: in the middle of the first block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesStatistics:
    """Counts requests and streams."""

    requests: int
    waiting: int
    """Requests that are being answered."""
    streams: int
    open_streams: int
    abandoned: int
    """Streams whose client left before their end."""


class MessagesApi:
    """Serves `POST …/v1/messages`."""

    def __init__(self, clock: SimClock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._cache = PromptCache(clock)
        self._numbers = itertools.count(1)
        self._requests = self._streams = self._open = self._abandoned = self._waiting = 0

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        identity = f"{next(self._numbers):024}"
        self._requests += 1
        self._waiting += 1
        try:
            return await self._answer(request, identity)
        except ApiError as error:
            body = orjson.dumps(error.body(f"req_{identity}"))
            headers = {"request-id": f"req_{identity}"} | error.headers
            return web.Response(
                body=body, status=error.status, headers=headers, content_type="application/json"
            )
        finally:
            self._waiting -= 1

    def statistics(self) -> MessagesStatistics:
        return MessagesStatistics(
            requests=self._requests,
            waiting=self._waiting,
            streams=self._streams,
            open_streams=self._open,
            abandoned=self._abandoned,
        )

    async def _answer(self, request: web.Request, identity: str) -> web.StreamResponse:
        # Newer clients send the key as a bearer token, older ones in `x-api-key`.
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = request.headers.get("x-api-key", "") or bearer
        if not key:
            raise ApiError(401, "authentication_error", "x-api-key header is required")

        asked = read_request(await request.read())
        fault = self._faults.take(MODEL_KINDS, request.path, method="POST", at=asked.model)
        await self._apply_fault(fault, request)
        reply = _distort_reply(_make_reply(asked), asked, fault)
        usage = self._cache.usage(asked, key, reply)
        if asked.stream:
            return await self._stream(request, identity, asked, reply, usage, fault)

        message = to_message(reply, identity=f"msg_{identity}", model=asked.model, usage=usage)
        response = web.Response(body=orjson.dumps(message), content_type="application/json")
        response.headers["request-id"] = f"req_{identity}"
        if fault is not None and fault.kind in ("model-cut", "model-broken"):
            _cut_connection(request)

        return response

    async def _apply_fault(self, fault: Fault | None, request: web.Request) -> None:
        if fault is None:
            return

        if fault.kind == "model-slow":
            await self._clock.sleep(fault.delay)
        elif fault.kind == "model-silent":
            # A handler that writes nothing is not told when its client leaves, so it polls.
            while request.transport is not None and not request.transport.is_closing():
                await self._clock.sleep(POLL_INTERVAL)
        elif fault.kind in ERROR_FAULTS:
            status, kind, message = ERROR_FAULTS[fault.kind]
            seconds = fault.delay.total_seconds()
            headers = {"retry-after": f"{seconds:g}"} if status in (429, 529) else {}
            raise ApiError(fault.status or status, kind, message, headers)

    async def _stream(
        self,
        request: web.Request,
        identity: str,
        asked: MessagesRequest,
        reply: Reply,
        usage: Usage,
        fault: Fault | None,
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "request-id": f"req_{identity}"}
        )
        self._streams += 1
        self._open += 1
        kind = fault.kind if fault else ""
        pause = fault.delay if fault and kind == "model-slow" else None
        try:
            await response.prepare(request)
            events = to_events(reply, identity=f"msg_{identity}", model=asked.model, usage=usage)
            for number, (name, data) in enumerate(events):
                if number == CUT_AFTER and kind == "model-cut":
                    _cut_connection(request)
                    return response

                if number == CUT_AFTER and kind == "model-broken":
                    error = ApiError(529, "overloaded_error", "Overloaded")
                    await response.write(_encode_event("error", error.body(f"req_{identity}")))
                    return response

                if pause is not None:
                    await self._clock.sleep(pause)

                await response.write(_encode_event(name, {"type": name} | data))
        except (ConnectionError, asyncio.CancelledError):
            self._abandoned += 1
            raise
        finally:
            self._open -= 1

        return response


def _make_reply(asked: MessagesRequest) -> Reply:
    return obedient.obey(asked) if asked.model == obedient.MODEL else stand_in.answer(asked)


def _distort_reply(reply: Reply, asked: MessagesRequest, fault: Fault | None) -> Reply:
    """Returns the reply as a fault changes it."""
    tools = [tool["name"] for tool in asked.tools]
    match fault.kind if fault else "":
        case "model-refusal":
            return Reply(blocks=(), stop_reason="refusal")
        case "model-cropped":
            first = ContentBlock(text=reply.blocks[0].text[: len(reply.blocks[0].text) // 2] or "I")
            return Reply(blocks=(first,), stop_reason="max_tokens")
        case "model-endless" if tools:
            name = "get_current_time" if "get_current_time" in tools else tools[0]
            return reply_with_calls([(name, {})], len(asked.turns))
        case "model-malformed":
            raw = (fault.code if fault else "") or '{"account_'
            return Reply(
                blocks=tuple(
                    replace(block, input={"wrong": None, "account_id": 7}, raw_input=raw)
                    if block.tool
                    else block
                    for block in reply.blocks
                ),
                stop_reason=reply.stop_reason,
            )
        case _:
            return reply


def _encode_event(name: str, data: Mapping[str, object]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _cut_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
