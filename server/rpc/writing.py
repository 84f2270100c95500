"""Writes answers into the bytes of a call: the message, or for REST its JSON where we print it."""

from __future__ import annotations

__all__ = ["Write", "encode", "writer_of"]

from collections.abc import Callable

from google.protobuf.message import Message

from server.contract.catalog import load
from server.contract.edge import is_printed
from server.rpc.call import Call
from server.rpc.methods import Method
from server.wire.printing import body, printer_of

Write = Callable[[Call, Message | bytes], bytes]


def writer_of(method: Method) -> Write:
    """Returns what writes the answers of an rpc; bytes are written already."""
    rules = load().method(method.path)
    if rules is None or not is_printed(rules):
        return lambda _call, answer: encode(answer)

    printed = printer_of(rules.response)

    def write(call: Call, answer: Message | bytes) -> bytes:
        if isinstance(answer, bytes) or call.original_path is None:
            return encode(answer)

        return body(printed(answer))

    return write


def encode(answer: Message | bytes) -> bytes:
    """Returns the wire form of an answer; bytes are one already."""
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
