"""Messages as the JSON of the REST face, for answers that Envoy is not left to print.

The text is what Envoy's transcoder would make of the message: the contract's names in the order of
the fields, scalars and lists even when they are empty, optional fields and messages only when they
are set. `google.protobuf.json_format` does the same at seven times the cost, most of it for finding
out again, at each field of each message, what is known of its type here.
"""

from __future__ import annotations

__all__ = ["body", "converter_of", "moment_text", "number", "printer_of"]

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from math import inf
from typing import Any

import orjson
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Printer = Callable[[Message], bytes]
Convert = Callable[[Any], Any]
"""Makes of a field's value what orjson prints."""

ABSENT = object()
"""Keeps the place of a field that may be left out."""
EPOCH = datetime(1970, 1, 1)
"""In UTC, as every Timestamp is."""
WHOLE = 10**15
"""Whole numbers below it are printed without a point, and larger ones with an exponent."""
UNPRINTABLE = {inf: "Infinity", -inf: "-Infinity"}


def printer_of(message: Descriptor) -> Printer:
    """Returns what prints messages of this type.

    Raises TypeError for a type of field that no answer of the contract has had so far.
    """
    convert = converter_of(message)

    def printed(answer: Message) -> bytes:
        return orjson.dumps(convert(answer))

    return printed


def body(json: bytes) -> bytes:
    """Returns the wire form of an HttpBody that holds the text."""
    made: bytes = HttpBody(content_type="application/json", data=json).SerializeToString()
    return made


@cache
def converter_of(message: Descriptor) -> Convert:
    """Returns what makes of a message of this type what orjson prints."""
    if message.full_name == Timestamp.DESCRIPTOR.full_name:
        return _moment

    unset = {field.name: _unset(field) for field in message.fields}
    optional = tuple(name for name, value in unset.items() if value is ABSENT)
    known = {field: (field.name, _change(field)) for field in message.fields}

    def convert(value: Any) -> dict[str, Any]:
        out = unset.copy()
        for field, item in value.ListFields():
            name, change = known[field]
            out[name] = item if change is None else change(item)

        for name in optional:
            if out[name] is ABSENT:
                del out[name]

        return out

    return convert


def _unset(field: FieldDescriptor) -> Any:
    if field.is_repeated:
        return {} if _is_map(field) else []

    if field.has_presence:
        return ABSENT

    return 0 if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE else field.default_value


def _change(field: FieldDescriptor) -> Convert | None:
    """Returns what is done to the values of a field; None where they are printed as they are."""
    if _is_map(field):
        return _mapped(field)

    single = _single(field)
    if not field.is_repeated:
        return single

    return list if single is None else lambda values: [single(each) for each in values]


def _single(field: FieldDescriptor) -> Convert | None:
    if field.message_type is not None:
        return converter_of(field.message_type)

    match field.type:
        case FieldDescriptor.TYPE_DOUBLE:
            return number
        case FieldDescriptor.TYPE_STRING | FieldDescriptor.TYPE_BOOL | FieldDescriptor.TYPE_INT32:
            return None
        case _:
            raise TypeError(f"{field.full_name}: its type has no printer yet")


def _is_map(field: FieldDescriptor) -> bool:
    message = field.message_type
    return message is not None and message.GetOptions().map_entry


def _mapped(field: FieldDescriptor) -> Convert:
    assert field.message_type is not None  # noqa: S101 - a map has an entry
    entry = field.message_type.fields_by_name
    if entry["key"].type != FieldDescriptor.TYPE_STRING:
        raise TypeError(f"{field.full_name}: its keys have no printer yet")

    single = _single(entry["value"])
    if single is None:
        return dict

    return lambda values: {key: single(value) for key, value in values.items()}


def number(value: float) -> Any:
    """Returns what orjson prints as the transcoder prints a double."""
    if value.is_integer():
        return int(value) if -WHOLE < value < WHOLE else value

    # JSON has no names for these, and orjson would print null.
    return UNPRINTABLE.get(value, value) if value == value else "NaN"


def _moment(value: Timestamp) -> str:
    return moment_text(value.seconds, value.nanos)


@lru_cache(maxsize=1024)  # one answer has many of them twice
def moment_text(seconds: int, nanos: int) -> str:
    """Returns the text of a Timestamp: three, six or nine digits below the second, or none."""
    text = _second(seconds)
    if not nanos:
        return f"{text}Z"

    digits = f"{nanos:09}"
    for superfluous in ("000000", "000"):
        if digits.endswith(superfluous):
            return f"{text}.{digits.removesuffix(superfluous)}Z"

    return f"{text}.{digits}Z"


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    moment = EPOCH + timedelta(seconds=seconds)  # a year has four digits, which strftime forgets
    return moment.isoformat(timespec="seconds")
