"""What Envoy is given differs from the contract in these points, and in no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from tasty.v1.new_order_pb2 import NewOrder, NewOrderLeg
from tasty.v1.order_placement_pb2 import (
    ConfirmOrderRequest,
    PlaceComplexOrderRequest,
    PlaceOrderRequest,
    ReplaceOrderRequest,
)

from server.contract.catalog import Contract
from server.contract.edge import RAW_BODY, descriptors_for_envoy, unpack
from server.contract.protos import ROOT
from server.errors import BadInput, InvalidBody, UnknownField

ORDER = b'{"legs":[{"symbol":"AAPL","action":"Buy","quantity":1}],"price":-4.50}'
PRINTED = {
    *("GetQuotes", "GetGreeks", "GetMarketMetrics", "GetOptionChain", "SearchSymbols"),
    *("ListPositions", "ListTransactions", "ListNetLiquidatingValueHistory"),
    *("ListLiveOrders", "ListOrderHistory", "ListWatchlists", "ListCredentials"),
}
STRICT = {"PlaceOrder", "ReplaceOrder", "PlaceComplexOrder", "ConfirmOrder"}
LISTS = {"GetQuotes", "GetGreeks", "GetMarketMetrics"}
WHOLE = {"Chat", "StreamChat", "SaveCredentials", "ManageWatchlist"}
RAW = STRICT | LISTS | WHOLE


@pytest.fixture(scope="module")
def edge() -> Contract:
    return Contract.of((Path(ROOT) / "gen" / "envoy.pb").read_bytes())


def sent_by_envoy(
    edge: Contract, contract: Contract, name: str, *bodies: bytes, **query: str
) -> Message:
    """The bytes that Envoy 1.40 makes: an empty piece first, then one for each body."""
    raw = GetMessageClass(edge.named(name).request)(**query)
    wire = raw.SerializeToString()

    for data in (b"", *bodies):
        body = {"data": data, "content_type": "application/json" if data else ""}
        piece = GetMessageClass(edge.named(name).request)(raw_body=body)
        wire += piece.SerializeToString()

    request: Message = GetMessageClass(contract.named(name).request).FromString(wire)
    return request


def test_all_bodies_are_raw(edge: Contract, contract: Contract) -> None:
    raw = {m.name for m in edge.methods if m.http and m.http.body == "raw_body"}
    assert raw == RAW
    assert {m.name for m in contract.methods if m.http and m.http.body} == RAW

    for name in RAW:
        field = edge.named(name).request.fields_by_name["raw_body"]
        assert field.number == RAW_BODY
        assert field.message_type is not None
        assert field.message_type.full_name == "google.api.HttpBody"


def test_no_response_body_is_left_for_envoy_to_refuse(edge: Contract, contract: Contract) -> None:
    assert contract.named("GetMarketStatus").http.response_body == "sessions"  # type: ignore[union-attr] # it has a route
    assert [m.name for m in edge.methods if m.http and m.http.response_body] == []


def test_reads_that_answer_with_lists_come_printed(edge: Contract, contract: Contract) -> None:
    bodies = {
        ours.name: theirs.response.full_name
        for ours, theirs in zip(contract.methods, edge.methods, strict=True)
        if ours.response.full_name != theirs.response.full_name
    }
    assert bodies == dict.fromkeys(PRINTED, "google.api.HttpBody")


def test_all_else_is_the_same(edge: Contract, contract: Contract) -> None:
    assert [m.path for m in edge.methods] == [m.path for m in contract.methods]

    for ours, theirs in zip(contract.methods, edge.methods, strict=True):
        assert (ours.effect, ours.http is None) == (theirs.effect, theirs.http is None)

        if ours.http and theirs.http:
            assert (ours.http.verb, ours.http.path) == (theirs.http.verb, theirs.http.path)

        names = {field.name for field in ours.request.fields}

        if ours.name in RAW and ours.http:
            names = set() if ours.name in WHOLE else names - {ours.http.body}

        assert names == {field.name for field in theirs.request.fields} - {"raw_body"}


def test_the_set_is_complete_and_carries_no_comments() -> None:
    files = FileDescriptorSet.FromString((Path(ROOT) / "gen" / "envoy.pb").read_bytes())
    seen: set[str] = set()

    for file in files.file:
        assert set(file.dependency) <= seen, f"{file.name} comes before what it imports"
        assert not file.HasField("source_code_info")
        seen.add(file.name)


def test_a_body_field_that_is_optional_is_refused_at_generation(contract: Contract) -> None:
    files = FileDescriptorSet()
    files.CopyFrom(contract.files)
    file = next(one for one in files.file if one.name.endswith("order_placement.proto"))
    message = next(one for one in file.message_type if one.name == "PlaceOrderRequest")
    field = next(one for one in message.field if one.name == "order")
    field.proto3_optional = True
    field.oneof_index = 0
    message.oneof_decl.add(name="_order")

    with pytest.raises(ValueError, match="must not be optional"):
        descriptors_for_envoy(Contract.of(files.SerializeToString()))


def test_a_call_through_the_edge_and_a_native_one_are_read_alike(
    edge: Contract, contract: Contract
) -> None:
    method = contract.named("PlaceOrder")
    leg = NewOrderLeg(symbol="AAPL", action="Buy", quantity=1)
    native = PlaceOrderRequest(account_id="A", order=NewOrder(legs=[leg], price="-4.50"))
    raw = sent_by_envoy(edge, contract, "PlaceOrder", ORDER, account_id="A")

    assert unpack(method, raw) == native
    assert unpack(method, PlaceOrderRequest.FromString(native.SerializeToString())) == native


@pytest.mark.parametrize("name", sorted(STRICT))
def test_every_strict_method_reads_its_own_body(
    edge: Contract, contract: Contract, name: str
) -> None:
    method = contract.named(name)
    assert method.http is not None
    content = {
        "PlaceOrder": ORDER,
        "ReplaceOrder": b'{"price": "-4.75"}',
        "PlaceComplexOrder": b'{"type":"OCO","orders":[{"legs":[],"price":1.10}],"dry_run":true}',
        "ConfirmOrder": b'{"code":"K7QM"}',
    }[name]
    got = unpack(method, sent_by_envoy(edge, contract, name, content, account_id="A"))
    assert got.HasField(method.http.body)
    assert type(got) in (
        PlaceOrderRequest,
        ReplaceOrderRequest,
        PlaceComplexOrderRequest,
        ConfirmOrderRequest,
    )

    with pytest.raises(UnknownField):
        unpack(method, sent_by_envoy(edge, contract, name, b'{"dry_rum":true}', account_id="A"))

    with pytest.raises(InvalidBody, match="empty"):
        unpack(method, sent_by_envoy(edge, contract, name, b"", account_id="A"))


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("GetQuotes", b'[{"symbol":"SPY","strike_price":690.0},{"symbol":"A"}]', "instruments"),
        ("GetGreeks", b'[{"symbol":"SPY","strike_price":null}]', "options"),
        ("GetMarketMetrics", b'["SPY", "AAPL"]', "symbols"),
        ("Chat", b'{"message":"hi","message_history":null}', "message"),
        ("StreamChat", b'{"message":"hi","account_id":null}', "message"),
        ("ManageWatchlist", b'{"action":"add","symbols":[{"symbol":"A"}],"name":null}', "symbols"),
        ("SaveCredentials", b'{"api_key":"k","client_secret":"c","refresh_token":"r"}', "api_key"),
    ],
)
def test_the_other_bodies_are_read_as_strictly(
    edge: Contract, contract: Contract, name: str, content: bytes, field: str
) -> None:
    method = contract.named(name)
    got = unpack(method, sent_by_envoy(edge, contract, name, content))
    assert getattr(got, field)
    native = type(got).FromString(got.SerializeToString())
    assert unpack(method, native) == got

    with pytest.raises(InvalidBody, match="twice"):
        unpack(method, sent_by_envoy(edge, contract, name, content, content))

    with pytest.raises(InvalidBody, match="no JSON"):
        unpack(method, sent_by_envoy(edge, contract, name, content[:-1]))

    if name not in LISTS:
        with pytest.raises(UnknownField):
            unpack(method, sent_by_envoy(edge, contract, name, b'{"dry_rum":true}'))

        with pytest.raises(InvalidBody, match="empty"):
            unpack(method, sent_by_envoy(edge, contract, name, b" "))


def test_an_empty_body_is_an_empty_list(edge: Contract, contract: Contract) -> None:
    method = contract.named("GetQuotes")
    got = unpack(method, sent_by_envoy(edge, contract, "GetQuotes", b"", timeout=5.0))  # type: ignore[arg-type]  # a number
    assert (len(got.instruments), got.timeout) == (0, 5.0)  # type: ignore[attr-defined]  # a request of quotes


@pytest.mark.parametrize("name", sorted(LISTS))
@pytest.mark.parametrize("content", [b"{}", b'"SPY"', b"null", b"1", b'[{"symbl":"SPY"}]', b"[[]]"])
def test_what_is_no_list_of_these_is_refused(
    edge: Contract, contract: Contract, name: str, content: bytes
) -> None:
    with pytest.raises(BadInput):
        unpack(contract.named(name), sent_by_envoy(edge, contract, name, content))


def test_a_body_may_be_empty_only_where_the_query_says_what_to_do(
    edge: Contract, contract: Contract
) -> None:
    method = contract.named("ReplaceOrder")
    raw = sent_by_envoy(
        edge, contract, "ReplaceOrder", b"", account_id="A", order_id="1", price="-4.75"
    )
    got = unpack(method, raw)
    assert isinstance(got, ReplaceOrderRequest)
    assert (got.price, got.HasField("change")) == ("-4.75", False)


def test_a_second_body_is_refused(edge: Contract, contract: Contract) -> None:
    method = contract.named("PlaceOrder")

    with pytest.raises(InvalidBody, match="twice"):
        unpack(method, sent_by_envoy(edge, contract, "PlaceOrder", ORDER, ORDER, account_id="A"))

    both = PlaceOrderRequest(account_id="A", order=NewOrder(price="-1")).SerializeToString()
    raw = sent_by_envoy(edge, contract, "PlaceOrder", ORDER).SerializeToString()

    with pytest.raises(InvalidBody, match="twice"):
        unpack(method, PlaceOrderRequest.FromString(both + raw))


def test_a_native_field_that_this_server_does_not_know_is_refused(contract: Contract) -> None:
    method = contract.named("PlaceOrder")
    strange = bytes([0x98, 0x06, 0x01])  # field 99, a varint

    with pytest.raises(InvalidBody, match="field number 99"):
        unpack(method, PlaceOrderRequest.FromString(strange))

    inner = NewOrder.FromString(strange)

    with pytest.raises(InvalidBody, match="field number 99 of order"):
        unpack(method, PlaceOrderRequest(order=inner))


def test_what_claims_to_be_a_body_and_is_none_is_refused(contract: Contract) -> None:
    method = contract.named("PlaceOrder")
    tag = (RAW_BODY << 3 | 2).to_bytes(5, "little")
    varint = bytearray()
    number = int.from_bytes(tag, "little")

    while number > 0x7F:
        varint.append(number & 0x7F | 0x80)
        number >>= 7

    varint.append(number)
    broken = bytes(varint) + b"\x02\xff\xff"

    with pytest.raises(InvalidBody, match="cannot be read"):
        unpack(method, PlaceOrderRequest.FromString(broken))
