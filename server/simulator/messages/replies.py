"""Defines a reply and its two wire formats: one message, or the events of a stream."""

from __future__ import annotations

__all__ = [
    "ContentBlock",
    "Reply",
    "Usage",
    "reply_with_calls",
    "reply_with_text",
    "to_events",
    "to_message",
]

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

TEXT_CHUNK = re.compile(r"\S+\s*|\s+")
JSON_CHUNK = 24
"""Characters of a tool's input in one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentBlock:
    """Holds a content block: text, or a tool call."""

    text: str = ""
    tool: str = ""
    id: str = ""
    input: Mapping[str, Any] | None = None
    raw_input: str | None = None
    """What a stream sends instead of the input, to be wrong on purpose."""

    def to_json(self) -> dict[str, Any]:
        if not self.tool:
            return {"type": "text", "text": self.text, "citations": None}

        return {
            "type": "tool_use",
            "id": self.id,
            "name": self.tool,
            "input": dict(self.input or {}),
            "caller": {"type": "direct"},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Counts tokens, at four characters each."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int

    def body(self) -> dict[str, int]:
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cache_creation_input_tokens": self.cache_creation_input_tokens,
            "cache_read_input_tokens": self.cache_read_input_tokens,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Holds what the stand-in answers."""

    blocks: tuple[ContentBlock, ...]
    stop_reason: str = "end_turn"

    @property
    def length(self) -> int:
        """Length in characters, for counting tokens."""
        return sum(len(orjson.dumps(block.to_json())) for block in self.blocks)


def reply_with_text(text: str) -> Reply:
    """Returns a reply that is only text."""
    return Reply(blocks=(ContentBlock(text=text),))


def reply_with_calls(
    asked: Sequence[tuple[str, Mapping[str, Any]]], number: int, text: str = ""
) -> Reply:
    """Returns a reply with parallel tool calls; `number` makes the ids differ by turn."""
    pieces = [ContentBlock(text=text)] if text else []
    pieces += [
        ContentBlock(tool=name, id=f"toolu_standin_{number:03}_{index}", input=arguments)
        for index, (name, arguments) in enumerate(asked)
    ]
    return Reply(blocks=tuple(pieces), stop_reason="tool_use")


def to_message(reply: Reply, *, identity: str, model: str, usage: Usage) -> dict[str, Any]:
    """Renders the reply to a request without streaming."""
    return _make_envelope(identity, model, usage) | {
        "content": [block.to_json() for block in reply.blocks],
        "stop_reason": reply.stop_reason,
    }


def to_events(
    reply: Reply, *, identity: str, model: str, usage: Usage
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the events of a stream: name and data."""
    first = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=1,
        cache_creation_input_tokens=usage.cache_creation_input_tokens,
        cache_read_input_tokens=usage.cache_read_input_tokens,
    )
    yield "message_start", {"message": _make_envelope(identity, model, first) | {"content": []}}
    for index, block in enumerate(reply.blocks):
        emptied: dict[str, Any] = {"input": {}} if block.tool else {"text": ""}
        empty = block.to_json() | emptied
        yield "content_block_start", {"index": index, "content_block": empty}
        if index == 0:
            yield "ping", {}

        for delta in _make_deltas(block):
            yield "content_block_delta", {"index": index, "delta": delta}

        yield "content_block_stop", {"index": index}

    yield (
        "message_delta",
        {
            "delta": {"stop_reason": reply.stop_reason, "stop_sequence": None},
            "usage": usage.body(),
        },
    )
    yield "message_stop", {}


def _make_deltas(block: ContentBlock) -> Iterator[dict[str, Any]]:
    if not block.tool:
        for text in TEXT_CHUNK.findall(block.text):
            yield {"type": "text_delta", "text": text}

        return

    raw = block.raw_input
    text = orjson.dumps(dict(block.input or {})).decode() if raw is None else raw
    yield {"type": "input_json_delta", "partial_json": ""}
    for start in range(0, len(text), JSON_CHUNK):
        yield {"type": "input_json_delta", "partial_json": text[start : start + JSON_CHUNK]}


def _make_envelope(identity: str, model: str, usage: Usage) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage.body(),
    }
