"""Fields of a message as protobuf writes them, for what is encoded without a message."""

from __future__ import annotations

__all__ = ["FIXED64", "LENGTH", "VARINT", "delimited", "tag_of", "text", "varint"]

from functools import cache

from google.protobuf.message import Message

VARINT, FIXED64, LENGTH = 0, 1, 2
"""The wire types of protobuf that are needed."""

SHORT = 128
"""Lengths below it are one byte."""


def varint(value: int) -> bytes:
    """Returns a number as protobuf writes it: seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag_of(message: type[Message], field: str, wire_type: int) -> bytes:
    """Returns what stands before a value of the field."""
    return varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


def delimited(tag: bytes, body: bytes) -> bytes:
    """Returns a text's or a message's field."""
    length = len(body)
    return (_heads(tag)[length] if length < SHORT else tag + varint(length)) + body


def text(tag: bytes, shown: str | None) -> bytes:
    """Returns a text's field, nothing for None and for the empty text."""
    return delimited(tag, shown.encode()) if shown else b""


@cache
def _heads(tag: bytes) -> list[bytes]:
    return [tag + varint(length) for length in range(SHORT)]
