"""The guide's own samples fit the contract and come back unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.contract import strict
from server.contract.catalog import Contract, Method, load
from tests.contract.guide import load_guide

EXAMPLES = load_guide()


def printed(message: Message) -> Any:
    """As the edge prints it: names of the protos, zeros and empty texts included."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def assert_holds(shown: Any, got: Any, path: str = "") -> None:
    """Asserts that `got` has all that is shown, with equal values of the same JSON type."""
    if isinstance(shown, dict):
        assert isinstance(got, dict), path
        for name, value in shown.items():
            assert name in got, f"{path}.{name} is lost"
            assert_holds(value, got[name], f"{path}.{name}")
    elif isinstance(shown, list):
        assert isinstance(got, list), path
        assert len(shown) == len(got), path
        for index, (one, other) in enumerate(zip(shown, got, strict=True)):
            assert_holds(one, other, f"{path}[{index}]")
    else:
        assert shown == got, path
        assert isinstance(shown, str) == isinstance(got, str), path
        assert isinstance(shown, bool) == isinstance(got, bool), path


def message_of(method: Method, example: Mapping[str, Any]) -> Message:
    assert method.http is not None
    values = dict(example.get("query", {}))

    if "body" in example:
        body = example["body"]
        values |= body if method.http.body == "*" else {method.http.body: body}

    request: Message = GetMessageClass(method.request)()
    return json_format.ParseDict(values, request)


@pytest.mark.parametrize("name", [n for n, e in EXAMPLES.items() if "reply" in e])
def test_a_reply_fits_and_comes_back(contract: Contract, name: str) -> None:
    method, reply = contract.named(name), EXAMPLES[name]["reply"]
    assert method.http is not None
    wrapped = {method.http.response_body: reply} if method.http.response_body else reply
    message = json_format.ParseDict(wrapped, GetMessageClass(method.response)())
    assert_holds(wrapped, printed(message))


@pytest.mark.parametrize("name", [n for n in EXAMPLES if not load().named(n).strict])
def test_a_request_fits_and_comes_back(contract: Contract, name: str) -> None:
    method, example = contract.named(name), EXAMPLES[name]
    assert method.http is not None
    message = message_of(method, example)
    got = printed(message)
    assert_holds(dict(example.get("query", {})), got)

    if "body" in example:
        body = example["body"]
        assert_holds(body if method.http.body == "*" else {method.http.body: body}, got)


@pytest.mark.parametrize(
    "name", [n for n, e in EXAMPLES.items() if load().named(n).strict and "body" in e]
)
def test_a_strict_body_is_read_whole(contract: Contract, name: str) -> None:
    method, body = contract.named(name), EXAMPLES[name]["body"]
    assert method.http is not None
    field = method.request.fields_by_name[method.http.body].message_type
    assert field is not None
    message = GetMessageClass(field)()
    strict.read(json.dumps(body).encode(), message)
    got = printed(message)

    # A price is a JSON number in the guide and a decimal text in the message.
    assert float(got.pop("price")) == body.pop("price")
    assert_holds(body, got)


def test_query_examples_are_query_parameters(contract: Contract) -> None:
    for name, example in EXAMPLES.items():
        allowed = {field.name for field in contract.named(name).query_fields}
        assert set(example.get("query", {})) <= allowed, name


def test_every_route_of_the_guide_has_an_example() -> None:
    assert len(EXAMPLES) >= 21


def test_nulls_of_the_guide_mean_absent() -> None:
    """`"price": null` and `"message_history": null` stand in the guide's own curl commands."""
    from tasty.v1.chat_service_pb2 import ChatRequest
    from tasty.v1.new_order_pb2 import NewOrder

    chat = json_format.ParseDict({"message": "x", "message_history": None}, ChatRequest())
    assert len(chat.message_history) == 0

    order = NewOrder()
    strict.read(b'{"legs":[{"symbol":"AAPL","action":"Buy","quantity":100}],"price":null}', order)
    assert not order.HasField("price")
    assert order.legs[0].quantity == 100
