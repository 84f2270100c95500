"""Parses requests as the API does, and refuses what the API refuses.

The rule that clients break most often is enforced exactly: every `tool_use` of an assistant must be
answered by a `tool_result` in the very next message, and no result may come without its use.
"""

from __future__ import annotations

__all__ = ["Block", "MessagesRequest", "Turn", "read_request"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from server.simulator.messages.api_errors import invalid_request

Block = Mapping[str, Any]
ROLES = ("user", "assistant")
FIELDS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"type", "text", "citations", "cache_control"}),
    "tool_use": frozenset({"type", "id", "name", "input", "caller", "cache_control"}),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
}
"""Fields that blocks may have; the API refuses any other, such as those that an SDK adds for
itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Holds one message of the conversation."""

    role: str
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """All of its text, without tool uses and results."""
        return "\n".join(block["text"] for block in self.blocks if block["type"] == "text")

    def blocks_of(self, kind: str) -> list[Block]:
        return [block for block in self.blocks if block["type"] == kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRequest:
    """Holds what a client asks for."""

    model: str
    max_tokens: int
    system: tuple[Block, ...]
    turns: tuple[Turn, ...]
    tools: tuple[Block, ...]
    stream: bool

    @property
    def system_text(self) -> str:
        return "\n".join(block["text"] for block in self.system)


def read_request(content: bytes) -> MessagesRequest:
    """Parses the request in a body; raises ApiError."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise invalid_request(f"The request body is not valid JSON: {error}") from error

    if not isinstance(body, dict):
        raise invalid_request("The request body is not an object")

    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            raise invalid_request(f"{name}: Field required")

    if not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        raise invalid_request("max_tokens: Input should be greater than or equal to 1")

    turns = _turns(body["messages"])
    _check_tool_pairs(turns)
    return MessagesRequest(
        model=str(body["model"]),
        max_tokens=body["max_tokens"],
        system=_blocks(body.get("system", ""), "system"),
        turns=turns,
        tools=_tools(body.get("tools", [])),
        stream=body.get("stream") is True,
    )


def _turns(messages: Any) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise invalid_request("messages: at least one message is required")

    turns: list[Turn] = []
    for index, message in enumerate(messages):
        where = f"messages.{index}"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise invalid_request(f"{where}.role: Input should be 'user' or 'assistant'")

        turn = Turn(
            role=message["role"], blocks=_blocks(message.get("content"), f"{where}.content")
        )
        if not turn.blocks and not (turn.role == "assistant" and index == len(messages) - 1):
            raise invalid_request(f"{where}: all messages must have non-empty content")

        if turns and turns[-1].role == turn.role:  # the API merges consecutive messages of one role
            turns[-1] = Turn(role=turn.role, blocks=turns[-1].blocks + turn.blocks)
        else:
            turns.append(turn)

    if turns[0].role != "user":
        raise invalid_request('messages: first message must use the "user" role')

    return tuple(turns)


def _blocks(content: Any, where: str) -> tuple[Block, ...]:
    if isinstance(content, str):
        return ({"type": "text", "text": content},) if content else ()

    if not isinstance(content, list):
        raise invalid_request(f"{where}: Input should be a valid string or list")

    for index, block in enumerate(content):
        place = f"{where}.{index}"
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise invalid_request(f"{place}.type: Field required")

        strange = set(block) - FIELDS.get(block["type"], set(block))
        if strange:
            raise invalid_request(f"{place}.{min(strange)}: Extra inputs are not permitted")

        if block["type"] == "text" and not (isinstance(block.get("text"), str) and block["text"]):
            raise invalid_request(f"{place}: text content blocks must be non-empty")

        if block["type"] == "tool_use" and not isinstance(block.get("input"), dict):
            raise invalid_request(f"{place}.input: Input should be a valid dictionary")

    return tuple(content)


def _tools(tools: Any) -> tuple[Block, ...]:
    if not isinstance(tools, list):
        raise invalid_request("tools: Input should be a valid list")

    names = set()
    for index, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            raise invalid_request(f"tools.{index}.name: Field required")

        schema = tool.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise invalid_request(f"tools.{index}.input_schema.type: Field required")

        if tool["name"] in names:
            raise invalid_request("tools: Tool names must be unique.")

        names.add(tool["name"])

    return tuple(tools)


def _check_tool_pairs(turns: tuple[Turn, ...]) -> None:
    for index, turn in enumerate(turns):
        asked = {block.get("id") for block in turn.blocks_of("tool_use")}
        following = turns[index + 1] if index + 1 < len(turns) else None
        given = following.blocks_of("tool_result") if following else []
        answered = {block.get("tool_use_id") for block in given}
        if turn.role == "assistant" and asked - answered:
            missing = ", ".join(sorted(map(str, asked - answered)))
            raise invalid_request(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {missing}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message."
            )

        if turn.role == "user" and turn.blocks_of("tool_result"):
            before = (
                {b.get("id") for b in turns[index - 1].blocks_of("tool_use")} if index else set()
            )
            for block in turn.blocks_of("tool_result"):
                if block.get("tool_use_id") not in before:
                    raise invalid_request(
                        f"messages.{index}: unexpected `tool_use_id` found in `tool_result` "
                        f"blocks: {block.get('tool_use_id')}. Each `tool_result` block must have a "
                        "corresponding `tool_use` block in the previous message."
                    )
