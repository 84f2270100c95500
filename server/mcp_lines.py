"""Reads MCP messages line by line, and refuses the lines that can be read in two ways.

The package's own reader keeps the last of doubled keys and rounds numbers to what a float holds. An
order could then be another order than the model wrote, so the lines are read here: a key that is
there twice, at any depth, is refused with a sentence, and a number keeps its digits.
"""

from __future__ import annotations

__all__ = ["Unreadable", "exact", "messages", "text_of"]

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, BinaryIO, NoReturn

import anyio.to_thread
import mcp_types as types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

LONGEST = 4 << 20
"""Bytes of one line: twice what the gateway takes as a body."""

Send = Callable[[SessionMessage], Awaitable[None]]


class Unreadable(Exception):
    """A line that is not one message, in the words of `str(error)`."""


class ExactNumber(float):
    """A number of a message, with the digits that were sent."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> ExactNumber:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


async def messages(source: BinaryIO, refuse: Send) -> AsyncIterator[SessionMessage | Exception]:
    """Yields the messages in `source` to its end; answers what it cannot read by `refuse`."""
    while line := await anyio.to_thread.run_sync(source.readline, LONGEST + 1):
        if len(line) > LONGEST:
            while not line.endswith(b"\n"):
                line = await anyio.to_thread.run_sync(source.readline, LONGEST)
                if not line:
                    return

            await refuse(_error(None, f"The message is longer than {LONGEST >> 20} MiB."))
            continue

        try:
            value = exact(line)
        except Unreadable as error:
            await refuse(_refusal(line, str(error)))
            continue

        try:
            yield SessionMessage(types.jsonrpc_message_adapter.validate_python(value))
        except ValidationError as error:
            yield error  # the package knows what to say to what is no JSON-RPC


def exact(line: bytes) -> Any:
    """Returns the JSON value of a line, its fractions as ExactNumber; raises Unreadable."""
    try:
        return json.loads(
            line.decode("utf-8"),
            object_pairs_hook=_without_doubles,
            parse_float=ExactNumber,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise Unreadable("The message is nested too deeply.") from None
    except ValueError:  # neither UTF-8 nor JSON, or an integer of thousands of digits
        raise Unreadable("The message is no JSON.") from None


def text_of(value: Any) -> str:
    """Returns a value as JSON again, each number with the digits that it came with."""
    match value:
        case ExactNumber():
            return value.text
        case dict():
            pairs = (f"{json.dumps(name)}:{text_of(each)}" for name, each in value.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(text_of, value)) + "]"
        case _:
            return json.dumps(value)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise Unreadable(
                f"Invalid message: the key '{name[:40]}' is there twice. Nothing was done."
            )

        values[name] = value

    return values


def _no_number(name: str) -> NoReturn:
    raise Unreadable(f"Invalid message: {name} is no number. Nothing was done.")


def _refusal(line: bytes, sentence: str) -> SessionMessage:
    """Answers the request that the line seems to be, so that its client does not wait."""
    try:
        seen = json.loads(line)
    except (ValueError, RecursionError):
        return _error(None, sentence)

    number = seen.get("id") if isinstance(seen, dict) else None
    if isinstance(number, bool) or not isinstance(number, int | str):
        return _error(None, sentence)

    if seen.get("method") != "tools/call":
        return _error(number, sentence)

    # As any refusal of a tool: the model reads it, where an error of the protocol may end its turn.
    content = [{"type": "text", "text": sentence}]
    result = {"content": content, "isError": True}
    return SessionMessage(types.JSONRPCResponse(jsonrpc="2.0", id=number, result=result))


def _error(number: int | str | None, sentence: str) -> SessionMessage:
    error = types.ErrorData(code=types.INVALID_REQUEST, message=sentence)
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=number, error=error))
