"""What the server prints is what `json_format` prints with the options that Envoy has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st
from tasty.v1.market_data_stream_pb2 import StreamQuotesResponse
from tasty.v1.quote_pb2 import Quote

from server.contract.catalog import load
from server.contract.edge import is_printed
from server.wire.printing import printer_of
from tests.effort import LONG

PRINTED = [method.response for method in load().methods if is_printed(method)]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DOUBLES = st.floats() | st.integers(-(10**16), 10**16).map(float)
SECONDS = st.integers(-62_135_596_800, 253_402_300_799)
"""From the year 1 to the year 9999: what a Timestamp may hold."""
NANOS = st.integers(0, 999_999_999) | st.integers(0, 999).map(lambda milli: milli * 1_000_000)
SCALARS = {
    FieldDescriptor.TYPE_STRING: TEXTS,
    FieldDescriptor.TYPE_DOUBLE: DOUBLES,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
}


def messages(kind: Descriptor) -> st.SearchStrategy[Message]:
    """Messages of a kind with any of their fields, set to anything."""
    made = GetMessageClass(kind)
    if kind.full_name == "google.protobuf.Timestamp":
        return st.builds(made, seconds=SECONDS, nanos=NANOS)

    return st.builds(
        lambda fields: made(**{name: value for name, value in fields.items() if value is not None}),
        st.fixed_dictionaries({field.name: st.none() | values(field) for field in kind.fields}),
    )


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return st.dictionaries(TEXTS, values(kind.fields_by_name["value"]), max_size=2)

    single = SCALARS[field.type] if kind is None else messages(kind)
    return st.lists(single, max_size=2) if field.is_repeated else single


@pytest.mark.parametrize("kind", PRINTED, ids=lambda kind: kind.name)
@settings(max_examples=50 * LONG or 8)  # of each kind, and each has all fields of many
@given(data=st.data())
def test_every_printed_answer_says_what_its_message_says(
    kind: Descriptor, data: st.DataObject
) -> None:
    message = data.draw(messages(kind))
    printed = json.loads(printer_of(kind)(message), parse_constant=pytest.fail)
    assert printed == MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    # In the order of the contract, where `json_format` puts last what is not set.
    assert list(printed) == [field.name for field in kind.fields if field.name in printed]


def test_numbers_are_written_as_the_transcoder_writes_them() -> None:
    quote = Quote(bid_size=100, ask_size=0.5)
    printed = printer_of(Quote.DESCRIPTOR)(quote)
    assert b'"bid_size":100,"ask_size":0.5,' in printed


def test_a_type_without_a_printer_is_found_at_the_start() -> None:
    with pytest.raises(TypeError, match=r"StreamQuotesResponse.kind: its type has no printer yet"):
        printer_of(StreamQuotesResponse.DESCRIPTOR)
