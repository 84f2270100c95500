"""Reads the bytes of a call into its request, as strictly as the contract asks for.

What came through REST passed Envoy's transcoder, which lets a query override the path and reads its
numbers as C does, but hands bodies on unread: both are judged here by what the client really sent.
A native call on a strict method is held to the same: a field that this server does not know meant
something to the caller. Whatever way it came, a request is validated before a servicer gets it.
"""

from __future__ import annotations

__all__ = ["Read", "decode", "reader_of"]

from collections.abc import Callable

from google.protobuf.message import DecodeError, Message

from server.contract.catalog import load
from server.contract.edge import has_raw_body, unpack
from server.contract.query import QueryRules
from server.contract.validation import validate
from server.errors import InvalidBody
from server.rpc.call import Call
from server.rpc.methods import Method

Read = Callable[[Call, bytes], Message]


def reader_of(method: Method) -> Read:
    """Returns what reads the requests of an rpc; raises BadInput for one that cannot be meant."""
    rules = load().method(method.path)
    if rules is None:  # health checks and the like: no contract of ours, no REST
        return lambda _call, data: decode(method.request, data)

    query = QueryRules(rules)
    unpacks = rules.strict or has_raw_body(rules)

    def read(call: Call, data: bytes) -> Message:
        request = decode(method.request, data)
        path = call.original_path
        if path is not None:
            query.check(path)

        return validate(unpack(rules, request) if unpacks else request)

    return read


def decode(message: type[Message], data: bytes) -> Message:
    """Returns the message in `data`; raises InvalidBody."""
    try:
        decoded: Message = message.FromString(data)
    except DecodeError:
        # What protobuf says about it is about its own parser, and of no help to anybody.
        raise InvalidBody(f"it cannot be decoded as {message.__name__}") from None

    return decoded
