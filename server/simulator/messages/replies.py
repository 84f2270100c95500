"""A reply, and its two forms on the wire: one message, or the events of a stream."""

from __future__ import annotations

__all__ = ["Piece", "Reply", "Usage", "as_events", "as_message", "calls", "says"]

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

PIECE = re.compile(r"\S+\s*|\s+")
JSON_PIECE = 24
"""Characters of a tool's input in one event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A content block: text, or the call of a tool."""

    text: str = ""
    tool: str = ""
    id: str = ""
    input: Mapping[str, Any] | None = None
    raw_input: str | None = None
    """What a stream sends as the input instead, to be wrong on purpose."""

    def block(self) -> dict[str, Any]:
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
    """Tokens, counted at four characters each."""

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
    """What the stand-in answers."""

    pieces: tuple[Piece, ...]
    stop_reason: str = "end_turn"

    @property
    def length(self) -> int:
        """Characters, of which its tokens are counted."""
        return sum(len(orjson.dumps(piece.block())) for piece in self.pieces)


def says(text: str) -> Reply:
    """Returns a reply that is only text."""
    return Reply(pieces=(Piece(text=text),))


def calls(asked: Sequence[tuple[str, Mapping[str, Any]]], number: int, text: str = "") -> Reply:
    """Returns a reply that calls tools side by side; `number` makes the ids differ by turn."""
    pieces = [Piece(text=text)] if text else []
    pieces += [
        Piece(tool=name, id=f"toolu_standin_{number:03}_{index}", input=arguments)
        for index, (name, arguments) in enumerate(asked)
    ]
    return Reply(pieces=tuple(pieces), stop_reason="tool_use")


def as_message(reply: Reply, *, identity: str, model: str, usage: Usage) -> dict[str, Any]:
    """Returns the answer to a request that does not stream."""
    return _envelope(identity, model, usage) | {
        "content": [piece.block() for piece in reply.pieces],
        "stop_reason": reply.stop_reason,
    }


def as_events(
    reply: Reply, *, identity: str, model: str, usage: Usage
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the events of a stream: name and data."""
    first = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=1,
        cache_creation_input_tokens=usage.cache_creation_input_tokens,
        cache_read_input_tokens=usage.cache_read_input_tokens,
    )
    yield "message_start", {"message": _envelope(identity, model, first) | {"content": []}}
    for index, piece in enumerate(reply.pieces):
        emptied: dict[str, Any] = {"input": {}} if piece.tool else {"text": ""}
        empty = piece.block() | emptied
        yield "content_block_start", {"index": index, "content_block": empty}
        if index == 0:
            yield "ping", {}

        for delta in _deltas(piece):
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


def _deltas(piece: Piece) -> Iterator[dict[str, Any]]:
    if not piece.tool:
        for text in PIECE.findall(piece.text):
            yield {"type": "text_delta", "text": text}

        return

    raw = piece.raw_input
    text = orjson.dumps(dict(piece.input or {})).decode() if raw is None else raw
    yield {"type": "input_json_delta", "partial_json": ""}
    for start in range(0, len(text), JSON_PIECE):
        yield {"type": "input_json_delta", "partial_json": text[start : start + JSON_PIECE]}


def _envelope(identity: str, model: str, usage: Usage) -> dict[str, Any]:
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
