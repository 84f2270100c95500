"""A first answer without a network, for the thread that loads the SDK.

The SDK imports and compiles much of itself at its first answer: 0.2 s, in which a server's loop
would stand still. Here it happens on a loop of the thread's own.
"""

from __future__ import annotations

__all__ = ["rehearse"]

import asyncio
import gc
from collections.abc import Iterator
from functools import cache
from typing import Any

import anthropic
import httpx2
import orjson

from server.agent.messages_api import answer_of, arguments_of
from server.agent.model import ModelRequest, Purpose

REQUEST = ModelRequest(
    tenant_id="",
    purpose=Purpose.CHAT,
    model="m",
    max_tokens=1,
    effort="low",
    system=[{"type": "text", "text": "."}],
    messages=[{"role": "user", "content": "."}],
    tools=[{"name": "n", "description": ".", "input_schema": {"type": "object"}}],
)
MESSAGE: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {
        "input_tokens": 1,
        "output_tokens": 1,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
    },
}
THOUGHT = {"type": "thinking", "thinking": "", "signature": ""}
TEXT = {"type": "text", "text": "", "citations": None}
TOOL = {"type": "tool_use", "id": "t", "name": "n", "input": {}, "caller": {"type": "direct"}}


def _block(index: int, content: dict[str, Any], delta: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "content_block_start", "index": index, "content_block": content}
    yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": MESSAGE},
    {"type": "ping"},
    *_block(0, THOUGHT, {"type": "thinking_delta", "thinking": "."}),
    *_block(1, TEXT, {"type": "text_delta", "text": "."}),
    *_block(2, TOOL, {"type": "input_json_delta", "partial_json": "{}"}),
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": MESSAGE["usage"],
    },
    {"type": "message_stop"},
)
"""A whole answer: a thought, some text, and the call of a tool."""


@cache
def rehearse() -> None:
    """Asks once a process, and takes the answer apart as a real one."""
    asyncio.run(_ask())
    # The SDK's 120,000 objects stay for good; looking through them took the collector 0.2 s, again
    # and again, in which nothing else ran.
    gc.freeze()


async def _ask() -> None:
    content = b"".join(
        b"event: " + str(event["type"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"
        for event in EVENTS
    )

    def answer(_request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=content)

    client = anthropic.AsyncAnthropic(
        api_key="rehearsal",
        base_url="http://rehearsal.invalid",
        http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)),
    )
    async with client, client.messages.stream(**arguments_of(REQUEST)) as stream:
        async for _ in stream:
            pass

        answer_of(await stream.get_final_message())
