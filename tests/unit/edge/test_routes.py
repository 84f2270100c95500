"""What the edge reads out of the contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions

from server.edge.routes import Routes, read_routes, with_error_details

GEN = Path(__file__).parents[3] / "gen"


@pytest.fixture(scope="module")
def routes() -> Routes:
    return read_routes((GEN / "envoy.pb").read_bytes(), (GEN / "descriptors.pb").read_bytes())


def made(**method: object) -> bytes:
    """Returns descriptors with one rpc, `/a.S/M`, that answers a message of two fields."""
    files = FileDescriptorSet()
    file = files.file.add(name="a.proto", package="a")
    answer = file.message_type.add(name="Answer")
    answer.field.add(name="items")
    answer.field.add(name="more")
    rpc = file.service.add(name="S").method.add(name="M", output_type=".a.Answer")
    rule = rpc.options.Extensions[annotations_pb2.http]
    for name, value in method.items():
        setattr(rule, name, value)
    return files.SerializeToString()


def test_every_service_and_stream_is_found(routes: Routes) -> None:
    assert "tasty.v1.OrderService" in routes.services
    assert len(routes.services) == len(set(routes.services)) == 8
    assert "/tasty.v1.MarketDataService/StreamMarketData" in routes.streaming, "it has no REST path"
    assert "/tasty.v1.OrderService/StreamAccountEvents" in routes.streaming
    assert "/tasty.v1.OrderService/GetOrder" not in routes.streaming


def test_effects_are_what_is_not_declared_harmless(routes: Routes) -> None:
    assert "/tasty.v1.OrderService/PlaceOrder" in routes.effects
    assert "/tasty.v1.OrderService/CancelOrder" in routes.effects
    assert "/tasty.v1.OrderService/ListLiveOrders" not in routes.effects


def test_market_status_is_unwrapped(routes: Routes) -> None:
    assert routes.unwrapped == {"/tasty.v1.ReferenceService/GetMarketStatus": "sessions"}


def test_methods_of_a_path(routes: Routes) -> None:
    assert routes.methods["/api/v1/orders/{order_id}"] == ("DELETE", "GET")
    assert routes.allowed("/api/v1/orders/{order_id}") == ("DELETE", "GET")


def test_a_literal_path_that_a_template_matches_has_its_methods_too(routes: Routes) -> None:
    assert routes.allowed("/api/v1/watchlists/private/manage") == ("DELETE", "POST")
    assert routes.allowed("/api/v1/watchlists/private/{name}") == ("DELETE",)


@pytest.mark.parametrize(
    ("template", "path", "matches"),
    [
        ("/api/v1/orders/{order_id}", "/api/v1/orders/7", True),
        ("/api/v1/orders/{order_id}", "/api/v1/orders/", False),
        ("/api/v1/orders/{order_id}", "/api/v1/orders/7/8", False),
        ("/a.b", "/a.b", True),
        ("/a.b", "/axb", False),
    ],
)
def test_patterns(routes: Routes, template: str, path: str, matches: bool) -> None:
    assert bool(re.fullmatch(routes.pattern(template), path)) is matches


def test_only_a_lone_field_can_be_unwrapped() -> None:
    with pytest.raises(ValueError, match="must be the only field"):
        read_routes(made(get="/x", response_body="items"))


def test_additional_bindings_count() -> None:
    files = FileDescriptorSet.FromString(made(get="/x"))
    options = files.file[0].service[0].method[0].options
    options.Extensions[annotations_pb2.http].additional_bindings.add(post="/y")
    options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS
    routes = read_routes(files.SerializeToString())
    assert routes.methods == {"/x": ("GET",), "/y": ("POST",)}
    assert routes.effects == ()


def test_error_details_come_with_what_they_need_and_once() -> None:
    given = (GEN / "envoy.pb").read_bytes()
    names = [file.name for file in FileDescriptorSet.FromString(with_error_details(given)).file]
    assert names.index("google/protobuf/duration.proto") < names.index(
        "google/rpc/error_details.proto"
    )
    assert len(names) == len(set(names))
    twice = with_error_details(with_error_details(given))
    assert twice == with_error_details(given)
